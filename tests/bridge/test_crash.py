"""`kill -9` at any moment, under load: whatever was answered with OK becomes one log, and one only."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from humanloop import Humanloop
from support_bridge import Process, bridge_process
from support_otlp import AGENT, CHAT, HTTP, PROTOBUF, body, hexadecimal, span, until

from otel_humanloop.delivery.large import LARGE
from otel_humanloop.delivery.spools import open_spool


class Sender(threading.Thread):
    """Sends one trace after another until it is told to end, and remembers those that were answered with OK.

    Args:
        length: Characters that each call says besides.
    """

    def __init__(self, process: Process, numbers: Iterator[int], length: int) -> None:
        super().__init__(daemon=True)
        self._url = f"{process.urls['http']}/v1/traces"
        self._numbers = numbers
        self._call = {**CHAT, "said": "x" * length}
        self.ended = threading.Event()
        self.acknowledged: list[int] = []

    def run(self) -> None:
        with httpx.Client(trust_env=False) as client:
            while not self.ended.is_set():
                trace = next(self._numbers)
                first = trace * 10
                spans = (
                    span(trace, first + 2, first + 1, self._call),
                    span(trace, first, None, AGENT),
                    span(trace, first + 1, first, HTTP),
                )
                try:
                    answer = client.post(self._url, content=body(*spans), headers=PROTOBUF)
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    self.acknowledged.append(trace)


def killed_under_load(bridge: Process, numbers: Iterator[int], enough: int, length: int) -> list[int]:
    """The traces that were answered with OK before the bridge was killed, so many at least."""
    senders = [Sender(bridge, numbers, length) for _ in range(4)]
    for sender in senders:
        sender.start()
    until(lambda: sum(len(sender.acknowledged) for sender in senders) >= enough)
    bridge.kill()
    for sender in senders:
        sender.ended.set()
        sender.join(20)
    return [trace for sender in senders for trace in sender.acknowledged]


def rounds(number: int, humanloop: Humanloop, spool: Path, *, length: int = 0) -> None:
    chance = random.Random(number)
    numbers = itertools.count(1)
    acknowledged: list[int] = []
    for _ in range(number):
        with bridge_process(humanloop.base_url, spool) as bridge:
            acknowledged += killed_under_load(bridge, numbers, chance.randrange(1, 40), length)
    with bridge_process(humanloop.base_url, spool) as bridge:
        until(lambda: not bridge.metric("otel_humanloop_spool_spans"), 60)
    assert len(acknowledged) > number
    logs = {log["reference_id"]: log for log in humanloop.logs()}
    assert len(logs) == len(humanloop.logs()), "a span is one log"
    for trace in acknowledged:
        agent, call = logs[hexadecimal(trace * 10)], logs[hexadecimal(trace * 10 + 2)]
        assert agent.get("parent_id") is None
        assert call["parent_id"] == agent["id"], "the tree is what it would have been"
        assert hexadecimal(trace * 10 + 1) not in logs


def test_what_was_acknowledged_is_delivered_once(humanloop: Humanloop, tmp_path: Path) -> None:
    rounds(2, humanloop, tmp_path / "spool.db")


@pytest.mark.slow
def test_what_was_acknowledged_of_large_requests_is_delivered_once(humanloop: Humanloop, tmp_path: Path) -> None:
    rounds(10, humanloop, tmp_path / "spool.db", length=LARGE)
    left = open_spool(f"sqlite:///{tmp_path}/spool.db", max_spans=1, max_bytes=1)
    assert list(left.waiting()) == []
    left.close()
    assert [path.name for path in tmp_path.iterdir()] == ["spool.db"]


@pytest.mark.slow
def test_what_was_acknowledged_is_delivered_once_fifty_times(humanloop: Humanloop, tmp_path: Path) -> None:
    rounds(50, humanloop, tmp_path / "spool.db")

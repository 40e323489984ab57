"""More than can be delivered, and longer: memory stays bounded, senders are told, nothing acknowledged is lost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from humanloop import Humanloop
from support_bridge import Process, bridge_process
from support_otlp import CHAT, PROTOBUF, body, hexadecimal, span, until

from otel_humanloop.bridge.bodies import MAX_BODY
from otel_humanloop.bridge.door import MAX_IN_FLIGHT, Door
from otel_humanloop.bridge.keeper import Keeper
from otel_humanloop.bridge.metrics import Metrics
from otel_humanloop.errors import SpoolFull
from otel_humanloop.settings import load
from otel_humanloop.spans import Span

LARGE = {**CHAT, "gen_ai.output.messages": "x" * 20_000}


def memory(process: Process) -> int:
    """Bytes of a process that are in memory."""
    status = Path(f"/proc/{process.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read where Linux tells it")
def test_under_sustained_overload_memory_is_bounded_and_what_was_acknowledged_is_kept(
    humanloop: Humanloop, tmp_path: Path
) -> None:
    spool = tmp_path / "spool.db"
    bound = 4 * 1024 * 1024
    acknowledged: list[int] = []
    refused: list[str] = []
    with bridge_process(
        "http://127.0.0.1:1/v4", spool, HUMANLOOP_MAX_BYTES=str(bound), HUMANLOOP_SHUTDOWN_TIMEOUT="0.1"
    ) as bridge:
        before = memory(bridge)

        def send(number: int) -> None:
            spans = [span(number, number * 10 + place, None, LARGE) for place in range(10)]
            url = f"{bridge.urls['http']}/v1/traces"
            answer = client.post(url, content=body(*spans), headers=PROTOBUF)
            if answer.status_code == 200:
                acknowledged.append(number)
            else:
                assert answer.status_code == 429
                refused.append(answer.headers["retry-after"])

        with httpx.Client(trust_env=False, timeout=30) as client, ThreadPoolExecutor(8) as senders:
            list(senders.map(send, range(1, 81)))
        assert len(acknowledged) * 10 * 20_000 < bound
        assert len(refused) > len(acknowledged) > 10
        assert memory(bridge) - before < 20 * bound
        bridge.end()
    with bridge_process(humanloop.base_url, spool) as bridge:
        until(lambda: not bridge.metric("otel_humanloop_spool_spans"), 60)
    logs = {log["reference_id"] for log in humanloop.logs()}
    assert logs == {hexadecimal(number * 10 + place) for number in acknowledged for place in range(10)}


def a_keeper(tmp_path: Path, **settings: Any) -> Keeper:
    given = {"base_url": "http://127.0.0.1:1/v4", "spool": f"sqlite:///{tmp_path}/spool.db", **settings}
    return Keeper(load(given, {}))


def test_only_so_many_bytes_are_in_flight_but_one_request_always_is(tmp_path: Path) -> None:
    keeper = a_keeper(tmp_path)
    door = Door(keeper, Metrics(keeper))
    with door.room(MAX_IN_FLIGHT - 1) as first, door.room(MAX_BODY) as second, door.room(1) as third:
        assert (first, second, third) == (True, False, True)
    with door.room(10 * MAX_IN_FLIGHT) as alone:
        assert alone
    with door.room(MAX_IN_FLIGHT) as again:
        assert again
    keeper.shutdown(0)


def test_of_those_who_come_at_once_some_find_room_where_all_would_not(tmp_path: Path) -> None:
    keeper = a_keeper(tmp_path, max_spans=5)
    ready = threading.Barrier(8)

    def keep(number: int) -> bool:
        ready.wait()
        spans = [Span(trace_id=f"{number:032x}", span_id=f"{place:016x}") for place in range(2)]
        try:
            keeper.keep(spans)
        except SpoolFull:
            return False
        return True

    with ThreadPoolExecutor(8) as senders:
        kept = list(senders.map(keep, range(8)))
    assert sum(kept) == 2
    assert keeper.spans == 4
    keeper.shutdown(0)

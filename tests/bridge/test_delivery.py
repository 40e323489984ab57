"""From what was sent to a bridge, in whatever order and pieces, to the sessions Humanloop has."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from humanloop import Humanloop
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from support_otlp import AGENT, BARE_CHAT, CHAT, HTTP, PROTOBUF, body, hexadecimal, span, until

from otel_humanloop.bridge.service import RunningBridge

Tree = dict[str, str | None]


def send(bridge: RunningBridge, *spans: dict[str, Any]) -> None:
    answer = httpx.post(f"{bridge.url('http')}/v1/traces", content=body(*spans), headers=PROTOBUF, trust_env=False)
    assert answer.status_code == 200


def delivered(bridge: RunningBridge) -> None:
    until(lambda: not bridge.keeper.spans)


def trees(humanloop: Humanloop) -> dict[str, Tree]:
    """Of each session the reference ids of its logs, with that of the log each hangs under."""
    found: dict[str, Tree] = {}
    for session in humanloop.sessions():
        logs = humanloop.logs(session)
        names = {log["id"]: log["reference_id"] for log in logs}
        found[session["reference_id"]] = {
            log["reference_id"]: names[log["parent_id"]] if log.get("parent_id") else None for log in logs
        }
    return found


def a_trace(trace: int) -> list[dict[str, Any]]:
    """An agent that calls a model through infrastructure, and a tool that calls one too."""
    first = trace * 100
    return [
        span(trace, first, None, AGENT),
        span(trace, first + 1, first, HTTP),
        span(trace, first + 2, first + 1, CHAT),
        span(trace, first + 3, first, {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}),
        span(trace, first + 4, first + 3, {"step": "inside"}),
        span(trace, first + 5, first + 4, CHAT),
    ]


def the_tree(trace: int) -> Tree:
    first = trace * 100
    ids = {offset: hexadecimal(first + offset) for offset in range(6)}
    return {ids[0]: None, ids[2]: ids[0], ids[3]: ids[0], ids[4]: ids[3], ids[5]: ids[4]}


def expected(numbers: range) -> dict[str, Tree]:
    return {f"{trace:032x}": the_tree(trace) for trace in numbers}


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_duplicated_and_split_over_ten_senders_the_sessions_are_the_same(
    seed: int, bridges: Any, humanloop: Humanloop
) -> None:
    chance = random.Random(seed)
    spans = [each for trace in range(1, 21) for each in a_trace(trace)]
    spans += chance.sample(spans, 40)
    chance.shuffle(spans)
    batches = [spans[start : start + 7] for start in range(0, len(spans), 7)]
    with bridges(hold=5) as bridge, ThreadPoolExecutor(10) as senders:
        list(senders.map(lambda batch: send(bridge, *batch), batches))
        delivered(bridge)
    assert trees(humanloop) == expected(range(1, 21))
    sent = [log["reference_id"] for logs in humanloop.posts() for log in logs]
    assert len(sent) == len(set(sent))


def test_the_root_may_come_last(bridges: Any, humanloop: Humanloop) -> None:
    with bridges(hold=30) as bridge:
        for each in reversed(a_trace(1)):
            send(bridge, each)
        delivered(bridge)
    assert trees(humanloop) == expected(range(1, 2))


def test_the_root_may_never_come_and_its_children_are_there_after_the_hold(
    bridge: RunningBridge, humanloop: Humanloop
) -> None:
    send(bridge, *a_trace(1)[1:])
    delivered(bridge)
    logs = {log["reference_id"]: log for log in humanloop.logs()}
    assert len(logs) == 4
    assert logs[hexadecimal(102)]["parent_reference_id"] == hexadecimal(100)
    send(bridge, a_trace(1)[0])
    until(lambda: len(humanloop.logs()) == 5)
    assert trees(humanloop) == expected(range(1, 2))


def test_spans_after_a_restart_find_their_place(bridges: Any, humanloop: Humanloop) -> None:
    """Below infrastructure, below a session's name and below a span delivered before, all of them gone by then."""
    named = {**AGENT, "humanloop.session": "s-1"}
    with bridges() as bridge:
        send(bridge, span(1, 1, None, named), span(1, 2, 1, HTTP), span(1, 3, 1, CHAT))
        delivered(bridge)
    with bridges(hold=30) as bridge:
        send(bridge, span(1, 4, 2, CHAT), span(1, 5, 4, {"step": "after"}), span(1, 3, 1, CHAT))
        delivered(bridge)
    assert trees(humanloop) == {
        "s-1": {
            hexadecimal(1): None,
            hexadecimal(3): hexadecimal(1),
            hexadecimal(4): hexadecimal(1),
            hexadecimal(5): hexadecimal(4),
        }
    }
    sent = [log["reference_id"] for logs in humanloop.posts() for log in logs]
    assert len(sent) == len(set(sent))


def test_what_could_not_be_delivered_is_after_a_restart(bridges: Any, humanloop: Humanloop) -> None:
    with bridges(base_url="http://127.0.0.1:1/v4", shutdown_timeout=0.1) as bridge:
        for trace in range(1, 6):
            send(bridge, *a_trace(trace))
        assert bridge.keeper.spans
    with bridges() as bridge:
        delivered(bridge)
    assert trees(humanloop) == expected(range(1, 6))


def test_a_humanloop_that_fails_in_every_way_gets_each_log_once_and_parents_first(
    bridge: RunningBridge, humanloop: Humanloop
) -> None:
    # The first wave is the eight roots: a body of several that is too large, or not understood, is halved.
    humanloop.answers += [503, 413, 422, 500]
    send(bridge, *(each for trace in range(1, 9) for each in a_trace(trace)))
    delivered(bridge)
    assert trees(humanloop) == expected(range(1, 9))


def test_what_humanloop_refuses_is_remembered_with_its_reason_and_its_siblings_go_through(
    bridge: RunningBridge, humanloop: Humanloop
) -> None:
    humanloop.answers += [422, 422]  # the wave of two, then its first half
    send(bridge, span(1, 1), span(2, 2))
    delivered(bridge)
    assert len(humanloop.logs()) == 1
    assert bridge.keeper.counts.refused == 1


@pytest.mark.parametrize("spool", ["sqlite", "memory"])
def test_what_is_turned_away_for_a_wrong_key_is_kept_until_the_key_is_right(
    spool: str, bridges: Any, humanloop: Humanloop
) -> None:
    humanloop.answers += [401]
    kept = {"spool": "memory:"} if spool == "memory" else {}
    with bridges(**kept) as bridge:
        send(bridge, *a_trace(1))
        until(lambda: bridge.keeper.sender.last_error)
        assert "HUMANLOOP_API_KEY" in str(bridge.keeper.sender.last_error)
        delivered(bridge)
        assert bridge.keeper.counts.refused == 0
    assert trees(humanloop) == expected(range(1, 2))


def records(trace: int, number: int, *events: tuple[str, dict[str, str]]) -> bytes:
    message = ExportLogsServiceRequest()
    scope_logs = message.resource_logs.add().scope_logs.add()
    for place, (name, said) in enumerate(events):
        record = scope_logs.log_records.add(
            trace_id=trace.to_bytes(16, "big"),
            span_id=number.to_bytes(8, "big"),
            event_name=name,
            time_unix_nano=1_700_000_000_000_000_000 + place,
        )
        for key, value in said.items():
            record.body.kvlist_value.values.add(key=key).value.string_value = value
    return message.SerializeToString()


ASKED = ("gen_ai.user.message", {"content": "Hi", "role": "user"})


def send_records(bridge: RunningBridge, content: bytes) -> None:
    answer = httpx.post(f"{bridge.url('http')}/v1/logs", content=content, headers=PROTOBUF, trust_env=False)
    assert answer.status_code == 200


@pytest.mark.parametrize("case", ["record first", "span first", "a restart between"])
def test_a_log_record_and_its_span_meet_whichever_comes_first(case: str, bridges: Any, humanloop: Humanloop) -> None:
    bare = span(1, 2, attributes=BARE_CHAT)
    with bridges(hold=20) as bridge:
        if case == "span first":
            send(bridge, bare)
            send_records(bridge, records(1, 2, ASKED))
            delivered(bridge)
        else:
            send_records(bridge, records(1, 2, ASKED))
        if case == "record first":
            send(bridge, bare)
            delivered(bridge)
    if case == "a restart between":
        with bridges(hold=20) as bridge:
            send(bridge, bare)
            delivered(bridge)
    (log,) = humanloop.logs()
    assert log["reference_id"] == hexadecimal(2)
    assert "Hi" in json.dumps(log), "what the record says is on the log"


def test_a_call_whose_records_never_come_is_logged_after_the_hold(bridge: RunningBridge, humanloop: Humanloop) -> None:
    send(bridge, span(1, 2, attributes=BARE_CHAT))
    delivered(bridge)
    assert len(humanloop.logs()) == 1


def test_records_of_no_span_and_of_other_events_are_passed_over(bridge: RunningBridge, humanloop: Humanloop) -> None:
    message = ExportLogsServiceRequest()
    message.resource_logs.add().scope_logs.add().log_records.add(severity_text="INFO").body.string_value = "started"
    send_records(bridge, message.SerializeToString())
    send_records(bridge, records(1, 2, ("app.started", {})))
    send(bridge, span(1, 2, attributes=CHAT))
    delivered(bridge)
    assert "app.started" not in json.dumps(humanloop.logs())


def test_a_trace_that_comes_to_two_bridges_is_one_session(bridges: Any, humanloop: Humanloop, tmp_path: Path) -> None:
    """The second has not seen what the first has: Humanloop links the logs when both are there."""
    with (
        bridges(spool=f"sqlite:///{tmp_path}/1.db") as first,
        bridges(spool=f"sqlite:///{tmp_path}/2.db") as second,
    ):
        send(second, span(1, 3, 2, CHAT), span(1, 4, 3, {"gen_ai.operation.name": "execute_tool"}))
        delivered(second)
        send(first, span(1, 1, None, AGENT), span(1, 2, 1, {"gen_ai.operation.name": "execute_tool"}))
        delivered(first)
    ids = [hexadecimal(number) for number in range(5)]
    assert trees(humanloop) == {f"{1:032x}": {ids[1]: None, ids[2]: ids[1], ids[3]: ids[2], ids[4]: ids[3]}}

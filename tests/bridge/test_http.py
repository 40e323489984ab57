"""OTLP/HTTP as the specification and the Collector's exporter have it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import json
import socket
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard
from google.protobuf.json_format import MessageToDict
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from humanloop import Humanloop
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from support_otlp import JSON, PROTOBUF, body, request, span, until

from otel_humanloop.bridge import bodies
from otel_humanloop.bridge.door import RETRY_FULL
from otel_humanloop.bridge.receivers.http import read_body
from otel_humanloop.bridge.service import RunningBridge


@pytest.fixture
def http(bridge: RunningBridge) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=bridge.url("http"), trust_env=False) as client:
        yield client


def raw_deflate(data: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return squeeze.compress(data) + squeeze.flush()


COMPRESSIONS: dict[str, tuple[str | None, Callable[[bytes], bytes]]] = {
    "none": (None, bytes),
    "identity": ("identity", bytes),
    "gzip": ("gzip", gzip.compress),
    "gzip in two members": ("gzip", lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "zstd": ("zstd", zstandard.compress),
}


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_request_is_taken_however_it_is_compressed(
    compression: str, http: httpx.Client, humanloop: Humanloop
) -> None:
    name, compress = COMPRESSIONS[compression]
    headers = {**PROTOBUF, **({"content-encoding": name} if name else {})}
    answer = http.post("/v1/traces", content=compress(body(span(1, 2))), headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")
    assert [log["project"] for log in until(humanloop.logs)] == ["shop"]


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "application/x-protobuf"])
def test_the_answers_type_is_the_requests_without_parameters(kind: str, http: httpx.Client) -> None:
    answer = http.post("/v1/traces", content=b"{}" if "json" in kind else b"", headers={"content-type": kind})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind.partition(";")[0]
    assert answer.content == (b"{}" if "json" in kind else b"")


def test_a_body_without_a_length_is_taken(http: httpx.Client, humanloop: Humanloop) -> None:
    whole = body(span(1, 2))
    assert http.post("/v1/traces", content=iter([whole[:5], whole[5:]]), headers=PROTOBUF).status_code == 200
    assert until(humanloop.logs)


def test_ids_in_base64_are_taken_where_old_sdks_send_them(http: httpx.Client, humanloop: Humanloop) -> None:
    written = json.dumps(MessageToDict(request([span(1, 2)])))
    assert base64.b64encode((2).to_bytes(8, "big")).decode() in written
    assert http.post("/import/otel/v1/traces", content=written, headers=JSON).status_code == 200
    assert [log["reference_id"] for log in until(humanloop.logs)] == [f"{2:016x}"]


def test_metrics_are_taken_and_ignored(http: httpx.Client, humanloop: Humanloop) -> None:
    answer = http.post("/v1/metrics", content=b"\x0a\x00", headers=PROTOBUF)
    assert answer.status_code == 200
    assert ExportMetricsServiceResponse.FromString(answer.content) == ExportMetricsServiceResponse()
    assert humanloop.requests == []


@pytest.mark.parametrize("headers", [PROTOBUF, JSON])
def test_what_is_no_span_is_counted_in_a_partial_success(
    headers: dict[str, str], http: httpx.Client, humanloop: Humanloop
) -> None:
    message = request([span(1, 2), {**span(1, 3), "span_id": b"abc"}])
    content = message.SerializeToString() if headers is PROTOBUF else json.dumps(MessageToDict(message)).encode()
    answer = http.post("/v1/traces", content=content, headers=headers)
    assert answer.status_code == 200
    if headers is PROTOBUF:
        partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
        assert (partial.rejected_spans, "span_id" in partial.error_message) == (1, True)
    else:
        assert answer.json()["partialSuccess"]["rejectedSpans"] == "1"
    assert len(until(humanloop.logs)) == 1


def test_what_is_no_log_record_is_counted_likewise(http: httpx.Client) -> None:
    message = ExportLogsServiceRequest()
    message.resource_logs.add().scope_logs.add().log_records.add(trace_id=b"short")
    answer = http.post("/v1/logs", content=message.SerializeToString(), headers=PROTOBUF)
    assert ExportLogsServiceResponse.FromString(answer.content).partial_success.rejected_log_records == 1


BAD = {
    "not protobuf": (400, PROTOBUF, b"\xff\xff\xff"),
    "not json": (400, JSON, b"{"),
    "another json": (400, JSON, b'{"resourceSpans": 3}'),
    "nested without end": (400, JSON, b'{"resourceSpans":' + b"[" * 100_000),
    "not gzip": (400, {**PROTOBUF, "content-encoding": "gzip"}, b"plain"),
    "half of gzip": (400, {**PROTOBUF, "content-encoding": "gzip"}, gzip.compress(bytes(1000))[:20]),
    "not zstd": (400, {**PROTOBUF, "content-encoding": "zstd"}, b"plain"),
    "unknown compression": (415, {**PROTOBUF, "content-encoding": "snappy"}, b""),
    "unknown type": (415, {"content-type": "text/plain"}, b""),
    "no type": (415, {}, b""),
}


@pytest.mark.parametrize("case", BAD)
def test_what_will_never_be_taken_is_answered_so(case: str, http: httpx.Client) -> None:
    status, headers, content = BAD[case]
    answer = http.post("/v1/traces", content=content, headers=headers)
    assert answer.status_code == status
    assert "retry-after" not in answer.headers
    if answer.headers["content-type"] == "application/json":
        assert answer.json()["message"]
    else:
        assert Status.FromString(answer.content).message


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_small_body_that_unfolds_into_a_huge_one_is_too_large(encoding: str, http: httpx.Client) -> None:
    huge = bytes(bodies.MAX_BODY + 1)
    content = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress}[encoding](huge)
    assert len(content) < 100_000
    answer = http.post("/v1/traces", content=content, headers={**PROTOBUF, "content-encoding": encoding})
    assert answer.status_code == 413


def test_a_length_beyond_the_bound_is_refused_before_the_body_comes(bridge: RunningBridge) -> None:
    host, port = bridge.url("http").removeprefix("http://").split(":")
    head = f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: {1 << 40}"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode() + b"\r\n\r\n")
        assert b" 413 " in connection.recv(1000)


def test_paths_and_methods_there_are_not(http: httpx.Client) -> None:
    assert http.get("/v1/traces").status_code == 405
    assert http.post("/readyz").status_code == 405
    assert http.post("/v2/traces").status_code == 404


def test_only_who_shows_a_token_may_send(bridges: Any) -> None:
    with bridges(tokens=("one", "two")) as bridge, httpx.Client(base_url=bridge.url("http"), trust_env=False) as http:
        for shown in (None, "Bearer three", "Basic one", "one", "Bearer"):
            headers = {**PROTOBUF, **({"authorization": shown} if shown else {})}
            assert http.post("/v1/traces", content=b"", headers=headers).status_code == 401
        for shown in ("Bearer one", "bearer two"):
            answer = http.post("/v1/traces", content=b"", headers={**PROTOBUF, "authorization": shown})
            assert answer.status_code == 200
        assert http.get("/readyz").status_code == http.get("/healthz").status_code == 200


def test_while_the_spool_is_full_senders_are_asked_to_come_again(bridges: Any) -> None:
    with (
        bridges(max_spans=3, base_url="http://127.0.0.1:1/v4", shutdown_timeout=0.1) as bridge,
        httpx.Client(base_url=bridge.url("http"), trust_env=False) as http,
    ):
        assert http.post("/v1/traces", content=body(span(1, 2), span(1, 3)), headers=PROTOBUF).status_code == 200
        assert http.get("/readyz").status_code == 200
        answer = http.post("/v1/traces", content=body(span(1, 4), span(1, 5)), headers=PROTOBUF)
        assert (answer.status_code, int(answer.headers["retry-after"])) == (429, RETRY_FULL)
        info = RetryInfo()
        assert Status.FromString(answer.content).details[0].Unpack(info)
        assert info.retry_delay.seconds == int(answer.headers["retry-after"])
        assert http.get("/readyz").status_code == 503
        assert bridge.keeper.spans == 2
        assert http.post("/v1/traces", content=body(span(1, 4)), headers=PROTOBUF).status_code == 200
        assert http.get("/readyz").status_code == 200
        never = http.post("/v1/traces", content=body(*(span(2, n) for n in range(1, 5))), headers=PROTOBUF)
        assert never.status_code == 413


def test_a_bridge_that_was_full_is_ready_once_it_has_room_though_nobody_sends(
    bridges: Any, humanloop: Humanloop
) -> None:
    humanloop.answers += [503]
    with (
        bridges(max_spans=2) as bridge,
        httpx.Client(base_url=bridge.url("http"), trust_env=False) as http,
    ):
        assert http.post("/v1/traces", content=body(span(1, 2)), headers=PROTOBUF).status_code == 200
        assert http.post("/v1/traces", content=body(span(1, 3), span(1, 4)), headers=PROTOBUF).status_code == 429
        assert http.get("/readyz").status_code == 503
        until(lambda: http.get("/readyz").status_code == 200)
        assert bridge.keeper.spans == 0


def test_a_disk_that_cannot_be_written_is_a_shortage_and_not_the_senders_fault(
    bridge: RunningBridge, tmp_path: Path
) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "spool.db")) as database:
        database.execute("DROP TABLE contents")
    answer = httpx.post(f"{bridge.url('http')}/v1/traces", content=body(span(1, 2)), headers=PROTOBUF, trust_env=False)
    assert answer.status_code in (429, 503)
    assert "retry-after" in answer.headers


def test_metrics_tell_what_went_on(bridge: RunningBridge, http: httpx.Client, humanloop: Humanloop) -> None:
    http.post("/v1/traces", content=body(span(1, 2), {**span(1, 3), "span_id": b"abc"}), headers=PROTOBUF)
    http.post("/v1/traces", content=b"\xff", headers=PROTOBUF)
    until(lambda: not bridge.keeper.spans and humanloop.logs())
    text = until(lambda: text if "seconds_count 1.0" in (text := http.get("/metrics").text) else "")
    for line in (
        'otel_humanloop_requests_total{code="ok",receiver="http",signal="traces"} 1.0',
        'otel_humanloop_requests_total{code="invalid",receiver="http",signal="traces"} 1.0',
        'otel_humanloop_received_spans_total{receiver="http"} 1.0',
        'otel_humanloop_rejected_spans_total{receiver="http"} 1.0',
        "otel_humanloop_sent_logs_total 1.0",
        "otel_humanloop_spool_spans 0.0",
        "otel_humanloop_held_spans 0.0",
    ):
        assert line in text.splitlines()


def number(text: str, line: str) -> float:
    """The value of a metric, by its name with labels."""
    (value,) = (each.rpartition(" ")[2] for each in text.splitlines() if each.startswith(f"{line} "))
    return float(value)


def test_every_answer_is_counted_wherever_it_was_decided(bridges: Any) -> None:
    with (
        bridges(tokens=("one",)) as bridge,
        httpx.Client(base_url=bridge.url("http"), trust_env=False) as http,
    ):
        counted = 'otel_humanloop_requests_total{{code="{}",receiver="http",signal="traces"}}'
        codes = ("ok", "invalid", "unauthenticated", "too_large", "unsupported", "full", "unavailable")
        before = http.get("/metrics").text
        assert [number(before, counted.format(code)) for code in codes] == [0] * 7
        known = {**PROTOBUF, "authorization": "Bearer one"}
        http.post("/v1/traces", content=b"", headers=PROTOBUF)
        http.post("/v1/traces", content=b"", headers=known)
        http.post("/v1/traces", content=b"\xff", headers=known)
        http.post("/v1/traces", content=b"", headers={**known, "content-encoding": "snappy"})
        http.post("/v1/traces", content=bytes(bodies.MAX_BODY + 1), headers=known)
        after = http.get("/metrics").text
        assert [number(after, counted.format(code)) for code in codes] == [1, 1, 1, 1, 1, 0, 0]
        assert "_created" not in after


def test_metrics_tell_how_full_it_is_and_whether_humanloop_takes_anything(bridges: Any, humanloop: Humanloop) -> None:
    humanloop.answers += [503]
    with (
        bridges(max_spans=10, max_bytes=1_000_000) as bridge,
        httpx.Client(base_url=bridge.url("http"), trust_env=False) as http,
    ):
        assert number(http.get("/metrics").text, "otel_humanloop_delivery_up") == 1
        http.post("/v1/traces", content=body(span(1, 2)), headers=PROTOBUF)
        text = until(lambda: text if "delivery_up 0.0" in (text := http.get("/metrics").text) else "")
        for line, value in (
            ("otel_humanloop_spool_spans", 1),
            ("otel_humanloop_spool_max_spans", 10),
            ("otel_humanloop_spool_max_bytes", 1_000_000),
            ("otel_humanloop_retried_requests_total", 1),
            ('otel_humanloop_dropped_spans_total{reason="shutdown"}', 0),
        ):
            assert number(text, line) == value
        until(lambda: "delivery_up 1.0" in http.get("/metrics").text)
        assert f'otel_humanloop_build_info{{version="{version("otel-humanloop")}"}} 1.0' in text
        if Path("/proc/self/stat").exists():  # what Prometheus's client reads there is to be had on Linux only
            assert number(text, "process_resident_memory_bytes") > 1_000_000


def test_whoever_asks_whether_it_is_ready_is_told_no_reason_that_may_quote_a_log(
    bridges: Any, humanloop: Humanloop
) -> None:
    humanloop.answers += [422]
    with bridges() as bridge, httpx.Client(base_url=bridge.url("http"), trust_env=False) as http:
        assert http.get("/readyz").json() == {"ready": True, "delivery": "ok", "spans": 0}
        http.post("/v1/traces", content=body(span(1, 2)), headers=PROTOBUF)
        until(lambda: bridge.keeper.counts.refused and not bridge.keeper.spans)
        told = http.get("/readyz").json()
        assert told["delivery"] == "Humanloop answered 422; the bridge's own log says more"
    with bridges(base_url="http://127.0.0.1:1/v4", shutdown_timeout=0.1) as bridge:
        http_url = bridge.url("http")
        httpx.post(f"{http_url}/v1/traces", content=body(span(1, 3)), headers=PROTOBUF, trust_env=False)
        until(lambda: bridge.keeper.sender.last_error)
        told = httpx.get(f"{http_url}/readyz", trust_env=False).json()
        assert told == {"ready": True, "delivery": "nothing listens at 127.0.0.1:1", "spans": 1}


@pytest.mark.slow
def test_the_biggest_batch_of_a_collector_is_taken_whole(bridge: RunningBridge, http: httpx.Client) -> None:
    message = ExportTraceServiceRequest()
    message.CopyFrom(request(span(1 + number // 8, 1 + number) for number in range(8192)))
    answer = http.post("/v1/traces", content=message.SerializeToString(), headers=PROTOBUF, timeout=30)
    assert answer.status_code == 200
    until(lambda: not bridge.keeper.spans, 60)
    assert bridge.keeper.counts.sent == 8192


def test_a_body_is_put_together_of_its_parts() -> None:
    parts = [b"a", b"", b"b", b"c"]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    assert asyncio.run(read_body(receive)) == b"abc"


def test_a_body_that_stops_coming_is_not_waited_for() -> None:
    given_up: list[bool] = []

    async def receive() -> dict[str, Any]:
        if not given_up:
            given_up.append(False)
            return {"type": "http.request", "body": b"a", "more_body": True}
        try:
            return await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            given_up[0] = True
            raise

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(read_body(receive, patience=0.01))
    assert given_up == [True], "nothing goes on waiting"


def test_a_sender_that_goes_away_leaves_no_body() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(ConnectionResetError):
        asyncio.run(read_body(receive))

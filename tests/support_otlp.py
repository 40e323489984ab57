"""OTLP requests made by hand: spans of which only their place in a trace matters."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}

CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
}
BARE_CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Agent"}
HTTP = {"http.request.method": "POST"}

ResultT = TypeVar("ResultT")


def span(trace: int, number: int, parent: int | None = None, attributes: dict[str, str] = CHAT) -> dict[str, Any]:
    """A span, by numbers for ids."""
    return {
        "trace_id": trace.to_bytes(16, "big"),
        "span_id": number.to_bytes(8, "big"),
        "parent_span_id": parent.to_bytes(8, "big") if parent is not None else b"",
        "name": f"span {number}",
        "start_time_unix_nano": 1_700_000_000_000_000_000 + number,
        "end_time_unix_nano": 1_700_000_001_000_000_000 + number,
        "attributes": [KeyValue(key=key, value={"string_value": value}) for key, value in attributes.items()],
    }


def request(spans: Iterable[dict[str, Any]]) -> ExportTraceServiceRequest:
    """All of them in one request, from a service named `shop`."""
    message = ExportTraceServiceRequest()
    resource_spans = message.resource_spans.add()
    resource_spans.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "by.hand"
    for each in spans:
        scope_spans.spans.add(**each)
    return message


def body(*spans: dict[str, Any]) -> bytes:
    return request(spans).SerializeToString()


def hexadecimal(number: int) -> str:
    """A span's id as Humanloop has it."""
    return f"{number:016x}"


def until(condition: Callable[[], ResultT], seconds: float = 60.0) -> ResultT:
    """The condition's value, once it is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "did not come about"
        threading.Event().wait(0.01)
    return value

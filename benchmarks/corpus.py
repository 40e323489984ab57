"""The captured spans of `tests/corpus` as a load: what real instrumentations wrote, of many kinds and mostly small.

Runs in every peer's environment, as `load.py` does: of the OpenTelemetry SDK alone.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

FOLDER = Path(__file__).parents[1] / "tests" / "corpus"

_MADE_OF_IT = (".operation.json", ".sent.json", ".logs.json")


def files() -> list[Path]:
    """Every captured file of spans."""
    return sorted(path for path in FOLDER.rglob("*.json") if not path.name.endswith(_MADE_OF_IT))


def finished(copies: int, seed: int) -> list[ReadableSpan]:
    """All captured spans, so many times over, each time and for each seed under other ids."""
    return [span for copy in range(copies) for span in _spans(seed << 32 | (copy + 1) << 16)]


def logs() -> int:
    """How many logs Humanloop is sent of all captured spans: those that the reviewed files beside them hold."""
    waves = (wave for path in files() for wave in json.loads(path.with_name(f"{path.stem}.sent.json").read_text()))
    return len({(log["session_reference_id"], log["reference_id"]) for wave in waves for log in wave})


def _spans(other: int) -> Iterator[ReadableSpan]:
    for request in _requests():
        for group in request["resourceSpans"]:
            resource = Resource(
                _attributes(group.get("resource", {}).get("attributes", ())), group.get("schemaUrl") or None
            )
            for each in group["scopeSpans"]:
                said = each.get("scope", {})
                about = _attributes(said.get("attributes", ()))
                scope = InstrumentationScope(
                    said.get("name", ""), said.get("version"), each.get("schemaUrl") or None, about
                )
                for span in each["spans"]:
                    yield _span(span, resource, scope, other)


@cache
def _requests() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in files()]


def _span(span: dict[str, Any], resource: Resource, scope: InstrumentationScope, other: int) -> ReadableSpan:
    above = span.get("parentSpanId")
    status = span.get("status", {})
    return ReadableSpan(
        name=span["name"],
        context=_context(span["traceId"], span["spanId"], other),
        parent=_context(span["traceId"], above, other) if above else None,
        resource=resource,
        attributes=_attributes(span.get("attributes", ())),
        events=[
            Event(event["name"], _attributes(event.get("attributes", ())), int(event["timeUnixNano"]))
            for event in span.get("events", ())
        ],
        links=[
            Link(_context(link["traceId"], link["spanId"], other), _attributes(link.get("attributes", ())))
            for link in span.get("links", ())
        ],
        kind=list(SpanKind)[max(span.get("kind", 1) - 1, 0)],  # the SDK's begin with internal, which OTLP calls 1
        status=Status(StatusCode(status.get("code", 0)), status.get("message") or None),
        start_time=int(span["startTimeUnixNano"]),
        end_time=int(span["endTimeUnixNano"]),
        instrumentation_scope=scope,
    )


def _context(trace_id: str, span_id: str, other: int) -> SpanContext:
    return SpanContext(int(trace_id, 16) ^ other, int(span_id, 16) ^ other, False, TraceFlags(1))


def _attributes(pairs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: _value(pair["value"]) for pair in pairs}


def _value(value: dict[str, Any]) -> Any:
    ((kind, said),) = value.items() or [("stringValue", "")]
    if kind == "intValue":
        return int(said)
    if kind == "arrayValue":
        return [_value(each) for each in said.get("values", ())]
    if kind == "bytesValue":
        return base64.b64decode(said)
    return said

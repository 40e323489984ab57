"""Spans as published keys say they are, and what they are read as."""

from __future__ import annotations

import json
from typing import Any

from otel_humanloop.operation import Message, Operation, Part
from otel_humanloop.reading import read
from otel_humanloop.spans import Event, Scope, Span, Status, StatusCode

PARIS = '{"city":"Paris"}'


def operation(
    attributes: dict[str, Any],
    *,
    scope: str = "x",
    name: str = "x",
    events: tuple[Event, ...] = (),
    failed: bool = False,
) -> Operation:
    """What such a span is read as; objects and arrays among the values are written as JSON text."""
    plain = {
        key: json.dumps(value, separators=(",", ":")) if isinstance(value, (dict, list)) else value
        for key, value in attributes.items()
    }
    span = Span(
        trace_id="1" * 32,
        span_id="2" * 16,
        name=name,
        attributes=plain,
        scope=Scope(name=scope),
        events=events,
        status=Status(code=StatusCode.ERROR if failed else StatusCode.UNSET),
    )
    return read(span).operation


def said(role: str, *parts: Part, finish_reason: str | None = None) -> Message:
    return Message(role=role, parts=parts, finish_reason=finish_reason)

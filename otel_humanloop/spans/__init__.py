"""Stage 1: a span comes in, from anywhere, as one `Span`.

`sdk.py` makes it of the SDK's `ReadableSpan`, `otlp.py` of OTLP bytes. Log records, in which some instrumentations
put what was said, come in the same way as one `LogRecord`. Whatever differs between the two doors is settled there
and nowhere else: ids are lowercase hex, an absent parent is `None`, times are integer nanoseconds
since the epoch, attribute values are plain Python (sequences as lists, maps as dicts).

The records know nothing of those who hold them, so no circle can close through one: Python's collector of circles
need not look at them (`gc=False`), which it would do for thousands at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import msgspec

Value = Any
"""An attribute's value: str, bool, int, float, bytes, None, or a list or dict of these."""

Attributes = Mapping[str, Value]

SpanKey = tuple[str, str]
"""A span among all spans: its trace id and its span id."""


class SpanKind(IntEnum):
    """OTLP's numbers for the kinds of span."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class StatusCode(IntEnum):
    """OTLP's numbers for a span's status."""

    UNSET = 0
    OK = 1
    ERROR = 2


class Status(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a span ended; `message` is only said of errors."""

    code: StatusCode = StatusCode.UNSET
    message: str | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that happened during a span; `time_ns` in nanoseconds since the epoch."""

    name: str
    time_ns: int = 0
    attributes: Attributes = {}
    dropped_attributes: int = 0


class Link(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Another span this one has to do with, of this trace or another."""

    trace_id: str
    span_id: str
    attributes: Attributes = {}
    dropped_attributes: int = 0


class Resource(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What made the span: the service, its version, its host."""

    attributes: Attributes = {}


class Scope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The instrumentation scope: the library that made the span."""

    name: str = ""
    version: str | None = None
    schema_url: str | None = None
    attributes: Attributes = {}


class Span(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One finished or still open operation, as an instrumentation described it.

    Attributes:
        trace_id: 32 lowercase hex digits.
        span_id: 16 lowercase hex digits.
        parent_id: The parent's span id, or None for the root of its trace.
        parent_is_remote: The parent belongs to another process, so it is never seen in this one. False where
            that is not known.
        start_ns: Nanoseconds since the epoch.
        end_ns: The same; None while the span is open.
        dropped_attributes: How many attributes the SDK's limits evicted. Likewise for events and links.
    """

    trace_id: str
    span_id: str
    parent_id: str | None = None
    parent_is_remote: bool = False
    name: str = ""
    kind: SpanKind = SpanKind.UNSPECIFIED
    start_ns: int = 0
    end_ns: int | None = None
    attributes: Attributes = {}
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    status: Status = Status()
    resource: Resource = Resource()
    scope: Scope = Scope()
    dropped_attributes: int = 0
    dropped_events: int = 0
    dropped_links: int = 0


class LogRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record of a program's log. Those emitted within a span may tell what the span does not.

    Attributes:
        trace_id: 32 lowercase hex digits; None where it was emitted outside of any span.
        span_id: 16 lowercase hex digits, or None.
        event_name: The kind of event it is, or "" for a plain message.
        time_ns: Nanoseconds since the epoch; when it was observed where its source does not say when it was emitted.
        body: Text, or a value of any shape.
    """

    trace_id: str | None = None
    span_id: str | None = None
    event_name: str = ""
    time_ns: int = 0
    body: Value = None
    attributes: Attributes = {}
    resource: Resource = Resource()
    scope: Scope = Scope()


def event_name(stated: str | None, attributes: Attributes) -> str:
    """The name of the event a log record is: its own field, or the attribute that was its place until OTLP 1.5."""
    named = stated or attributes.get("event.name")
    return named if isinstance(named, str) else ""

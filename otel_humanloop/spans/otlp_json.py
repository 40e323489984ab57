"""Spans and log records from OTLP/JSON, as OTLP has it and as it is met with elsewhere.

OTLP writes ids in hex, int64 as text and enums as integers. Protobuf's own JSON mapping writes ids in base64 and enums
by name (old Humanloop SDKs do), and some write int64 as numbers. All of these are read.
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from otel_humanloop.errors import DecodeError
from otel_humanloop.spans import (
    Attributes,
    Event,
    Link,
    LogRecord,
    Resource,
    Scope,
    Span,
    SpanKind,
    Status,
    StatusCode,
    Value,
    event_name,
)
from otel_humanloop.spans import otlp_wire as wire
from otel_humanloop.spans.otlp_items import ItemT, WireT, made

_MAX_DEPTH = 100
_TRACE_ID_DIGITS = 32
_SPAN_ID_DIGITS = 16
_HAS_IS_REMOTE = 0x100
_IS_REMOTE = 0x200
_MAX_INT64_DIGITS = 20
_SPECIAL_DOUBLES = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

EnumT = TypeVar("EnumT", SpanKind, StatusCode)
RequestT = TypeVar("RequestT", wire.TraceRequest, wire.LogsRequest)


def spans_of(body: bytes) -> Iterator[Span | DecodeError]:
    """The spans of one `ExportTraceServiceRequest` in JSON, in its order; for one that is none, what it lacks.

    Raises:
        DecodeError: The bytes are not such a request. Names the field.
    """
    request = _parse(body, wire.TraceRequest)
    for group in request.resource_spans or ():
        for scoped in group.scope_spans or ():
            yield from _made(_span, scoped.spans or [], group.resource, scoped)


def records_of(body: bytes) -> Iterator[LogRecord | DecodeError]:
    """The log records of one `ExportLogsServiceRequest` in JSON, as `spans_of` has the spans."""
    request = _parse(body, wire.LogsRequest)
    for group in request.resource_logs or ():
        for scoped in group.scope_logs or ():
            yield from _made(_record, scoped.log_records or [], group.resource, scoped)


def _made(
    make: Callable[[WireT, Resource, Scope], ItemT],
    items: Sequence[WireT],
    resource: wire.Resource | None,
    scoped: wire.ScopeSpans | wire.ScopeLogs,
) -> Iterable[ItemT | DecodeError]:
    try:
        read = _resource(resource), _scope(scoped.scope, scoped.schema_url)
    except DecodeError as error:
        return [error] * len(items)
    return made(make, items, *read)


def _parse(body: bytes, kind: type[RequestT]) -> RequestT:
    try:
        return msgspec.json.decode(body, type=kind)
    except RecursionError as error:
        raise DecodeError("OTLP JSON is nested too deep") from error
    except msgspec.ValidationError as error:
        held = "spans" if kind is wire.TraceRequest else "log records"
        raise DecodeError(f"OTLP JSON does not hold {held}: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        whole = _without_lone_surrogates(body)
        if whole is None:
            raise DecodeError(f"not JSON: {error}") from error
        return _parse(whole, kind)


def _without_lone_surrogates(body: bytes) -> bytes | None:
    """The same JSON with `?` for each half of a surrogate pair, which JavaScript may leave where it cuts a text.

    None where the bytes have another fault.
    """
    if b"\\ud" not in body and b"\\uD" not in body:
        return None
    try:
        return json.dumps(json.loads(body), ensure_ascii=False).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        return None


def _resource(resource: wire.Resource | None) -> Resource:
    return Resource(attributes=_attributes(resource.attributes, "resource")) if resource is not None else Resource()


def _scope(described: wire.Scope | None, schema_url: str | None) -> Scope:
    scope = described or wire.Scope()
    return Scope(
        name=scope.name or "",
        version=scope.version or None,
        schema_url=schema_url or None,
        attributes=_attributes(scope.attributes, "scope"),
    )


def _span(span: wire.Span, resource: Resource, scope: Scope) -> Span:
    flags = span.flags or 0
    parent_id = _id(span.parent_span_id, _SPAN_ID_DIGITS, "parentSpanId")
    end_ns = _integer(span.end_time_unix_nano, "endTimeUnixNano")
    return Span(
        trace_id=_required(_id(span.trace_id, _TRACE_ID_DIGITS, "traceId"), "traceId"),
        span_id=_required(_id(span.span_id, _SPAN_ID_DIGITS, "spanId"), "spanId"),
        parent_id=parent_id,
        parent_is_remote=parent_id is not None and bool(flags & _HAS_IS_REMOTE) and bool(flags & _IS_REMOTE),
        name=span.name or "",
        kind=_enum(span.kind, SpanKind, "SPAN_KIND_", "kind"),
        start_ns=_integer(span.start_time_unix_nano, "startTimeUnixNano") or 0,
        end_ns=end_ns or None,
        attributes=_attributes(span.attributes, "span"),
        events=tuple(_event(event) for event in span.events or ()),
        links=tuple(_link(link) for link in span.links or ()),
        status=_status(span.status),
        resource=resource,
        scope=scope,
        dropped_attributes=span.dropped_attributes_count or 0,
        dropped_events=span.dropped_events_count or 0,
        dropped_links=span.dropped_links_count or 0,
    )


def _record(record: wire.LogRecord, resource: Resource, scope: Scope) -> LogRecord:
    emitted = _integer(record.time_unix_nano, "timeUnixNano")
    attributes = _attributes(record.attributes, "log record")
    return LogRecord(
        trace_id=_id(record.trace_id, _TRACE_ID_DIGITS, "traceId"),
        span_id=_id(record.span_id, _SPAN_ID_DIGITS, "spanId"),
        event_name=event_name(record.event_name, attributes),
        time_ns=emitted or _integer(record.observed_time_unix_nano, "observedTimeUnixNano") or 0,
        body=_plain(record.body, "log record body", 0),
        attributes=attributes,
        resource=resource,
        scope=scope,
    )


def _event(event: wire.Event) -> Event:
    return Event(
        name=event.name or "",
        time_ns=_integer(event.time_unix_nano, "timeUnixNano") or 0,
        attributes=_attributes(event.attributes, "event"),
        dropped_attributes=event.dropped_attributes_count or 0,
    )


def _link(link: wire.Link) -> Link:
    return Link(
        trace_id=_id(link.trace_id, _TRACE_ID_DIGITS, "traceId") or "",
        span_id=_id(link.span_id, _SPAN_ID_DIGITS, "spanId") or "",
        attributes=_attributes(link.attributes, "link"),
        dropped_attributes=link.dropped_attributes_count or 0,
    )


def _status(status: wire.Status | None) -> Status:
    if status is None:
        return Status()
    return Status(
        code=_enum(status.code, StatusCode, "STATUS_CODE_", "status.code"),
        message=status.message or None,
    )


def _required(value: str | None, field: str) -> str:
    if value is None:
        raise DecodeError(f"a span has no `{field}`")
    return value


def _id(text: str | None, digits: int, field: str) -> str | None:
    """Hex as OTLP/JSON has it, or base64 of the same bytes; None for the empty one and for zeros."""
    if not text:
        return None
    if len(text) == digits:
        hexadecimal = text.lower()
        if all(digit in "0123456789abcdef" for digit in hexadecimal):
            return hexadecimal if hexadecimal.strip("0") else None
    else:
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) * 2 == digits:
            return raw.hex() if any(raw) else None
    raise DecodeError(f"`{field}` is `{text[:64]}`, but must be {digits} hex digits")


def _integer(value: int | str | None, field: str) -> int | None:
    if isinstance(value, str):
        if len(value) <= _MAX_INT64_DIGITS:
            try:
                return int(value)
            except ValueError:
                pass
        raise DecodeError(f"`{field}` is `{value[:64]}`, but must be a whole number")
    return value


def _enum(value: int | str | None, enum: type[EnumT], prefix: str, field: str) -> EnumT:
    """By number or by name. A number that is not known yet is the first, as protobuf treats it."""
    if isinstance(value, str):
        member = enum.__members__.get(value.removeprefix(prefix))
        if member is None:
            raise DecodeError(f"`{field}` is `{value[:64]}`, which names none of its values")
        return member
    try:
        return enum(value or 0)
    except ValueError:
        return enum(0)


def _attributes(pairs: list[wire.KeyValue] | None, owner: str) -> Attributes:
    return {pair.key: _plain(pair.value, f"{owner} attribute `{pair.key}`", 0) for pair in pairs or ()}


def _plain(value: wire.AnyValue | None, field: str, depth: int) -> Value:
    """The Python value: lists for arrays, dicts for key-value lists, None for an `AnyValue` that holds nothing."""
    if depth > _MAX_DEPTH:
        raise DecodeError(f"{field} is nested deeper than {_MAX_DEPTH}")
    if value is None:
        return None
    if value.string_value is not None:
        return value.string_value
    if value.bool_value is not None:
        return value.bool_value
    if value.int_value is not None:
        return _integer(value.int_value, field)
    if value.double_value is not None:
        return _double(value.double_value, field)
    if value.bytes_value is not None:
        return _bytes(value.bytes_value, field)
    if value.array_value is not None:
        return [_plain(item, field, depth + 1) for item in value.array_value.values or ()]
    if value.kvlist_value is not None:
        pairs: dict[str, Any] = {
            pair.key: _plain(pair.value, field, depth + 1) for pair in value.kvlist_value.values or ()
        }
        return pairs
    return None


def _double(value: float | str, field: str) -> float:
    if isinstance(value, str):
        try:
            return _SPECIAL_DOUBLES[value] if value in _SPECIAL_DOUBLES else float(value)
        except ValueError as error:
            raise DecodeError(f"{field} is `{value[:64]}`, but must be a number") from error
    return float(value)


def _bytes(value: str, field: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DecodeError(f"{field} is bytes, but not in base64") from error

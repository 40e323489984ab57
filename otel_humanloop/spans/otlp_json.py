"""Spans from OTLP/JSON, as OTLP has it and as it is met with elsewhere.

OTLP writes ids in hex, int64 as text and enums as integers. Protobuf's own JSON mapping writes ids in base64 and enums
by name (old Humanloop SDKs do), and some write int64 as numbers. All of these are read.
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from otel_humanloop.errors import DecodeError
from otel_humanloop.spans import Attributes, Event, Link, Resource, Scope, Span, SpanKind, Status, StatusCode, Value

_MAX_DEPTH = 100
_TRACE_ID_DIGITS = 32
_SPAN_ID_DIGITS = 16
_HAS_IS_REMOTE = 0x100
_IS_REMOTE = 0x200
_MAX_INT64_DIGITS = 20
_SPECIAL_DOUBLES = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

EnumT = TypeVar("EnumT", SpanKind, StatusCode)


def decode_json(body: bytes) -> list[Span]:
    """The spans of one `ExportTraceServiceRequest` in JSON, in its order.

    Raises:
        DecodeError: The bytes are not such a request. Names the field.
    """
    request = _parse(body)
    return [span for resource_spans in request.resource_spans or () for span in _spans(resource_spans)]


class _Wire(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """Fields as protobuf's JSON has them: any may be left out or null, and unknown ones are passed over."""


class _AnyValue(_Wire, frozen=True, kw_only=True):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bytes_value: str | None = None
    array_value: _ArrayValue | None = None
    kvlist_value: _KeyValueList | None = None


class _ArrayValue(_Wire, frozen=True, kw_only=True):
    values: list[_AnyValue] | None = None


class _KeyValue(_Wire, frozen=True, kw_only=True):
    key: str = ""
    value: _AnyValue | None = None


class _KeyValueList(_Wire, frozen=True, kw_only=True):
    values: list[_KeyValue] | None = None


class _Status(_Wire, frozen=True, kw_only=True):
    code: int | str | None = None
    message: str | None = None


class _Event(_Wire, frozen=True, kw_only=True):
    name: str | None = None
    time_unix_nano: int | str | None = None
    attributes: list[_KeyValue] | None = None
    dropped_attributes_count: int | None = None


class _Link(_Wire, frozen=True, kw_only=True):
    trace_id: str | None = None
    span_id: str | None = None
    attributes: list[_KeyValue] | None = None
    dropped_attributes_count: int | None = None


class _Span(_Wire, frozen=True, kw_only=True):
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    flags: int | None = None
    name: str | None = None
    kind: int | str | None = None
    start_time_unix_nano: int | str | None = None
    end_time_unix_nano: int | str | None = None
    attributes: list[_KeyValue] | None = None
    dropped_attributes_count: int | None = None
    events: list[_Event] | None = None
    dropped_events_count: int | None = None
    links: list[_Link] | None = None
    dropped_links_count: int | None = None
    status: _Status | None = None


class _Scope(_Wire, frozen=True, kw_only=True):
    name: str | None = None
    version: str | None = None
    attributes: list[_KeyValue] | None = None


class _ScopeSpans(_Wire, frozen=True, kw_only=True):
    scope: _Scope | None = None
    spans: list[_Span] | None = None
    schema_url: str | None = None


class _Resource(_Wire, frozen=True, kw_only=True):
    attributes: list[_KeyValue] | None = None


class _ResourceSpans(_Wire, frozen=True, kw_only=True):
    resource: _Resource | None = None
    scope_spans: list[_ScopeSpans] | None = None


class _Request(_Wire, frozen=True, kw_only=True):
    resource_spans: list[_ResourceSpans] | None = None


def _parse(body: bytes) -> _Request:
    try:
        return msgspec.json.decode(body, type=_Request)
    except RecursionError as error:
        raise DecodeError("OTLP JSON is nested too deep") from error
    except msgspec.ValidationError as error:
        raise DecodeError(f"OTLP JSON does not hold spans: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        whole = _without_lone_surrogates(body)
        if whole is None:
            raise DecodeError(f"not JSON: {error}") from error
        return _parse(whole)


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


def _spans(resource_spans: _ResourceSpans) -> Iterator[Span]:
    described = resource_spans.resource
    resource = Resource(attributes=_attributes(described.attributes, "resource") if described else {})
    for scope_spans in resource_spans.scope_spans or ():
        scope = _scope(scope_spans)
        for span in scope_spans.spans or ():
            yield _span(span, resource, scope)


def _scope(scope_spans: _ScopeSpans) -> Scope:
    scope = scope_spans.scope or _Scope()
    return Scope(
        name=scope.name or "",
        version=scope.version or None,
        schema_url=scope_spans.schema_url or None,
        attributes=_attributes(scope.attributes, "scope"),
    )


def _span(span: _Span, resource: Resource, scope: Scope) -> Span:
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


def _event(event: _Event) -> Event:
    return Event(
        name=event.name or "",
        time_ns=_integer(event.time_unix_nano, "timeUnixNano") or 0,
        attributes=_attributes(event.attributes, "event"),
        dropped_attributes=event.dropped_attributes_count or 0,
    )


def _link(link: _Link) -> Link:
    return Link(
        trace_id=_id(link.trace_id, _TRACE_ID_DIGITS, "traceId") or "",
        span_id=_id(link.span_id, _SPAN_ID_DIGITS, "spanId") or "",
        attributes=_attributes(link.attributes, "link"),
        dropped_attributes=link.dropped_attributes_count or 0,
    )


def _status(status: _Status | None) -> Status:
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


def _attributes(pairs: list[_KeyValue] | None, owner: str) -> Attributes:
    return {pair.key: _plain(pair.value, f"{owner} attribute `{pair.key}`", 0) for pair in pairs or ()}


def _plain(value: _AnyValue | None, field: str, depth: int) -> Value:
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

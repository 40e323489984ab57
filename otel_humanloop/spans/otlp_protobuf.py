"""Spans and log records from OTLP in protobuf. https://github.com/open-telemetry/opentelemetry-proto

Parsing is cheap; walking the attributes is what costs, so each value is looked at once, and the resource and the scope
once for all their spans. `native/protobuf.pyx` reads the bytes without parsing them first, to the same spans.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from google.protobuf.message import DecodeError as ProtobufError
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as WireRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan
from opentelemetry.proto.trace.v1.trace_pb2 import SpanFlags
from opentelemetry.proto.trace.v1.trace_pb2 import Status as WireStatus

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
from otel_humanloop.spans.otlp_items import made

_TRACE_ID_BYTES = 16
_SPAN_ID_BYTES = 8
_REMOTE = SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK | SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK
_KINDS = {int(kind): kind for kind in SpanKind}
_CODES = {int(code): code for code in StatusCode}

RequestT = TypeVar("RequestT", bound=Message)


def spans_of(body: bytes) -> Iterator[Span | DecodeError]:
    """The spans of one `ExportTraceServiceRequest`, in its order; for one that is none, what it lacks.

    Raises:
        DecodeError: The bytes are not such a request.
    """
    request = _parse(ExportTraceServiceRequest(), body)
    for resource_spans in request.resource_spans:
        resource = Resource(attributes=_attributes(resource_spans.resource.attributes))
        for scope_spans in resource_spans.scope_spans:
            scope = _scope(scope_spans.scope, scope_spans.schema_url)
            yield from made(_span, scope_spans.spans, resource, scope)


def records_of(body: bytes) -> Iterator[LogRecord | DecodeError]:
    """The log records of one `ExportLogsServiceRequest`, as `spans_of` has the spans."""
    request = _parse(ExportLogsServiceRequest(), body)
    for resource_logs in request.resource_logs:
        resource = Resource(attributes=_attributes(resource_logs.resource.attributes))
        for scope_logs in resource_logs.scope_logs:
            scope = _scope(scope_logs.scope, scope_logs.schema_url)
            yield from made(_record, scope_logs.log_records, resource, scope)


def _parse(request: RequestT, body: bytes) -> RequestT:
    try:
        request.ParseFromString(body)
    except ProtobufError as error:
        raise DecodeError("the bytes are not OTLP in protobuf") from error
    return request


def _scope(scope: InstrumentationScope, schema_url: str) -> Scope:
    return Scope(
        name=scope.name,
        version=scope.version or None,
        schema_url=schema_url or None,
        attributes=_attributes(scope.attributes),
    )


def _span(span: WireSpan, resource: Resource, scope: Scope) -> Span:
    parent_id = _id(span.parent_span_id, _SPAN_ID_BYTES, "parent_span_id")
    return Span(
        trace_id=_required(_id(span.trace_id, _TRACE_ID_BYTES, "trace_id"), "trace_id"),
        span_id=_required(_id(span.span_id, _SPAN_ID_BYTES, "span_id"), "span_id"),
        parent_id=parent_id,
        parent_is_remote=parent_id is not None and span.flags & _REMOTE == _REMOTE,
        name=span.name,
        kind=_KINDS.get(span.kind, SpanKind.UNSPECIFIED),
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano or None,
        attributes=_attributes(span.attributes),
        events=tuple([_event(event) for event in span.events]),
        links=tuple([_link(link) for link in span.links]),
        status=_status(span.status),
        resource=resource,
        scope=scope,
        dropped_attributes=span.dropped_attributes_count,
        dropped_events=span.dropped_events_count,
        dropped_links=span.dropped_links_count,
    )


def _record(record: WireRecord, resource: Resource, scope: Scope) -> LogRecord:
    attributes = _attributes(record.attributes)
    return LogRecord(
        trace_id=_id(record.trace_id, _TRACE_ID_BYTES, "trace_id"),
        span_id=_id(record.span_id, _SPAN_ID_BYTES, "span_id"),
        event_name=event_name(record.event_name, attributes),
        time_ns=record.time_unix_nano or record.observed_time_unix_nano,
        body=_plain(record.body),
        attributes=attributes,
        resource=resource,
        scope=scope,
    )


def _event(event: WireSpan.Event) -> Event:
    return Event(
        name=event.name,
        time_ns=event.time_unix_nano,
        attributes=_attributes(event.attributes),
        dropped_attributes=event.dropped_attributes_count,
    )


def _link(link: WireSpan.Link) -> Link:
    return Link(
        trace_id=_id(link.trace_id, _TRACE_ID_BYTES, "trace_id") or "",
        span_id=_id(link.span_id, _SPAN_ID_BYTES, "span_id") or "",
        attributes=_attributes(link.attributes),
        dropped_attributes=link.dropped_attributes_count,
    )


def _status(status: WireStatus) -> Status:
    return Status(code=_CODES.get(status.code, StatusCode.UNSET), message=status.message or None)


def _required(value: str | None, field: str) -> str:
    if value is None:
        raise DecodeError(f"a span has no `{field}`")
    return value


def _id(raw: bytes, size: int, field: str) -> str | None:
    """In hex; None for the empty one and for zeros."""
    if len(raw) == size:
        return raw.hex() if any(raw) else None
    if not raw:
        return None
    raise DecodeError(f"`{field}` has {len(raw)} bytes, but must have {size}")


def _attributes(pairs: Iterable[KeyValue]) -> Attributes:
    attributes: dict[str, Value] = {}
    for pair in pairs:
        value = pair.value
        # Most are text or a number, and of all kinds but its own a value says nothing; to ask which it is costs more.
        attributes[pair.key] = value.string_value or value.int_value or value.double_value or _plain(value)
    return attributes


def _plain(value: AnyValue) -> Value:
    """The Python value: lists for arrays, dicts for key-value lists, None for an `AnyValue` that holds nothing.

    How deep one may be nested is bounded where the bytes are parsed.
    """
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
    return getattr(value, kind) if kind is not None else None

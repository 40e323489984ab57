"""OTLP/JSON as it is on the wire, before anything is made of it.

The names and shapes are those of the messages named, in package `opentelemetry.proto`. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import msgspec


class Wire(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """Fields as protobuf's JSON has them: any may be left out or null, and unknown ones are passed over."""


class AnyValue(Wire, frozen=True, kw_only=True):
    """`common.v1.AnyValue`."""

    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bytes_value: str | None = None
    array_value: ArrayValue | None = None
    kvlist_value: KeyValueList | None = None


class ArrayValue(Wire, frozen=True, kw_only=True):
    """`common.v1.ArrayValue`."""

    values: list[AnyValue] | None = None


class KeyValue(Wire, frozen=True, kw_only=True):
    """`common.v1.KeyValue`."""

    key: str = ""
    value: AnyValue | None = None


class KeyValueList(Wire, frozen=True, kw_only=True):
    """`common.v1.KeyValueList`."""

    values: list[KeyValue] | None = None


class Status(Wire, frozen=True, kw_only=True):
    """`trace.v1.Status`."""

    code: int | str | None = None
    message: str | None = None


class Event(Wire, frozen=True, kw_only=True):
    """`trace.v1.Span.Event`."""

    name: str | None = None
    time_unix_nano: int | str | None = None
    attributes: list[KeyValue] | None = None
    dropped_attributes_count: int | None = None


class Link(Wire, frozen=True, kw_only=True):
    """`trace.v1.Span.Link`."""

    trace_id: str | None = None
    span_id: str | None = None
    attributes: list[KeyValue] | None = None
    dropped_attributes_count: int | None = None


class Span(Wire, frozen=True, kw_only=True):
    """`trace.v1.Span`."""

    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    flags: int | None = None
    name: str | None = None
    kind: int | str | None = None
    start_time_unix_nano: int | str | None = None
    end_time_unix_nano: int | str | None = None
    attributes: list[KeyValue] | None = None
    dropped_attributes_count: int | None = None
    events: list[Event] | None = None
    dropped_events_count: int | None = None
    links: list[Link] | None = None
    dropped_links_count: int | None = None
    status: Status | None = None


class Scope(Wire, frozen=True, kw_only=True):
    """`common.v1.InstrumentationScope`."""

    name: str | None = None
    version: str | None = None
    attributes: list[KeyValue] | None = None


class ScopeSpans(Wire, frozen=True, kw_only=True):
    """`trace.v1.ScopeSpans`."""

    scope: Scope | None = None
    spans: list[Span] | None = None
    schema_url: str | None = None


class Resource(Wire, frozen=True, kw_only=True):
    """`resource.v1.Resource`."""

    attributes: list[KeyValue] | None = None


class ResourceSpans(Wire, frozen=True, kw_only=True):
    """`trace.v1.ResourceSpans`."""

    resource: Resource | None = None
    scope_spans: list[ScopeSpans] | None = None


class TraceRequest(Wire, frozen=True, kw_only=True):
    """`collector.trace.v1.ExportTraceServiceRequest`."""

    resource_spans: list[ResourceSpans] | None = None


class LogRecord(Wire, frozen=True, kw_only=True):
    """`logs.v1.LogRecord`."""

    trace_id: str | None = None
    span_id: str | None = None
    event_name: str | None = None
    time_unix_nano: int | str | None = None
    observed_time_unix_nano: int | str | None = None
    body: AnyValue | None = None
    attributes: list[KeyValue] | None = None


class ScopeLogs(Wire, frozen=True, kw_only=True):
    """`logs.v1.ScopeLogs`."""

    scope: Scope | None = None
    log_records: list[LogRecord] | None = None
    schema_url: str | None = None


class ResourceLogs(Wire, frozen=True, kw_only=True):
    """`logs.v1.ResourceLogs`."""

    resource: Resource | None = None
    scope_logs: list[ScopeLogs] | None = None


class LogsRequest(Wire, frozen=True, kw_only=True):
    """`collector.logs.v1.ExportLogsServiceRequest`."""

    resource_logs: list[ResourceLogs] | None = None

"""A `Span` of a test as the SDK would hand it over."""

from __future__ import annotations

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from otel_humanloop.spans import Span


def readable(span: Span) -> ReadableSpan:
    """The same span. The SDK checks no attribute of one that has ended, so that it may hold anything."""
    return ReadableSpan(
        span.name,
        _context(span.trace_id, span.span_id),
        parent=_context(span.trace_id, span.parent_id) if span.parent_id is not None else None,
        resource=Resource(span.resource.attributes),
        attributes=span.attributes,
        events=[Event(event.name, event.attributes, event.time_ns) for event in span.events],
        links=[Link(_context(link.trace_id, link.span_id), link.attributes) for link in span.links],
        kind=SpanKind[span.kind.name] if span.kind else SpanKind.INTERNAL,
        status=Status(StatusCode[span.status.code.name], span.status.message if span.status.code == 2 else None),
        instrumentation_scope=InstrumentationScope(
            span.scope.name, span.scope.version, span.scope.schema_url, span.scope.attributes
        ),
        start_time=span.start_ns,
        end_time=span.end_ns,
    )


def _context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=TraceFlags(1))

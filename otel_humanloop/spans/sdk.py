"""A `Span` of the SDK's `ReadableSpan`, finished or still open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from otel_humanloop.spans import Event, Link, Resource, Scope, Span, SpanKey, SpanKind, Status, StatusCode

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext

_SCALARS = (str, bool, int, float, bytes, type(None))

# The SDK numbers its kinds from INTERNAL = 0, OTLP from UNSPECIFIED = 0; the names are the same.
_KINDS = {kind.name: kind for kind in SpanKind}


def key_of(context: SpanContext) -> SpanKey:
    """The key of a span, from its context alone."""
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def from_readable(span: ReadableSpan) -> Span:
    """The same span in our words.

    Every container is copied, so that a span which is still open may be read while its program goes on writing to it.
    """
    context = span.get_span_context()
    if context is None:
        raise ValueError("a span without a context has no place in a trace")
    trace_id, span_id = key_of(context)
    parent = span.parent
    scope = span.instrumentation_scope
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=f"{parent.span_id:016x}" if parent is not None and parent.span_id else None,
        parent_is_remote=parent is not None and parent.is_remote,
        name=span.name,
        kind=_KINDS[span.kind.name],
        start_ns=span.start_time or 0,
        end_ns=span.end_time,
        attributes=_plain_map(span.attributes),
        events=tuple(
            Event(
                name=event.name,
                time_ns=event.timestamp,
                attributes=_plain_map(event.attributes),
                dropped_attributes=event.dropped_attributes,
            )
            for event in span.events
        ),
        links=tuple(
            Link(
                trace_id=f"{link.context.trace_id:032x}",
                span_id=f"{link.context.span_id:016x}",
                attributes=_plain_map(link.attributes),
                dropped_attributes=link.dropped_attributes,
            )
            for link in span.links
        ),
        status=Status(code=StatusCode(span.status.status_code.value), message=span.status.description or None),
        resource=Resource(attributes=_plain_map(span.resource.attributes)),
        scope=Scope()
        if scope is None
        else Scope(
            name=scope.name,
            version=scope.version or None,
            schema_url=scope.schema_url or None,
            attributes=_plain_map(scope.attributes),
        ),
        dropped_attributes=span.dropped_attributes,
        dropped_events=span.dropped_events,
        dropped_links=span.dropped_links,
    )


def _plain_map(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    if not attributes:
        return {}
    plain: dict[str, Any] = {}
    for key in attributes:
        # `get`: an open span may evict a key between our seeing it and reading it.
        value = attributes.get(key)
        plain[key] = value if isinstance(value, _SCALARS) else _plain(value)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, Sequence):
        return [_plain(item) for item in cast("Sequence[Any]", value)]
    return str(value)

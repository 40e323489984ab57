"""A `Span` of the SDK's `ReadableSpan`, finished or still open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from otel_humanloop.native import compiled
from otel_humanloop.spans import Event, Link, Resource, Scope, Span, SpanKey, SpanKind, Status, StatusCode

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource as SdkResource
    from opentelemetry.sdk.trace import Event as SdkEvent
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link as SdkLink
    from opentelemetry.trace import SpanContext

_SCALARS = (str, bool, int, float, bytes, type(None))
_EXACTLY = frozenset(_SCALARS)

# The SDK numbers its kinds from INTERNAL = 0, OTLP from UNSPECIFIED = 0; the names are the same.
_KINDS = {kind.name: kind for kind in SpanKind}

_UNSET = Status()

_NO_SCOPE = Scope()

_MOST_SHARED = 1000
"""Resources, and scopes, that are remembered: a program has few, but nothing keeps it from making one for each span."""

_T = TypeVar("_T")


def key_of(context: SpanContext) -> SpanKey:
    """The key of a span, from its context alone."""
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


class Shared:
    """What the spans of a process have in common, converted once: resources and scopes, known by their identity."""

    def __init__(self) -> None:
        self._resources: dict[int, tuple[object, Resource]] = {}
        self._scopes: dict[int, tuple[object, Scope]] = {}
        self._trace = -1, ""

    def trace_id(self, number: int) -> str:
        """A trace's id in hex. Spans that end one after the other are mostly of one trace."""
        if self._trace[0] != number:
            self._trace = number, f"{number:032x}"
        return self._trace[1]

    def resource(self, resource: SdkResource) -> Resource:
        """A resource in our words."""
        known = self._resources.get(id(resource))
        if known is not None:
            return known[1]
        made = Resource(attributes=plain_map(resource.attributes))
        return _remembered(self._resources, resource, made)

    def scope(self, scope: InstrumentationScope | None) -> Scope:
        """A scope in our words."""
        if scope is None:
            return _NO_SCOPE
        known = self._scopes.get(id(scope))
        if known is not None:
            return known[1]
        made = Scope(
            name=scope.name,
            version=scope.version or None,
            schema_url=scope.schema_url or None,
            attributes=plain_map(scope.attributes),
        )
        return _remembered(self._scopes, scope, made)


def _remembered(known: dict[int, tuple[object, _T]], of: object, made: _T) -> _T:
    """Remembers what was made of an object, which is kept: nothing else may come to have its identity."""
    if len(known) >= _MOST_SHARED:
        known.clear()
    known[id(of)] = of, made
    return made


@compiled("sdk")
def from_readable(span: ReadableSpan, shared: Shared | None = None) -> Span:
    """The same span in our words.

    Every container is copied, so that a span which is still open may be read while its program goes on writing to it.

    Args:
        span: Finished or still open.
        shared: Where resources and scopes that were met before are found.
    """
    context = span.get_span_context()
    if context is None:
        raise ValueError("a span without a context has no place in a trace")
    if shared is None:
        shared = Shared()
    parent = span.parent
    status = span.status
    # Each of the two is a copy, and most spans have neither: where the SDK can say so at once, none is made.
    events = span.events if getattr(span, "_events", True) else ()
    links = span.links if getattr(span, "_links", True) else ()
    return Span(
        trace_id=shared.trace_id(context.trace_id),
        span_id=f"{context.span_id:016x}",
        parent_id=f"{parent.span_id:016x}" if parent is not None and parent.span_id else None,
        parent_is_remote=parent is not None and parent.is_remote,
        name=span.name,
        kind=_KINDS[span.kind._name_],  # what `name` asks for, by way of a descriptor in Python
        start_ns=span.start_time or 0,
        end_ns=span.end_time,
        attributes=plain_map(span.attributes),
        events=tuple([_event(event) for event in events]) if events else (),
        links=tuple([_link(link) for link in links]) if links else (),
        status=_UNSET
        if status.is_unset and not status.description
        else Status(code=StatusCode(status.status_code.value), message=status.description or None),
        resource=shared.resource(span.resource),
        scope=shared.scope(span.instrumentation_scope),
        dropped_attributes=span.dropped_attributes,
        dropped_events=span.dropped_events,
        dropped_links=span.dropped_links,
    )


def _event(event: SdkEvent) -> Event:
    return Event(
        name=event.name,
        time_ns=event.timestamp,
        attributes=plain_map(event.attributes),
        dropped_attributes=event.dropped_attributes,
    )


def _link(link: SdkLink) -> Link:
    return Link(
        trace_id=f"{link.context.trace_id:032x}",
        span_id=f"{link.context.span_id:016x}",
        attributes=plain_map(link.attributes),
        dropped_attributes=link.dropped_attributes,
    )


@compiled("sdk")
def plain_map(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Attributes as plain values, copied."""
    if attributes is None:
        return {}
    copied = _copied(attributes)
    for key, value in copied.items():
        if type(value) not in _EXACTLY:
            copied[key] = plain(value)
    return copied


def _copied(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy as it is at one moment, though its program goes on writing to it."""
    # The SDK's own containers copy themselves in one step, which no other thread can come between.
    copy = getattr(attributes, "copy", None)
    if copy is not None:
        try:
            copied = copy()
        except AttributeError:  # of a view on something that has no such method
            copied = None
        if type(copied) is dict:
            return cast("dict[str, Any]", copied)
    # `get`: a key may be evicted between our seeing it and reading it.
    return {key: attributes.get(key) for key in list(attributes)}


@compiled("sdk")
def plain(value: Any) -> Any:
    """A value as a plain one: sequences as lists, maps as dicts, anything unknown as its text."""
    if type(value) in _EXACTLY or isinstance(value, _SCALARS):
        return value
    if type(value) is tuple:  # as the SDK keeps sequences
        return [plain(item) for item in cast("tuple[Any, ...]", value)]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in cast("Sequence[Any]", value)]
    return str(value)

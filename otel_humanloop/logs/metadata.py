"""A log's metadata: everything a span says that no field of the contract takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from otel_humanloop.logs.draft import Draft
from otel_humanloop.operation import Operation
from otel_humanloop.spans import Event, Span

# OpenTelemetry's variables for its span limits, https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
_LIMITS = (
    ("dropped_attributes", "attributes", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"),
    ("dropped_events", "events", "OTEL_SPAN_EVENT_COUNT_LIMIT"),
    ("dropped_links", "links", "OTEL_SPAN_LINK_COUNT_LIMIT"),
)


def metadata_of(draft: Draft, user: str | None, beside: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept beside a log's fields.

    Args:
        draft: The span.
        user: Whom it was done for, by its own word or an ancestor's.
        beside: What building the log's other fields left over, by name.
    """
    span, reading = draft.span, draft.reading
    metadata: dict[str, Any] = dict(reading.operation.metadata or {})
    if user is not None:
        metadata["user"] = user
    metadata.update(_facts(reading.operation))
    metadata.update(beside)
    rest = {key: value for key, value in span.attributes.items() if key not in reading.taken}
    if rest:
        metadata["attributes"] = nested(rest)
    if span.resource.attributes:
        metadata["resource"] = nested(span.resource.attributes)
    events = _events(span.events)
    if events:
        metadata["events"] = events
    if span.links:
        metadata["links"] = [
            {
                "trace_id": link.trace_id,
                "span_id": link.span_id,
                **({"attributes": nested(link.attributes)} if link.attributes else {}),
            }
            for link in span.links
        ]
    warnings = _warnings(span)
    if warnings:
        metadata["warnings"] = warnings
    metadata["otel"] = _origin(draft)
    return metadata


def nested(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted keys as nested objects: `{"a.b": 1}` as `{"a": {"b": 1}}`.

    A key that would have to hang below another key's value keeps the rest of its dots: `{"a": 0, "a.b": 1}`.
    """
    tree: dict[str, Any] = {}
    branches: dict[int, dict[str, Any]] = {}  # the objects made here, by identity: a value may be an object too
    # Keys with fewer dots first, so that what a key hangs below does not depend on the order attributes were set in.
    for key in sorted(attributes, key=lambda key: key.count(".")):
        here, rest = tree, key
        while "." in rest:
            head, tail = rest.split(".", 1)
            if head not in here:
                branch: dict[str, Any] = {}
                here[head] = branch
                branches[id(branch)] = branch
            below = branches.get(id(here[head]))
            if below is None:
                break
            here, rest = below, tail
        here[rest] = attributes[key]
    return tree


def _facts(operation: Operation) -> dict[str, Any]:
    """What an operation says that the contract has no field for."""
    facts: dict[str, Any] = {
        "conversation": operation.conversation,
        "tags": list(operation.tags) if operation.tags else None,
        "finish_reason": _one_or_many(operation.finish_reasons),
        "streaming": operation.streaming,
        "time_to_first_token": operation.time_to_first_token,
        "tool_call_id": operation.tool_call_id,
        "documents": [dict(document) for document in operation.documents] if operation.documents else None,
    }
    response = {"id": operation.response_id, "model": operation.response_model}
    response = {name: value for name, value in response.items() if value is not None}
    if response:
        facts["response"] = response
    if operation.usage is not None:
        parts = {name: getattr(operation.usage, name) for name in operation.usage.__struct_fields__[2:]}
        parts = {name: value for name, value in parts.items() if value is not None}
        if parts:
            facts["usage"] = parts
    if operation.cost is not None and operation.cost.total is not None:
        facts["total_cost"] = operation.cost.total
    return {name: value for name, value in facts.items() if value is not None}


def _one_or_many(values: tuple[str, ...] | None) -> Any:
    if not values:
        return None
    return values[0] if len(values) == 1 else list(values)


def _events(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Events with something to say, one by one; bare ones (a chunk arrived) only counted."""
    told: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    for event in events:
        if event.attributes:
            told.append({"name": event.name, "time_unix_nano": event.time_ns, "attributes": nested(event.attributes)})
        else:
            counts[event.name] = counts.get(event.name, 0) + 1
    return [*told, *({"name": name, "count": number} for name, number in counts.items())]


def _warnings(span: Span) -> list[str]:
    return [
        f"{dropped} {what} were dropped by a limit of the OpenTelemetry SDK: raise {variable}"
        for field, what, variable in _LIMITS
        if (dropped := getattr(span, field))
    ]


def _origin(draft: Draft) -> dict[str, Any]:
    span, reading = draft.span, draft.reading
    origin: dict[str, Any] = {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_id,
        "name": span.name,
        "kind": span.kind.name.lower(),
        "scope": span.scope.name or None,
        "scope_version": span.scope.version,
        "start_time_unix_nano": span.start_ns,
        "status": span.status.code.name.lower(),
        "conventions": list(reading.conventions) or None,
        "sources": {field: f"{source.convention}: {source.key}" for field, source in reading.sources.items()} or None,
    }
    return {name: value for name, value in origin.items() if value is not None}

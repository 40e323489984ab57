"""A log's metadata: everything a span says that no field of the contract takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from otel_humanloop.operation import Operation, Reading, Usage
from otel_humanloop.reading.limits import losses
from otel_humanloop.spans import Event, Resource, Span, SpanKind, StatusCode

_PARTS = Usage.__struct_fields__[2:]
"""Counts the contract has no field for: all but the prompt's and the output's."""

_MOST_KEYS = 100
"""How the attributes of more keys are nested is not remembered."""

_MOST_RESOURCES = 64
"""Resources of which it is remembered how their attributes are nested; each is kept for as long."""

_DEEPEST = 50
"""Dots in a key at which its object is made without recursion."""

_KINDS = {kind: kind.name.lower() for kind in SpanKind}
_STATUSES = {code: code.name.lower() for code in StatusCode}


def metadata_of(span: Span, reading: Reading, user: str | None, beside: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept beside a log's fields.

    Args:
        reading: What the span says.
        user: Whom it was done for, by its own word or an ancestor's.
        beside: What building the log's other fields left over, by name.
    """
    metadata: dict[str, Any] = dict(reading.operation.metadata or {})
    if user is not None:
        metadata["user"] = user
    _add_facts(metadata, reading.operation)
    if beside:
        metadata.update(beside)
    if reading.left:
        metadata["attributes"] = nested(span.attributes, reading.left)
    if span.resource.attributes:
        metadata["resource"] = _nested_resource(span.resource)
    if span.events:
        metadata["events"] = _events(span.events)
    if span.links:
        metadata["links"] = [
            {
                "trace_id": link.trace_id,
                "span_id": link.span_id,
                **({"attributes": nested(link.attributes)} if link.attributes else {}),
            }
            for link in span.links
        ]
    warnings = losses(span)
    if warnings:
        metadata["warnings"] = warnings
    metadata["otel"] = _origin(span, reading)
    return metadata


def nested(attributes: Mapping[str, Any], among: Sequence[str] | None = None) -> dict[str, Any]:
    """Dotted keys as nested objects: `{"a.b": 1}` as `{"a": {"b": 1}}`.

    A key that would have to hang below another key's value keeps the rest of its dots: `{"a": 0, "a.b": 1}`.

    Args:
        among: The keys to take, each of which is there; None for all.
    """
    keys = tuple(attributes if among is None else among)
    tree = _known_tree(keys) if len(keys) <= _MOST_KEYS else _tree_of(keys)
    if tree is None:
        return _untangled({key: attributes[key] for key in keys})
    return _grown(tree, attributes)


def _tree_of(keys: tuple[str, ...]) -> dict[str, Any] | None:
    """The tree these keys make, a leaf of which is its key; None where one would hang below another's value, or too
    deep."""
    tree: dict[str, Any] = {}
    for key in keys:
        *path, last = key.split(".")
        if len(path) > _DEEPEST:
            return None
        here = tree
        for segment in path:
            below = here.setdefault(segment, {})
            if not isinstance(below, dict):
                return None
            here = cast("dict[str, Any]", below)
        if last in here:
            return None
        here[last] = key
    return tree


_known_tree = lru_cache(maxsize=1000)(_tree_of)


def _grown(tree: dict[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The tree with values in place of their keys."""
    return {
        segment: attributes[below] if type(below) is str else _grown(below, attributes)
        for segment, below in tree.items()
    }


def _remembering() -> Callable[[Resource], dict[str, Any]]:
    """What nests the attributes of a resource, once for all spans that share it. Nobody may change what it gives."""
    known: dict[int, tuple[Resource, dict[str, Any]]] = {}

    def nest(resource: Resource) -> dict[str, Any]:
        found = known.get(id(resource))
        if found is None:
            if len(known) >= _MOST_RESOURCES:
                known.clear()
            found = known[id(resource)] = resource, nested(resource.attributes)
        return found[1]

    return nest


_nested_resource = _remembering()


def _untangled(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The same where a key may hang below another's value. Rare, so paid for only when met."""
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


def _add_facts(metadata: dict[str, Any], operation: Operation) -> None:
    """What an operation says that the contract has no field for."""
    if operation.conversation is not None:
        metadata["conversation"] = operation.conversation
    if operation.tags:
        metadata["tags"] = list(operation.tags)
    if operation.finish_reasons:
        metadata["finish_reason"] = _one_or_many(operation.finish_reasons)
    if operation.streaming is not None:
        metadata["streaming"] = operation.streaming
    if operation.time_to_first_token is not None:
        metadata["time_to_first_token"] = operation.time_to_first_token
    if operation.tool_call_id is not None:
        metadata["tool_call_id"] = operation.tool_call_id
    if operation.documents:
        metadata["documents"] = [dict(document) for document in operation.documents]
    if operation.response_id is not None or operation.response_model is not None:
        response = {"id": operation.response_id, "model": operation.response_model}
        metadata["response"] = {name: value for name, value in response.items() if value is not None}
    usage, cost = operation.usage, operation.cost
    if usage is not None:
        parts = {name: value for name in _PARTS if (value := getattr(usage, name)) is not None}
        if parts:
            metadata["usage"] = parts
    if cost is not None and cost.total is not None:
        metadata["total_cost"] = cost.total


def _one_or_many(values: tuple[str, ...]) -> Any:
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


def _origin(span: Span, reading: Reading) -> dict[str, Any]:
    scope = span.scope
    origin: dict[str, Any] = {"trace_id": span.trace_id, "span_id": span.span_id}
    if span.parent_id is not None:
        origin["parent_span_id"] = span.parent_id
    origin["name"] = span.name
    origin["kind"] = _KINDS[span.kind]
    if scope.name:
        origin["scope"] = scope.name
    if scope.version is not None:
        origin["scope_version"] = scope.version
    origin["start_time_unix_nano"] = span.start_ns
    origin["status"] = _STATUSES[span.status.code]
    if reading.conventions:
        origin["conventions"] = list(reading.conventions)
    if reading.told:
        origin["sources"] = reading.told
    return origin

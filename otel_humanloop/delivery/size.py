"""About how many bytes a span takes, for the bound of a spool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from otel_humanloop.native import compiled
from otel_humanloop.spans import Attributes, Span

_SPAN = 600  # a span without attributes, with its ids and times
_ENTRY = 100  # a key and the objects that hold it and its value
_VALUE = 32  # a value that has no length: a number, a truth value, nothing

_NUMBERS = frozenset({int, float, bool, type(None)})


@compiled("size")
def size_of(span: Span) -> int:
    """An estimate in bytes, never less than its texts are long, from a walk over what belongs to this span alone.

    The resource and the scope are not counted: all spans of a process or a library share them.
    """
    size = _SPAN + len(span.name) + len(span.status.message or "") + _size(span.attributes)
    for event in span.events:
        size += _SPAN // 4 + len(event.name) + _size(event.attributes)
    for link in span.links:
        size += _SPAN // 4 + _size(link.attributes)
    return size


def _size(attributes: Attributes) -> int:
    size = _ENTRY * len(attributes) + len("".join(attributes))
    nested: list[Any] = []
    for value in attributes.values():
        if type(value) is str:
            size += len(value)
        elif type(value) not in _NUMBERS:
            nested.append(value)
    if not nested:
        return size
    # A list of its own instead of recursion: an attribute may be nested deeper than Python's stack.
    while nested:
        value = nested.pop()
        if isinstance(value, (str, bytes)):
            size += _VALUE + len(value)
        elif isinstance(value, (list, tuple)):
            size += _VALUE
            nested.extend(cast("Sequence[Any]", value))
        elif isinstance(value, dict):
            entries = cast("dict[Any, Any]", value)
            size += _VALUE
            nested.extend(entries)
            nested.extend(entries.values())
        else:
            size += _VALUE
    return size

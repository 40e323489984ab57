"""Readers of single attributes and of families of them, and the ways to put readers together.

Each takes keys and gives a `Reader`: the first key that holds something of the right sort is heard. None of them
raises, whatever an attribute holds; what has the wrong type is as good as absent, and stays free for metadata.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any, TypeVar, cast

import msgspec

from otel_humanloop.reading.convention import Found, Reader, reads
from otel_humanloop.reading.values import (
    as_boolean,
    as_identifier,
    as_integer,
    as_number,
    as_object,
    as_objects,
    as_strings,
    as_structure,
    as_text,
    as_value,
)
from otel_humanloop.spans import Span, Value

T = TypeVar("T")
S = TypeVar("S")

MAX_SEGMENTS = 16
"""A key of a family is taken apart at no more dots than this, so that no key can nest without bound."""


def attribute(parse: Callable[[Value], T | None], *keys: str) -> Reader[T]:
    """The first of the attributes that `parse` can make something of."""

    def read(span: Span) -> Found[T] | None:
        attributes = span.attributes
        for key in keys:
            if key in attributes:
                value = parse(attributes[key])
                if value is not None:
                    return Found(value, key, (key,))
        return None

    return Reader(read, keys)


def text(*keys: str) -> Reader[str]:
    """Text; the empty text is a value."""
    return attribute(as_text, *keys)


def identifier(*keys: str) -> Reader[str]:
    """Text that names something: never empty, and a whole number is written out."""
    return attribute(as_identifier, *keys)


def integer(*keys: str) -> Reader[int]:
    """A whole number, or text that is one."""
    return attribute(as_integer, *keys)


def number(*keys: str) -> Reader[float]:
    """A finite number, or text that is one."""
    return attribute(as_number, *keys)


def boolean(*keys: str) -> Reader[bool]:
    """True or false, or the words."""
    return attribute(as_boolean, *keys)


def json_value(*keys: str) -> Reader[Any]:
    """The value JSON text stands for; other text as it is, so that what a limit cut off is not lost.

    For keys that always hold JSON. `null` is nothing said.
    """
    return attribute(as_value, *keys)


def structure(*keys: str) -> Reader[Any]:
    """An object or array, as JSON text or as it is; any other value, text that looks like a number too, as written."""
    return attribute(as_structure, *keys)


def json_object(*keys: str) -> Reader[dict[str, Any]]:
    """A JSON object, as text or as a map."""
    return attribute(as_object, *keys)


def arguments(*keys: str) -> Reader[dict[str, Any]]:
    """A JSON object; any other value as the one named `input`."""
    return mapped(
        structure(*keys), lambda value: cast("dict[str, Any]", value if isinstance(value, dict) else {"input": value})
    )


def json_objects(*keys: str) -> Reader[tuple[dict[str, Any], ...]]:
    """The objects of a JSON array, as text or as an array."""
    return attribute(as_objects, *keys)


def strings(*keys: str) -> Reader[tuple[str, ...]]:
    """Several texts: an array, a JSON array, or one text alone."""
    return attribute(as_strings, *keys)


def prefixed(prefix: str) -> Reader[dict[str, Any]]:
    """All attributes whose key begins with `prefix`, by the rest of their keys."""

    def read(span: Span) -> Found[dict[str, Any]] | None:
        keys = [key for key in span.attributes if key.startswith(prefix) and len(key) > len(prefix)]
        if not keys:
            return None
        return Found({key[len(prefix) :]: span.attributes[key] for key in keys}, f"{prefix}*", tuple(keys))

    return Reader(read, (prefix,))


def indexed(prefix: str, leaves: Container[str] | None = None) -> Reader[list[Any]]:
    """A family `prefix.N.rest` as the list of what stands under each N, in the order of N, gaps closed.

    What stands under an index is a dict nested by the dots of the rest, in which indices again make lists; or the
    attribute itself where the key ends with the index. Costs what the attributes cost, however large an index is.

    Args:
        prefix: What stands before the dot and the index.
        leaves: Last segments of the keys that are used up: what a message has no place for stays free for metadata.
            All by default.
    """
    start = prefix + "."

    def read(span: Span) -> Found[list[Any]] | None:
        keys = [key for key in span.attributes if key.startswith(start)]
        if not keys:
            return None
        tree: dict[str, Any] = {}
        planted = [
            key for key in keys if _plant(tree, key[len(start) :].split(".", MAX_SEGMENTS), span.attributes[key])
        ]
        if not planted:
            return None
        taken = planted if leaves is None else [key for key in planted if key.rpartition(".")[2] in leaves]
        return Found(cast("list[Any]", _closed(tree)), f"{start}*", tuple(taken))

    return Reader(read, (start,))


def first(*readers: Reader[T]) -> Reader[T]:
    """The first of the readers that says something."""
    looks = tuple(reader.look for reader in readers)

    @reads(*readers)
    def read(span: Span) -> Found[T] | None:
        for look in looks:
            found = look(span)
            if found is not None:
                return found
        return None

    return read


def mapped(reader: Reader[S], make: Callable[[S], T | None]) -> Reader[T]:
    """What `make` makes of what the reader says; None from it is as good as nothing said."""
    look = reader.look

    @reads(reader)
    def read(span: Span) -> Found[T] | None:
        found = look(span)
        if found is None:
            return None
        value = make(found.value)
        return None if value is None else Found(value, found.key, found.taken, found.parts)

    return read


def one_of(choices: Mapping[str, T], *keys: str) -> Reader[T]:
    """The choice that the text names, whatever its case."""
    return mapped(identifier(*keys), lambda name: choices.get(name.lower()))


def gathered(readers: Mapping[str, Reader[Any]]) -> Reader[dict[str, Any]]:
    """What each reader says, by the names given; None where none says anything."""
    rows = tuple((name, reader.keys, reader.look, _is_exact(reader)) for name, reader in readers.items())

    @reads(*readers.values())
    def read(span: Span) -> Found[dict[str, Any]] | None:
        attributes = span.attributes
        values: dict[str, Any] = {}
        sources: dict[str, str] = {}
        taken: list[str] = []
        for name, keys, look, exact in rows:
            if exact:  # most of them have nothing to say: this is what a look would come to
                for key in keys:
                    if key in attributes:
                        break
                else:
                    continue
            found = look(span)
            if found is not None:
                values[name] = found.value
                sources[name] = found.key
                taken.extend(found.taken)
        return Found(values, ", ".join(sources.values()), tuple(taken), sources) if values else None

    return read


def _is_exact(reader: Reader[Any]) -> bool:
    """Whether a reader looks for nothing but attributes by their whole keys."""
    return bool(reader.keys) and not reader.events and not any(key.endswith(".") for key in reader.keys)


def present(value: T, *keys: str) -> Reader[T]:
    """`value` where any of the attributes is there. It uses none of them up: other fields are read from them."""

    def read(span: Span) -> Found[T] | None:
        for key in keys:
            if key in span.attributes:
                return Found(value, key)
        return None

    return Reader(read, keys)


def in_event(name: str, reader: Reader[T]) -> Reader[T]:
    """What the reader says of the attributes of the last event of that name."""

    def read(span: Span) -> Found[T] | None:
        for event in reversed(span.events):
            if event.name == name:
                found = reader(msgspec.structs.replace(span, attributes=event.attributes, events=()))
                return None if found is None else Found(found.value, f"event {name} {found.key}")
        return None

    return Reader(read, events=(name,))


def _is_index(segment: str) -> bool:
    return segment.isascii() and segment.isdigit()


def _plant(tree: dict[str, Any], path: list[str], value: Value) -> bool:
    """Puts a value into the tree; False where another stands in its way, or its path does not begin with an index."""
    if not _is_index(path[0]):
        return False
    for segment in path[:-1]:
        child = tree.setdefault(segment, _Branch())
        if not isinstance(child, _Branch):
            return False
        tree = child
    return tree.setdefault(path[-1], value) is value


class _Branch(dict[str, Any]):
    """A node made by the dots of a key, to tell it from a map some attribute holds."""


def _closed(node: Any) -> Any:
    """The branch with each branch of indices made a list. As deep as `MAX_SEGMENTS` at most."""
    children = cast("dict[str, Any]", node)
    if children and all(_is_index(segment) for segment in children):
        in_order = sorted(children.items(), key=lambda item: (len(item[0].lstrip("0")), item[0].lstrip("0")))
        return [_closed(child) if isinstance(child, _Branch) else child for _, child in in_order]
    return {segment: _closed(child) if isinstance(child, _Branch) else child for segment, child in children.items()}

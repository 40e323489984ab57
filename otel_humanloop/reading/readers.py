"""Readers of single attributes and of families of them, and the ways to put readers together.

Each takes keys and gives a `Reader`: the first key that holds something of the right sort is heard. None of them
raises, whatever an attribute holds; what has the wrong type is as good as absent, and stays free for metadata.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, TypeVar, cast

import msgspec

from otel_humanloop.reading import families
from otel_humanloop.reading.convention import Found, Look, Reader, as_look, asks, wanted
from otel_humanloop.reading.shape import Narrowed, Shape
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

_MOST_PATTERNS = 64
"""Ways in which some of several readers have spoken, of one shape, that are remembered."""


def attribute(parse: Callable[[Value], T | None], *keys: str) -> Reader[T]:
    """The first of the attributes that `parse` can make something of."""
    choices = tuple((key, (key,)) for key in keys)

    def read(span: Span) -> Found[T] | None:
        attributes = span.attributes
        for key, taken in choices:
            if key in attributes:
                value = parse(attributes[key])
                if value is not None:
                    return Found(value, key, taken)
        return None

    def narrow(shape: Shape) -> Narrowed | None:
        there = [key for key in keys if key in shape.keys]
        if len(there) != 1:
            return Narrowed(attribute(parse, *there).look) if there else None
        return Narrowed(parse, there[0], there[0], (there[0],))

    return Reader(read, keys, narrow=narrow)


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

    def narrow(shape: Shape) -> Narrowed | None:
        rests = {key: key[len(prefix) :] for key in shape.family(prefix) if len(key) > len(prefix)}

        def say(span: Span) -> dict[str, Any]:
            attributes = span.attributes
            return {rest: attributes[key] for key, rest in rests.items()}

        return Narrowed(say, key=f"{prefix}*", taken=tuple(rests)) if rests else None

    return Reader(_at_once(narrow), (prefix,), narrow=narrow)


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

    def narrow(shape: Shape) -> Narrowed | None:
        keys, grow = families.of(start, shape.family(start))
        taken = keys if leaves is None else [key for key in keys if key.rpartition(".")[2] in leaves]
        return Narrowed(lambda span: grow(span.attributes), key=f"{start}*", taken=tuple(taken)) if keys else None

    return Reader(_at_once(narrow), (start,), narrow=narrow)


def first(*readers: Reader[T]) -> Reader[T]:
    """The first of the readers that says something."""

    def narrow(shape: Shape) -> Narrowed | None:
        heard = [narrowed for reader in readers if (narrowed := reader.on(shape)) is not None]
        if len(heard) == 1:
            return heard[0]
        return Narrowed(_first_of(map(as_look, heard))) if heard else None

    return Reader(_first_of(reader.look for reader in readers), *wanted(*readers), narrow)


def mapped(reader: Reader[S], make: Callable[[S], T | None]) -> Reader[T]:
    """What `make` makes of what the reader says; None from it is as good as nothing said."""
    look = reader.look

    def read(span: Span) -> Found[T] | None:
        found = look(span)
        if found is None:
            return None
        value = make(found.value)
        return None if value is None else Found(value, found.key, found.taken, found.parts)

    def narrow(shape: Shape) -> Narrowed | None:
        narrowed = reader.on(shape)
        if narrowed is None:
            return None
        inner = narrowed.say

        def say(given: Any) -> Any:
            said = inner(given)
            if said is None:
                return None
            if type(said) is not Found:
                return make(said)
            found = cast("Found[Any]", said)
            value = make(found.value)
            return None if value is None else Found(value, found.key, found.taken, found.parts)

        return msgspec.structs.replace(narrowed, say=say)

    return Reader(read, reader.keys, reader.events, narrow)


def one_of(choices: Mapping[str, T], *keys: str) -> Reader[T]:
    """The choice that the text names, whatever its case."""
    return mapped(identifier(*keys), lambda name: choices.get(name.lower()))


def gathered(readers: Mapping[str, Reader[Any]]) -> Reader[dict[str, Any]]:
    """What each reader says, by the names given; None where none says anything."""
    rows = tuple((name, reader.look) for name, reader in readers.items())

    def read(span: Span) -> Found[dict[str, Any]] | None:
        found = {name: said for name, look in rows if (said := look(span)) is not None}
        if not found:
            return None
        parts = {name: said.key for name, said in found.items()}
        taken = [key for said in found.values() for key in said.taken]
        return Found({name: said.value for name, said in found.items()}, ", ".join(parts.values()), tuple(taken), parts)

    def narrow(shape: Shape) -> Narrowed | None:
        return _gathered({name: on for name, reader in readers.items() if (on := reader.on(shape)) is not None})

    return Reader(read, *wanted(*readers.values()), narrow)


def _gathered(readers: Mapping[str, Narrowed]) -> Narrowed | None:
    """Where each says something, and a value alone, so does what is gathered: all else of it is known in advance.
    Otherwise it depends on who was silent, and what comes of that is remembered."""
    if not readers:
        return None
    rows = [(name, narrowed.say, narrowed.attribute) for name, narrowed in readers.items()]
    known: dict[tuple[Any, ...], tuple[str, tuple[str, ...], dict[str, str]]] = {}

    def say(span: Span) -> Any:
        attributes = span.attributes
        values: dict[str, Any] = {}
        exceptions: list[Any] = []
        for name, inner, key in rows:
            value = inner(span if key is None else attributes[key])
            if value is None:
                exceptions.append(name)
            elif type(value) is Found:
                found = cast("Found[Any]", value)
                exceptions.append((name, found.key, found.taken))
                values[name] = found.value
            else:
                values[name] = value
        if not exceptions:
            return values
        if not values:
            return None
        pattern = tuple(exceptions)
        origin = known.get(pattern)
        if origin is None:
            origin = _origin(pattern, readers)
            if len(known) < _MOST_PATTERNS:
                known[pattern] = origin
        return Found(values, *origin)

    key, taken, parts = _origin((), readers)
    return Narrowed(say, key=key, taken=taken, parts=parts)


def _origin(
    exceptions: tuple[Any, ...], readers: Mapping[str, Narrowed]
) -> tuple[str, tuple[str, ...], dict[str, str]]:
    """The key, the keys taken and the parts of what was gathered.

    Args:
        exceptions: The names of those that were silent; name, key and keys taken of those of which more depended on
            values than the value.
        readers: All of them.
    """
    origins: dict[str, tuple[str, tuple[str, ...]]] = {name: (one.key, one.taken) for name, one in readers.items()}
    for exception in exceptions:
        if isinstance(exception, str):
            del origins[exception]
        else:
            name, key, taken = exception
            origins[name] = key, taken
    parts = {name: key for name, (key, _) in origins.items()}
    return ", ".join(parts.values()), tuple([key for _, taken in origins.values() for key in taken]), parts


def _first_of(looks: Iterable[Look[T]]) -> Look[T]:
    in_turn = tuple(looks)

    def look(span: Span) -> Found[T] | None:
        for one in in_turn:
            found = one(span)
            if found is not None:
                return found
        return None

    return look


def _at_once(narrow: Callable[[Shape], Narrowed | None]) -> Look[Any]:
    """The reader that is narrowed to each span it is asked about."""
    return lambda span: as_look(narrow(Shape.of(span)))(span)


def present(value: T, *keys: str) -> Reader[T]:
    """`value` where any of the attributes is there. It uses none of them up: other fields are read from them."""

    def narrow(shape: Shape) -> Narrowed | None:
        there = next((key for key in keys if key in shape.keys), None)
        return None if there is None else Narrowed(lambda _: value, key=there)

    def read(span: Span) -> Found[T] | None:
        there = next((key for key in keys if key in span.attributes), None)
        return None if there is None else Found(value, there)

    return Reader(read, keys, narrow=narrow)


def outside(scopes: str, reader: Reader[T]) -> Reader[T]:
    """What the reader says of spans whose scope's name does not begin so."""

    @asks(reader)
    def read(span: Span, look: Look[T]) -> Found[T] | None:
        return None if span.scope.name.startswith(scopes) else look(span)

    def narrow(shape: Shape) -> Narrowed | None:
        return None if shape.scope.startswith(scopes) else reader.on(shape)

    return Reader(read.look, reader.keys, reader.events, narrow)


def in_event(name: str, reader: Reader[T]) -> Reader[T]:
    """What the reader says of the attributes of the events of that name, together; the last of one key is heard."""

    def read(span: Span) -> Found[T] | None:
        told = [event.attributes for event in span.events if event.name == name]
        if not told:
            return None
        attributes = told[0] if len(told) == 1 else {key: value for one in told for key, value in one.items()}
        found = reader(msgspec.structs.replace(span, attributes=attributes, events=()))
        return None if found is None else Found(found.value, f"event {name} {found.key}")

    return Reader(read, events=(name,))

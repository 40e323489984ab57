"""The shape of a span: all that decides which readers may find something on it, and where, before a value is looked at.

Spans come in few shapes, each of them thousands of times. What a reader comes to on a shape is worked out once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from otel_humanloop.spans import Span


class Shape(msgspec.Struct, frozen=True):
    """What spans have in common whose keys are the same.

    Attributes:
        scope: The name of the instrumentation scope.
        keys: Of the attributes, in their order.
        events: The names of the events.
    """

    scope: str
    keys: Mapping[str, None]
    events: frozenset[str] = frozenset()

    @classmethod
    def of(cls, span: Span) -> Shape:
        """The shape of a span."""
        events = frozenset(event.name for event in span.events)
        return cls(span.scope.name, dict.fromkeys(span.attributes), events)

    def has(self, key: str) -> bool:
        """Whether there is an attribute of that key; for a key that ends in a dot, any that begins so."""
        return any(self.family(key)) if key.endswith(".") else key in self.keys

    def family(self, prefix: str) -> Iterator[str]:
        """The keys that begin so."""
        return (key for key in self.keys if key.startswith(prefix))

    def has_event(self, name: str) -> bool:
        """Whether there is an event of that name; of a name that ends in a dot, any that begins so."""
        if name.endswith("."):
            return any(event.startswith(name) for event in self.events)
        return name in self.events


class Narrowed(msgspec.Struct, frozen=True):
    """What a reader comes to on the spans of one shape.

    Attributes:
        say: What it has to say: a value alone, of which all else is known in advance; a `Found`, where that depends
            on values; or None.
        attribute: The attribute whose value `say` is given; None: it is given the span.
        key, taken, parts: As `Found` has them, of a value that `say` gives alone.
    """

    say: Callable[[Any], Any]
    attribute: str | None = None
    key: str = ""
    taken: tuple[str, ...] = ()
    parts: Mapping[str, str] = {}

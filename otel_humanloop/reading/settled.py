"""What of a reading is settled by some attributes of a span, whatever the others hold.

Of the spans of one shape, most attributes say the same again and again (the model, its parameters), and some say
something else each time (the messages, the tokens): these are *open*. A reader that looked at no open attribute says
the same wherever the others are the same, for readers know nothing but the span. So a span is read once under watch,
and from then on only those readers are asked that looked at something open. Where any of them is heard otherwise than
it was then, nothing is settled, and the span is read like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from otel_humanloop.spans import Attributes, Span, Value

PLACES = frozenset({"trace_id", "span_id", "parent_id", "start_ns", "end_ns"})
"""Fields of a span that are always open: no two spans share them."""


Live = tuple[int, str, "str | None", Callable[[Any], Any], bool, Any]
"""A reader that is asked on every span: its number, its field, the attribute it is given (None: the span) and what it
says; whether messages were told already by a convention of a higher rank; and how it was heard under watch, or None
where it said nothing, or nothing new."""


class Settled(msgspec.Struct, frozen=True):
    """What is settled.

    Attributes:
        live: Who is asked on every span, in order.
        before: Of the fields they speak of, those that a settled reader spoke of before.
        fields: All fields they speak of.
    """

    live: tuple[Live, ...]
    before: Mapping[str, Any]
    fields: tuple[str, ...]


class Watched:
    """A span, to readers: it notes what they look at.

    Attributes:
        seen: Keys of attributes whose values were looked at, and fields of the span that are always open.
    """

    def __init__(self, span: Span) -> None:
        self.seen: set[str] = set()
        self.attributes: Attributes = _Attributes(span.attributes, self.seen)
        self._span = span

    def __getattr__(self, name: str) -> Any:
        if name in PLACES:
            self.seen.add(name)
        return getattr(self._span, name)


class _Attributes(Mapping[str, Value]):
    """That a key is there is known of the shape; only a look at its value is noted."""

    def __init__(self, attributes: Attributes, seen: set[str]) -> None:
        self._attributes = attributes
        self._seen = seen

    def __getitem__(self, key: str) -> Value:
        value = self._attributes[key]
        self._seen.add(key)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)

    def __contains__(self, key: object) -> bool:
        return key in self._attributes

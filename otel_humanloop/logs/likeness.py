"""In what spans of one shape are alike: which of their attributes say the same again and again, and which differ."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from hashlib import sha256
from math import copysign
from operator import itemgetter
from typing import Any, Generic, TypeVar, cast

from otel_humanloop.native import compiled
from otel_humanloop.reading import plan_for
from otel_humanloop.reading.plan import Plan
from otel_humanloop.reading.settled import Settled
from otel_humanloop.spans import Attributes, Span

F = TypeVar("F")

_LEARNED = 8
"""Spans of a shape that are looked at before anything is said of it. Most shapes of a short program never come to that
many, and cost no more than their counting."""

_FEW = 2
"""An attribute with more values than so many, among the spans that were looked at, differs."""

_MOST_ENTRIES = 32
"""Ways in which spans of one shape are alike. Where there are more, an attribute differs that seemed not to."""

_MOST_LESSONS = 4

_LONGEST = 64 * 1024
"""Characters of a text that is compared with others."""

_ENDS = {"[": "]", "{": "}"}
_STARTS = tuple(_ENDS)


Example = tuple[tuple[str, type[Any], Any], ...]
"""The attributes of a span, in their order: key, type, and value; `...` in place of a value that differs."""


class Entry(Generic[F]):
    """Spans whose attributes are the same but for those that differ.

    Attributes:
        plan, settled: How they are read.
        example: One of them, to compare others with.
        told_apart: Fields that differ and are not free to.
        forms: What is remembered of them, by what these hold.
        missed: How many of them in a row had to be read like any other.
    """

    def __init__(self, plan: Plan, settled: Settled, example: Example, free: Collection[str]) -> None:
        self.plan = plan
        self.settled = settled
        self.example = example
        self.forms: dict[bytes, F] = {}
        self.missed = 0
        self.told_apart = [field for field in settled.fields if field not in free]

    @property
    def open_keys(self) -> list[str]:
        """The attributes that differ."""
        return [key for key, _, value in self.example if value is ...]

    @property
    def size(self) -> int:
        """About how many bytes are kept for it, without what is remembered."""
        return sum([len(value) for _, _, value in self.example if isinstance(value, str)])

    def differing(self, values: Mapping[str, Any]) -> bytes:
        """What fields that are not free to differ hold: no two that differ have the same."""
        if not self.told_apart:
            return b""
        said = repr([values.get(field) for field in self.told_apart])
        return sha256(said.encode("utf-8", "surrogatepass")).digest()


@compiled("likeness")
def is_like(attributes: Attributes, example: Example) -> bool:
    """Whether attributes are those of the example, but for those that differ.

    A text that differs must not look like JSON that was cut off: only its log would show that.
    """
    if len(attributes) != len(example):
        return False
    for (key, value), (known_key, known_type, known) in zip(attributes.items(), example, strict=True):
        if key != known_key or cast("type[Any]", type(value)) is not known_type:
            return False
        if known is ...:
            if isinstance(value, str) and value.startswith(_STARTS) and value[-1] != _ENDS[value[0]]:
                return False
        elif value != known or (isinstance(value, float) and copysign(1, value) != copysign(1, known)):
            return False  # no comparison sees the sign of a zero
    return True


class Likeness(Generic[F]):
    """The spans of one shape: of the same keys, values of the same types, the same name and scope.

    Args:
        attributes: Of one of them.
        free: Fields of an operation that may differ between spans of one form.
        useless: Nothing is to be remembered of this shape.
    """

    def __init__(self, attributes: Attributes, free: Collection[str], *, useless: bool) -> None:
        self._free = free
        self._is_useless = useless
        self._met = 0
        self._lessons = 0
        self._seen: dict[str, set[int] | None] = {  # hashes: what was seen need not be kept
            key: None if isinstance(value, dict) else set() for key, value in attributes.items()
        }
        self._open: tuple[str, ...] = ()
        self._stable: Callable[[Attributes], Any] = dict
        self._entries: dict[Any, Entry[F] | None] = {}

    @property
    def is_learned(self) -> bool:
        """Enough of its spans were looked at."""
        return self._met >= _LEARNED

    def find(self, span: Span) -> Entry[F] | None:
        """The entry of a span; None where it is to be read like any other."""
        if self._is_useless:
            return None
        attributes = span.attributes
        if self._met < _LEARNED:
            self._look(attributes)
            return None
        try:
            stable = self._stable(attributes)
            entry = self._entries[stable] if stable in self._entries else self._enter(stable, span)
        except TypeError:  # a list of lists or maps
            return None
        return entry if entry is not None and is_like(attributes, entry.example) else None

    def _look(self, attributes: Attributes) -> None:
        """Notes the values of one more span."""
        self._met += 1
        for key, values in self._seen.items():
            if values is not None and len(values) <= _FEW:
                value = attributes[key]
                if isinstance(value, list):
                    items = cast("list[Any]", value)
                    value = tuple(items) if all(type(item) is str for item in items) else None
                if value is None or (isinstance(value, str) and len(value) > _LONGEST):
                    self._seen[key] = None
                else:
                    values.add(hash(value))
        if self._met == _LEARNED:
            self._learn(attributes)

    def _learn(self, attributes: Attributes) -> None:
        """Settles which attributes differ."""
        self._lessons += 1
        self._is_useless = self._lessons > _MOST_LESSONS
        is_open = {key for key, values in self._seen.items() if values is None or len(values) > _FEW}
        self._open = tuple([key for key in attributes if key in is_open])
        self._stable = _values_of(attributes, [key for key in attributes if key not in is_open])
        self._entries.clear()

    def _enter(self, stable: Any, span: Span) -> Entry[F] | None:
        """Remembers that there are spans of these values."""
        attributes = span.attributes
        if len(self._entries) >= _MOST_ENTRIES:
            self._seen = {key: values if values is None else set() for key, values in self._seen.items()}
            self._seen.update(dict.fromkeys(self._open))
            self._met = 0
            return None
        plan = plan_for(span)
        settled = plan.settle(span, frozenset(self._open))
        entry = None
        if settled is not None:
            entry = Entry[F](plan, settled, _example(attributes, self._open), self._free)
        self._entries[stable] = entry
        return entry


def _example(attributes: Attributes, open_keys: Collection[str]) -> Example:
    known: list[tuple[str, type[Any], Any]] = []
    for key, value in attributes.items():
        known.append((key, cast("type[Any]", type(value)), ... if key in open_keys else value))
    return tuple(known)


def _values_of(attributes: Attributes, keys: Iterable[str]) -> Callable[[Attributes], Any]:
    """What takes the values of these attributes, as something that can be compared."""
    plain = [key for key in keys if not isinstance(attributes[key], list)]
    lists = [key for key in keys if isinstance(attributes[key], list)]
    take: Callable[[Attributes], Any] = itemgetter(*plain) if plain else lambda _: ()
    if not lists:
        return take
    return lambda attributes: (take(attributes), *[tuple(attributes[key]) for key in lists])

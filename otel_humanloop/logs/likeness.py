"""In what spans of one shape are alike: which of their attributes say the same again and again, and which differ."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from math import copysign
from operator import itemgetter
from typing import Any, Generic, TypeVar, cast

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

_MOST_FORMS = 32
"""The same of what one entry tells apart."""

_MOST_LESSONS = 4

_LONGEST = 64 * 1024
"""Characters of a text that is compared with others."""

_ENDS = {"[": "]", "{": "}"}
_STARTS = tuple(_ENDS)


class Entry(Generic[F]):
    """Spans whose attributes are the same but for those that differ.

    Attributes:
        plan, settled: How they are read.
        open_keys: The attributes that differ.
        told_apart: Fields that differ and are not free to.
        forms: What is remembered of them, by what these hold.
        zeros: Floats that are zero, with their sign, which no comparison sees.
    """

    def __init__(
        self,
        plan: Plan,
        settled: Settled,
        open_keys: tuple[str, ...],
        zeros: Mapping[str, float],
        free: Collection[str],
    ) -> None:
        self.plan = plan
        self.settled = settled
        self.open_keys = open_keys
        self.forms: dict[str, F] = {}
        self.told_apart = [field for field in settled.fields if field not in free]
        self.zeros = tuple(zeros.items())


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
        self._seen: dict[str, set[Any] | None] = {
            key: None if isinstance(value, dict) else set() for key, value in attributes.items()
        }
        self._open: tuple[str, ...] = ()
        self._texts: tuple[str, ...] = ()
        self._stable: Callable[[Attributes], Any] = dict
        self._entries: dict[Any, Entry[F] | None] = {}

    def find(self, span: Span) -> tuple[Entry[F], Mapping[str, Any], str] | None:
        """The entry of a span, what it says of fields that differ, and in words what of that is not free to.

        None where it is to be read like any other.
        """
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
        if entry is None or not _is_alike(attributes, entry, self._texts):
            return None
        values = entry.plan.heard(entry.settled, span)
        if values is None:
            return None
        differing = repr([values.get(field) for field in entry.told_apart]) if entry.told_apart else ""
        if differing not in entry.forms and len(entry.forms) >= _MOST_FORMS:
            return None
        return entry, values, differing

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
                    values.add(value)
        if self._met == _LEARNED:
            self._learn(attributes)

    def _learn(self, attributes: Attributes) -> None:
        """Settles which attributes differ."""
        self._lessons += 1
        self._is_useless = self._lessons > _MOST_LESSONS
        is_open = {key for key, values in self._seen.items() if values is None or len(values) > _FEW}
        self._open = tuple([key for key in attributes if key in is_open])
        self._texts = tuple([key for key in self._open if isinstance(attributes[key], str)])
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
            zeros = {
                key: copysign(1, value)
                for key, value in attributes.items()
                if type(value) is float and value == 0 and key not in self._open
            }
            entry = Entry[F](plan, settled, self._open, zeros, self._free)
        self._entries[stable] = entry
        return entry


def _values_of(attributes: Attributes, keys: Iterable[str]) -> Callable[[Attributes], Any]:
    """What takes the values of these attributes, as something that can be compared."""
    plain = [key for key in keys if not isinstance(attributes[key], list)]
    lists = [key for key in keys if isinstance(attributes[key], list)]
    take: Callable[[Attributes], Any] = itemgetter(*plain) if plain else lambda _: ()
    if not lists:
        return take
    return lambda attributes: (take(attributes), *[tuple(attributes[key]) for key in lists])


def _is_alike(attributes: Attributes, entry: Entry[Any], texts: Iterable[str]) -> bool:
    """Whether nothing about a span's values is unusual that only its log would show."""
    for key in texts:
        text = attributes[key]
        if text.startswith(_STARTS) and text[-1] != _ENDS[text[0]]:  # perhaps JSON that was cut off
            return False
    return not entry.zeros or all(copysign(1, attributes[key]) == sign for key, sign in entry.zeros)

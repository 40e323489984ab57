"""The conventions together: who speaks on a span, who claims it, and who is heard for which field."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from itertools import count
from typing import Any

from otel_humanloop.operation import Reading
from otel_humanloop.reading.convention import Convention, Fields, Rank, Reader
from otel_humanloop.reading.plan import Plan, Speaker
from otel_humanloop.reading.shape import Narrowed, Shape
from otel_humanloop.spans import Span

_MOST_KEYS = 20_000
_MOST_PLANS = 2_000
_MOST_MET = 20_000
_MOST_NARROWED_KEYS = 10_000
"""Keys and their combinations come from outside: bounds, lest they fill the memory. What is narrowed takes about a
kilobyte for each key of its shape."""


class Catalogue:
    """Conventions, arranged so that reading a span costs as much as it says, however many conventions there are.

    Every convention and every reader of one has a bit. The keys of a span, its events and its scope add up to the
    bits of those that have something to look for on it; what to ask is worked out once for each such sum. For spans
    of a shape that comes again and again it is worked out further: the readers are narrowed to it.

    Args:
        conventions: By rank.
        narrow_after: How many spans of a shape are read before that. Narrowing costs as much as it saves some three.
    """

    def __init__(self, conventions: Iterable[Convention], *, narrow_after: int = 3) -> None:
        self._conventions = tuple(conventions)
        self._bits = count()
        self._always = 0
        self._of_scopes: dict[str, int] = {}
        self._of_keys = _Index()
        self._of_events = _Index()
        self._listed = [self._list(convention) for convention in self._conventions]
        self._scopes: dict[str, int] = {}
        self._plans: dict[int, Plan] = {}
        self._narrowed: dict[Hashable, Plan] = {}
        self._narrowed_keys = 0
        self._narrow_after = narrow_after
        self._met: dict[int, int] = {}  # how often, by the hash of the shape

    def read(self, span: Span) -> Reading:
        """The span understood. Of kind STEP, with no conventions, where none claims it."""
        return self.plan_for(span).read(span)

    def claims(self, span: Span) -> bool:
        """Whether any convention claims the span."""
        return self.plan_for(span).claims(span)

    def _list(self, convention: Convention) -> tuple[int, tuple[tuple[str, Reader[Any], int], ...]]:
        """Gives a convention and its readers their bits, and enters what each looks for."""
        noticed = 1 << next(self._bits)
        for scope in convention.scopes:
            self._of_scopes[scope] = self._of_scopes.get(scope, 0) | noticed
        self._of_keys.enter(convention.keys, noticed)
        self._of_events.enter(convention.events, noticed)
        listed: list[tuple[str, Reader[Any], int]] = []
        for field, reader in _readers(convention):
            bit = 1 << next(self._bits)
            self._of_keys.enter(reader.keys, bit)
            self._of_events.enter(reader.events, bit)
            if not reader.keys and not reader.events:
                self._always |= bit
            listed.append((field, reader, bit))
        return noticed, tuple(listed)

    def plan_for(self, span: Span) -> Plan:
        """How the span is read."""
        attributes, events = span.attributes, span.events
        scope = span.scope.name
        shape = (scope, tuple(attributes), frozenset([event.name for event in events]) if events else None)
        plan = self._narrowed.get(shape)
        if plan is not None:
            return plan
        found = self._found(span)
        met = self._met.pop(hash(shape), 0)
        if met < self._narrow_after:
            if len(self._met) >= _MOST_MET:
                self._met.clear()
            self._met[hash(shape)] = met + 1
            return self._plan_of(found)
        plan = Plan(self._speakers(found, Shape.of(span)), remembers=True)
        self._narrowed_keys += len(attributes)
        if self._narrowed_keys > _MOST_NARROWED_KEYS:
            self._narrowed.clear()
            self._narrowed_keys = len(attributes)
        self._narrowed[shape] = plan
        return plan

    def _found(self, span: Span) -> int:
        """The bits of those that have something to look for on a span."""
        found = self._of_scope(span.scope.name)
        known, search = self._of_keys.known, self._of_keys.search
        for key in span.attributes:
            bits = known.get(key)
            found |= search(key) if bits is None else bits
        known, search = self._of_events.known, self._of_events.search
        for event in span.events:
            bits = known.get(event.name)
            found |= search(event.name) if bits is None else bits
        return found

    def _plan_of(self, found: int) -> Plan:
        plan = self._plans.get(found)
        if plan is None:
            plan = Plan(self._speakers(found), remembers=False)
            if len(self._plans) < _MOST_PLANS:
                self._plans[found] = plan
        return plan

    def _speakers(self, found: int, shape: Shape | None = None) -> Iterator[Speaker]:
        """The conventions that are noticed, by rank, with the readers that may find something, narrowed to a shape."""
        heard = found | self._always
        for convention, (noticed, listed) in zip(self._conventions, self._listed, strict=True):
            if not found & noticed:
                continue
            readers = {
                field: narrowed
                for field, reader, bit in listed
                if heard & bit
                and (narrowed := Narrowed(reader.look) if shape is None else reader.on(shape)) is not None
            }
            yield Speaker(
                name=convention.name,
                is_bare=convention.rank is Rank.BARE,
                stated=readers.pop("kind", None),
                presumed=readers.pop("presumed_kind", None),
                fields=readers,
            )

    def _of_scope(self, name: str) -> int:
        known = self._scopes.get(name)
        if known is None:
            known = 0
            for scope, noticed in self._of_scopes.items():
                if name == scope or (scope.endswith(".") and name.startswith(scope)):
                    known |= noticed
            if len(self._scopes) < _MOST_PLANS:
                self._scopes[name] = known
        return known


class _Index:
    """Who looks for which names; `known` remembers what `search` has found."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self._exact: dict[str, int] = {}
        self._families: dict[str, list[tuple[str, int]]] = {}

    def enter(self, names: Iterable[str], bit: int) -> None:
        """Someone looks for these names; one that ends in a dot stands for all that begin so."""
        for name in names:
            if name.endswith("."):
                self._families.setdefault(name.partition(".")[0], []).append((name, bit))
            else:
                self._exact[name] = self._exact.get(name, 0) | bit

    def search(self, name: str) -> int:
        """The bits of those who look for this name."""
        found = self._exact.get(name, 0)
        for prefix, bit in self._families.get(name.partition(".")[0], ()):
            if name.startswith(prefix):
                found |= bit
        if len(self.known) < _MOST_KEYS:
            self.known[name] = found
        return found


def _readers(convention: Convention) -> tuple[tuple[str, Reader[Any]], ...]:
    """A convention's readers with their field names."""
    readers = [(field, getattr(convention.fields, field)) for field in Fields.__struct_fields__]
    readers.append(("presumed_kind", convention.presumed_kind))
    return tuple((field, reader) for field, reader in readers if reader is not None)

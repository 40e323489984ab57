"""The conventions together: who speaks on a span, who claims it, and who is heard for which field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any, cast

import msgspec

from otel_humanloop.operation import Cost, Kind, Operation, Reading, Source, Usage
from otel_humanloop.reading import failure
from otel_humanloop.reading.convention import Convention, Fields, Found, Rank, Reader
from otel_humanloop.spans import Span

Look = Callable[[Span], "Found[Any] | None"]

_MESSAGES = ("messages", "output_messages")

_COMPLETED = frozenset({"parameters", "usage", "cost", "metadata"})
"""Fields made of independent parts: what the first to speak leaves open, those after it complete, part by part."""


_MOST_KEYS = 20_000
_MOST_PLANS = 2_000
"""Keys and their combinations come from outside: a bound, lest they fill the memory."""


class _Speaker(msgspec.Struct, frozen=True):
    """A convention, as far as a span with certain keys can be read by it."""

    name: str
    is_bare: bool
    stated: Look | None
    presumed: Look | None
    fields: tuple[tuple[str, Look], ...]


class Catalogue:
    """Conventions, arranged so that reading a span costs one look at each of its attribute keys, and then one question
    for each field a key of it may hold, however many conventions there are.

    Every convention and every reader of one has a bit. The keys of a span, its events and its scope add up to the
    bits of those that have something to look for on it; what to ask is worked out once for each such sum.
    """

    def __init__(self, conventions: Iterable[Convention]) -> None:
        self._conventions = tuple(conventions)
        self._bits = count()
        self._always = 0
        self._of_scopes: dict[str, int] = {}
        self._of_keys = _Index()
        self._of_events = _Index()
        self._listed = [self._list(convention) for convention in self._conventions]
        self._scopes: dict[str, int] = {}
        self._plans: dict[int, tuple[_Speaker, ...]] = {}

    def read(self, span: Span) -> Reading:
        """The span understood. Of kind STEP, with no conventions, where none claims it."""
        speakers = self._speakers(span)
        kind, sources, claimants, taken = _kind(span, speakers)
        values: dict[str, Any] = {"kind": kind}
        used: set[str] = set(taken)
        for speaker in speakers:
            if speaker.is_bare and claimants:
                continue
            convention = speaker.name
            conversation_is_told = "messages" in values or "output_messages" in values
            for field, look in speaker.fields:
                found = look(span)
                if found is None:
                    continue
                if conversation_is_told and field in _MESSAGES:
                    used.update(found.taken)  # the same conversation once more
                elif field not in values:
                    values[field] = found.value
                    sources[field] = Source(convention=convention, key=found.key)
                    used.update(found.taken)
                elif field in _COMPLETED:
                    values[field] = _completed(field, values[field], found, convention, sources)
                    used.update(found.taken)
                elif found.value == values[field]:
                    used.update(found.taken)
        if "error" not in values:
            failed = failure.failure(span)
            if failed is not None:
                values["error"] = failed.value
                used.update(failed.taken)
                sources["error"] = Source(convention=failure.CONVENTION, key=failed.key)
        return Reading(
            operation=Operation(**values),
            conventions=claimants,
            sources=sources,
            taken=frozenset(used),
        )

    def claims(self, span: Span) -> bool:
        """Whether any convention claims the span."""
        return bool(_kind(span, self._speakers(span))[2])

    def _list(self, convention: Convention) -> tuple[int, tuple[tuple[str, Look, int], ...]]:
        """Gives a convention and its readers their bits, and enters what each looks for."""
        noticed = 1 << next(self._bits)
        for scope in convention.scopes:
            self._of_scopes[scope] = self._of_scopes.get(scope, 0) | noticed
        self._of_keys.enter(convention.keys, noticed)
        self._of_events.enter(convention.events, noticed)
        listed: list[tuple[str, Look, int]] = []
        for field, reader in _readers(convention):
            bit = 1 << next(self._bits)
            self._of_keys.enter(reader.keys, bit)
            self._of_events.enter(reader.events, bit)
            if not reader.keys and not reader.events:
                self._always |= bit
            listed.append((field, reader.look, bit))
        return noticed, tuple(listed)

    def _speakers(self, span: Span) -> tuple[_Speaker, ...]:
        """The conventions that are noticed on a span, by rank, with the readers that may find something."""
        found = self._of_scope(span.scope.name)
        known, search = self._of_keys.known, self._of_keys.search
        for key in span.attributes:
            bits = known.get(key)
            found |= search(key) if bits is None else bits
        known, search = self._of_events.known, self._of_events.search
        for event in span.events:
            bits = known.get(event.name)
            found |= search(event.name) if bits is None else bits
        plan = self._plans.get(found)
        if plan is None:
            plan = self._plan(found)
            if len(self._plans) < _MOST_PLANS:
                self._plans[found] = plan
        return plan

    def _plan(self, found: int) -> tuple[_Speaker, ...]:
        heard = found | self._always
        speakers: list[_Speaker] = []
        for convention, (noticed, listed) in zip(self._conventions, self._listed, strict=True):
            if found & noticed:
                looks = {field: look for field, look, bit in listed if heard & bit}
                stated, presumed = looks.pop("kind", None), looks.pop("presumed_kind", None)
                speakers.append(
                    _Speaker(convention.name, convention.rank is Rank.BARE, stated, presumed, tuple(looks.items()))
                )
        return tuple(speakers)

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


def _kind(
    span: Span, speakers: tuple[_Speaker, ...]
) -> tuple[Kind, dict[str, Source], tuple[str, ...], tuple[str, ...]]:
    """The kind, whence it came, who claims the span, and the keys used up."""
    stated: list[tuple[str, Found[Kind]]] = []
    presumed: list[tuple[str, Found[Kind]]] = []
    claimants: list[str] = []
    for speaker in speakers:
        found = speaker.stated(span) if speaker.stated is not None else None
        if found is not None:
            stated.append((speaker.name, found))
            claimants.append(speaker.name)
            continue
        found = speaker.presumed(span) if speaker.presumed is not None else None
        if found is not None:
            presumed.append((speaker.name, found))
            claimants.append(speaker.name)
    if not claimants:
        return Kind.STEP, {}, (), ()
    # Anything may be presumed a chain, so a chain yields to what is more particular.
    name, chosen = stated[0] if stated else min(presumed, key=lambda claim: claim[1].value is Kind.CHAIN)
    taken = tuple(key for _, found in stated for key in found.taken)
    return chosen.value, {"kind": Source(convention=name, key=chosen.key)}, tuple(claimants), taken


def _readers(convention: Convention) -> tuple[tuple[str, Reader[Any]], ...]:
    """A convention's readers with their field names."""
    readers = [(field, getattr(convention.fields, field)) for field in Fields.__struct_fields__]
    readers.append(("presumed_kind", convention.presumed_kind))
    return tuple((field, reader) for field, reader in readers if reader is not None)


def _completed(field: str, value: Any, found: Found[Any], convention: str, sources: dict[str, Source]) -> Any:
    """The value with the parts it lacks, each noted among the sources as `field.part`."""
    if isinstance(value, (Usage, Cost)):
        parts: Mapping[str, Any] = {
            part: getattr(found.value, part) for part in value.__struct_fields__ if getattr(value, part) is None
        }
        parts = {part: said for part, said in parts.items() if said is not None}
    else:
        value = cast("Mapping[str, Any]", value)
        parts = {part: said for part, said in found.value.items() if part not in value}
    if not parts:
        return value
    for part in parts:
        sources[f"{field}.{part}"] = Source(convention=convention, key=found.parts.get(part, found.key))
    if isinstance(value, (Usage, Cost)):
        return msgspec.structs.replace(value, **parts)
    return {**value, **parts}

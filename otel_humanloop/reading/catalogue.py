"""The conventions together: who speaks on a span, who claims it, and who is heard for which field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec

from otel_humanloop.operation import Cost, Kind, Operation, Reading, Source, Usage
from otel_humanloop.reading import failure
from otel_humanloop.reading.convention import Convention, Fields, Found, Reader
from otel_humanloop.spans import Span

_MESSAGES = ("messages", "output_messages")

_COMPLETED = frozenset({"parameters", "usage", "cost", "metadata"})
"""Fields made of independent parts: what the first to speak leaves open, those after it complete, part by part."""


class Catalogue:
    """Conventions, arranged so that finding those that speak on a span costs one look at each of its attribute keys,
    however many conventions there are."""

    def __init__(self, conventions: Iterable[Convention]) -> None:
        self._conventions = tuple(conventions)
        self._readers = tuple(_readers(convention) for convention in self._conventions)
        self._by_key: dict[str, list[int]] = {}
        self._by_root: dict[str, list[tuple[str, int]]] = {}
        self._by_scope: list[tuple[str, int]] = []
        for place, convention in enumerate(self._conventions):
            self._by_scope.extend((scope, place) for scope in convention.scopes)
            for key in () if convention.scopes else convention.keys:
                if key.endswith("."):
                    self._by_root.setdefault(key.partition(".")[0], []).append((key, place))
                else:
                    self._by_key.setdefault(key, []).append(place)
        self._in_scope: dict[str, frozenset[int]] = {}

    def read(self, span: Span) -> Reading:
        """The span understood. Of kind STEP, with no conventions, where none claims it."""
        speakers = self._speakers(span)
        kind, sources, claimants, taken = self._kind(span, speakers)
        values: dict[str, Any] = {"kind": kind}
        used: set[str] = set(taken)
        for place in speakers:
            convention = self._conventions[place].name
            conversation_is_told = any(field in values for field in _MESSAGES)
            for field, reader in self._readers[place]:
                found = reader(span)
                if found is None:
                    continue
                if field in _MESSAGES and conversation_is_told:
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
        return bool(self._kind(span, self._speakers(span))[2])

    def _speakers(self, span: Span) -> list[int]:
        """Places of the conventions whose scope or keys the span has, by rank."""
        speaking = set(self._of_scope(span.scope.name))
        for key in span.attributes:
            places = self._by_key.get(key)
            if places is not None:
                speaking.update(places)
            prefixes = self._by_root.get(key.partition(".")[0])
            if prefixes is not None:
                speaking.update(place for prefix, place in prefixes if key.startswith(prefix))
        return sorted(speaking)

    def _of_scope(self, name: str) -> frozenset[int]:
        known = self._in_scope.get(name)
        if known is None:
            known = frozenset(
                place
                for scope, place in self._by_scope
                if name == scope or (scope.endswith(".") and name.startswith(scope))
            )
            if len(self._in_scope) < 1000:  # scope names come from outside: a bound, lest they fill the memory
                self._in_scope[name] = known
        return known

    def _kind(
        self, span: Span, speakers: list[int]
    ) -> tuple[Kind, dict[str, Source], tuple[str, ...], tuple[str, ...]]:
        """The kind, whence it came, who claims the span, and the keys used up."""
        stated: list[tuple[str, Found[Kind]]] = []
        presumed: list[tuple[str, Found[Kind]]] = []
        for place in speakers:
            convention = self._conventions[place]
            if convention.fields.kind is not None:
                found = convention.fields.kind(span)
                if found is not None:
                    stated.append((convention.name, found))
                    continue
            if convention.presumed_kind is not None:
                found = convention.presumed_kind(span)
                if found is not None:
                    presumed.append((convention.name, found))
        if not stated and not presumed:
            return Kind.STEP, {}, (), ()
        # Anything may be presumed a chain, so a chain yields to what is more particular.
        name, chosen = stated[0] if stated else min(presumed, key=lambda claim: claim[1].value is Kind.CHAIN)
        names = {claimant for claimant, _ in (*stated, *presumed)}
        claimants = tuple(self._conventions[place].name for place in speakers if self._conventions[place].name in names)
        taken = tuple(key for _, found in stated for key in found.taken)
        return chosen.value, {"kind": Source(convention=name, key=chosen.key)}, claimants, taken


def _readers(convention: Convention) -> tuple[tuple[str, Reader[Any]], ...]:
    """A convention's readers with their field names, those of the kind left out."""
    readers = ((field, getattr(convention.fields, field)) for field in Fields.__struct_fields__ if field != "kind")
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

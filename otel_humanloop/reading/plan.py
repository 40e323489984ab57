"""How the spans of one shape are read: whom to ask for which field, in which order, and who is heard.

What comes of it besides the values (where each field came from, which attributes are used up, who claims the span)
follows from who has spoken, and is worked out once for each way that may go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any, cast

import msgspec

from otel_humanloop.operation import Cost, Kind, Operation, Reading, Source, Usage, told
from otel_humanloop.reading import failure
from otel_humanloop.reading.convention import Found
from otel_humanloop.reading.settled import PLACES, Live, Settled, Watched
from otel_humanloop.reading.shape import Narrowed
from otel_humanloop.spans import Span

_MESSAGES = ("messages", "output_messages")

_COMPLETED = frozenset({"parameters", "usage", "cost", "metadata"})
"""Fields made of independent parts: what the first to speak leaves open, those after it complete, part by part."""

_STATED, _PRESUMED = "kind", "presumed kind"

_STEP, _CHAIN = Kind.STEP, Kind.CHAIN

_FAILURE = -1
"""The number of the reader that is in every plan."""

_MOST_ENDS = 64
"""Ways in which the readers of one plan have spoken that are remembered."""


class Speaker(msgspec.Struct, frozen=True):
    """A convention, as far as it may find something on spans of a shape.

    Attributes:
        name: The convention's.
        is_bare: It is heard only where nobody claims the span.
        stated, presumed: Its readers of the kind.
        fields: Its readers of the other fields, by their names.
    """

    name: str
    is_bare: bool
    stated: Narrowed | None
    presumed: Narrowed | None
    fields: Mapping[str, Narrowed]


_Said = tuple[int, str, tuple[str, ...], tuple[tuple[str, str], ...] | None]
"""That a reader has said something of which more depends on values than the value: its number in its plan, the key and
what it took, as `Found` has them; and None where it was heard, else what of it completed what had been heard before,
part by part with its key, which is nothing where it only said the same once more."""

Spoken = int | _Said
"""That a reader was heard: its number alone, where all but its value was known in advance."""

_Ask = tuple[int, str, str | None, Callable[[Any], Any]]
"""A reader's number and field, and the attribute and `say` of what it is narrowed to."""


class _End(msgspec.Struct, frozen=True):
    """What comes of reading a span, besides the values."""

    claimants: tuple[str, ...]
    sources: Mapping[str, Source]
    told: Mapping[str, str]
    taken: frozenset[str]
    left: tuple[str, ...]


class Plan:
    """How the spans of one shape are read.

    Args:
        speakers: The conventions, by rank.
        remembers: Whether so many spans will be read by it that it pays to remember what came of those before.
    """

    def __init__(self, speakers: Iterable[Speaker], *, remembers: bool) -> None:
        self._readers: list[tuple[str, str, Narrowed]] = []  # convention, field
        self._kinds: list[list[_Ask]] = []
        self._fields: list[tuple[bool, list[_Ask]]] = []
        self._ends: dict[tuple[Any, ...], _End] = {}
        self._most_ends = _MOST_ENDS if remembers else 0
        for speaker in speakers:
            kinds = ((_STATED, speaker.stated), (_PRESUMED, speaker.presumed))
            self._kinds.append([self._enter(speaker, kind, one) for kind, one in kinds if one is not None])
            self._fields.append((speaker.is_bare, [self._enter(speaker, *row) for row in speaker.fields.items()]))

    def read(self, span: Span) -> Reading:
        """The span understood."""
        attributes = span.attributes
        kind, chosen, claims = self._claimed(span)
        values: dict[str, Any] = {"kind": kind}
        spoken: list[Spoken] = []
        for is_bare, fields in self._fields:
            if is_bare and claims:
                continue
            is_told = "messages" in values or "output_messages" in values
            for at, field, attribute, say in fields:
                value = say(span if attribute is None else attributes[attribute])
                if value is None:
                    continue
                heard = self._hear(at, field, value, values, is_told=is_told)
                if heard is not None:
                    spoken.append(heard)
        failed = failure.failure(span) if "error" not in values else None
        if failed is not None:
            values["error"] = failed.value
            spoken.append((_FAILURE, failed.key, failed.taken, None))
        return self._reading(values, chosen, claims, tuple(spoken), attributes)

    def settle(self, span: Span, open_keys: Set[str]) -> Settled | None:
        """What is settled of all spans of this shape whose attributes, but for those of `open_keys`, are this one's.

        None where that is too little: the kind of work depends on open attributes, or the span failed.
        """
        watched = Watched(span)
        seen, seen_as = watched.seen, cast("Span", watched)
        is_open = open_keys | PLACES
        kind, _, claims = self._claimed(seen_as)
        if not seen.isdisjoint(is_open) or failure.failure(span) is not None:
            return None
        values: dict[str, Any] = {"kind": kind}
        live: list[Live] = []
        before: dict[str, Any] = {}
        fields: dict[str, None] = {}
        for is_bare, asks in self._fields:
            if is_bare and claims:
                continue
            is_told = "messages" in values or "output_messages" in values
            for ask in asks:
                at, field, attribute, say = ask
                seen.clear()
                value = say(seen_as if attribute is None else watched.attributes[attribute])
                # What is said after an open attribute was heard may depend on what that said.
                is_live = field in fields or not seen.isdisjoint(is_open)
                if is_live and field not in fields:
                    fields[field] = None
                    if field in values:
                        before[field] = values[field]
                heard = None if value is None else self._hear(at, field, value, values, is_told=is_told)
                if is_live:
                    live.append((*ask, is_told, heard))
        if "error" in values or any(value is None for value in values.values()):
            return None
        return Settled(tuple(live), before, tuple(fields))

    def heard(self, settled: Settled, span: Span) -> dict[str, Any] | None:
        """What a span says of the fields that are not settled; None where it is to be read as any other."""
        attributes = span.attributes
        values = dict(settled.before)
        for at, field, attribute, say, is_told, before in settled.live:
            value = say(span if attribute is None else attributes[attribute])
            if type(before) is int:  # a value alone, of a field of which nobody had spoken
                if value is None or type(value) is Found:
                    return None
                values[field] = value
                continue
            heard = None if value is None else self._hear(at, field, value, values, is_told=is_told)
            if heard != before or (heard is not None and values[field] is None):
                return None
        return values

    def _hear(self, at: int, field: str, value: Any, values: dict[str, Any], *, is_told: bool) -> Spoken | None:
        """A reader has said something: that it was heard, and `values` with it; None where it had nothing to add."""
        if field in values or (is_told and field in _MESSAGES):
            return self._once_more(at, value, values, is_told=is_told)
        if type(value) is Found:
            found = cast("Found[Any]", value)
            values[field] = found.value
            return at, found.key, found.taken, None
        values[field] = value
        return at

    def _reading(
        self,
        values: dict[str, Any],
        chosen: int,
        claims: tuple[Spoken, ...],
        spoken: tuple[Spoken, ...],
        keys: Iterable[str],
    ) -> Reading:
        pattern = (chosen, claims, spoken)
        end = self._ends.get(pattern)
        if end is None:
            end = self._end(*pattern, keys)
            if len(self._ends) < self._most_ends:
                self._ends[pattern] = end
        return Reading(
            operation=Operation(**values),
            conventions=end.claimants,
            sources=end.sources,
            told=end.told,
            taken=end.taken,
            left=end.left,
        )

    def claims(self, span: Span) -> bool:
        """Whether any convention claims the span."""
        return bool(self._claimed(span)[2])

    def _enter(self, speaker: Speaker, field: str, narrowed: Narrowed) -> _Ask:
        self._readers.append((speaker.name, field, narrowed))
        return len(self._readers) - 1, field, narrowed.attribute, narrowed.say

    def _claimed(self, span: Span) -> tuple[Kind, int, tuple[Spoken, ...]]:
        """The kind, which of the claims it is, and all claims there are."""
        claims: list[Spoken] = []
        kinds: list[Kind] = []
        stated: int | None = None
        for asks in self._kinds:
            for at, field, attribute, say in asks:
                value = say(span if attribute is None else span.attributes[attribute])
                if value is None:
                    continue
                if type(value) is Found:
                    found = cast("Found[Any]", value)
                    claims.append((at, found.key, found.taken, None))
                    value = found.value
                else:
                    claims.append(at)
                if field == _STATED and stated is None:
                    stated = len(kinds)
                kinds.append(value)
                break
        if not kinds:
            return _STEP, 0, ()
        # Anything may be presumed a chain, so a chain yields to what is more particular.
        chosen = stated if stated is not None else min(range(len(kinds)), key=lambda at: kinds[at] is _CHAIN)
        return kinds[chosen], chosen, tuple(claims)

    def _once_more(self, at: int, value: Any, values: dict[str, Any], *, is_told: bool) -> _Said | None:
        """What is said of a field of which somebody has been heard: it may complete that, or say the same."""
        _, field, narrowed = self._readers[at]
        key, taken, parts = narrowed.key, narrowed.taken, narrowed.parts
        if type(value) is Found:
            found = cast("Found[Any]", value)
            value, key, taken, parts = found.value, found.key, found.taken, found.parts
        if (is_told and field in _MESSAGES) or value == values[field]:
            return at, key, taken, ()
        if field not in _COMPLETED:
            return None
        lacking = _lacking(values[field], value)
        values[field] = _completed(values[field], lacking)
        return at, key, taken, tuple([(part, parts.get(part, key)) for part in lacking])

    def _end(self, chosen: int, claims: tuple[Spoken, ...], spoken: tuple[Spoken, ...], keys: Iterable[str]) -> _End:
        """What comes of it that these have spoken, on a span of these keys."""
        claimants: list[str] = []
        sources: dict[str, Source] = {}
        taken: set[str] = set()
        for position, claim in enumerate(claims):
            convention, field, key, used, _ = self._told(claim)
            claimants.append(convention)
            if field == _STATED:
                taken.update(used)
            if position == chosen:
                sources["kind"] = Source(convention=convention, key=key)
        for one in spoken:
            convention, field, key, used, parts = self._told(one)
            taken.update(used)
            if parts is None:
                sources[field] = Source(convention=convention, key=key)
            else:
                sources.update((f"{field}.{part}", Source(convention=convention, key=of)) for part, of in parts)
        left = tuple([key for key in keys if key not in taken])
        return _End(tuple(claimants), sources, told(sources), frozenset(taken), left)

    def _told(self, spoken: Spoken) -> tuple[str, str, str, tuple[str, ...], tuple[tuple[str, str], ...] | None]:
        """The convention and field of a reader that has spoken; the key, what it took, and what it completed."""
        if isinstance(spoken, int):
            convention, field, narrowed = self._readers[spoken]
            return convention, field, narrowed.key, narrowed.taken, None
        at, key, taken, parts = spoken
        if at == _FAILURE:
            return failure.CONVENTION, "error", key, taken, None
        convention, field, _ = self._readers[at]
        return convention, field, key, taken, parts


def _lacking(heard: Any, said: Any) -> dict[str, Any]:
    """The parts of what is said that what was heard leaves open."""
    if isinstance(heard, (Usage, Cost)):
        parts = {part: getattr(said, part) for part in heard.__struct_fields__ if getattr(heard, part) is None}
        return {part: value for part, value in parts.items() if value is not None}
    return {part: value for part, value in cast("Mapping[str, Any]", said).items() if part not in heard}


def _completed(heard: Any, lacking: Mapping[str, Any]) -> Any:
    if not lacking:
        return heard
    return msgspec.structs.replace(heard, **lacking) if isinstance(heard, (Usage, Cost)) else {**heard, **lacking}

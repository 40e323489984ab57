"""A mould: the JSON of a log, with places left open for what differs from span to span.

It is made of one log that `build` has built, of a span whose open values were replaced by marks nobody else writes:
where a mark comes out, the value belongs. So a mould knows nothing of how a log is laid out, and what is cast in it is
what would have been built, byte for byte.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from otel_humanloop import v4
from otel_humanloop.logs.build import log_of
from otel_humanloop.logs.casting import COUNTS
from otel_humanloop.logs.moves import Create
from otel_humanloop.logs.naming import usable
from otel_humanloop.native import compiled
from otel_humanloop.operation import Cost, Reading, Usage
from otel_humanloop.settings import Settings

TEXTS = ("response_id", "conversation", "tool_call_id")
"""Fields of an operation that a log holds as they are, as texts."""

ENCODED = ("messages", "output", "output_message", "inputs", "resource")
"""Places of what is mostly long: each comes encoded."""

_SUMS = ("prompt_tokens", "output_tokens")
"""Counts a log does not state where a log below it does."""

_NEWLINE = b"\n"

_T = TypeVar("_T")

encoder = msgspec.json.Encoder()


class Mould:
    """The JSON of a log, ready to be filled.

    Args:
        body: The JSON with marks.
        marks: Each place's mark as it stands in the JSON.

    Raises:
        LookupError: A mark is not there.
    """

    def __init__(self, body: bytes, marks: Mapping[str, bytes]) -> None:
        cuts = sorted((at, at + len(mark), place) for place, mark in marks.items() for at in _found(body, mark))
        places = tuple([place for _, _, place in cuts])
        if missing := marks.keys() - set(places):
            raise LookupError(f"no mark for {', '.join(sorted(missing))}")
        ends = [0, *(end for _, end, _ in cuts)]
        starts = [*(start for start, _, _ in cuts), len(body)]
        self._pieces = tuple([body[start:end] for start, end in zip(ends, starts, strict=True)])
        self._places = tuple([(place, place in ENCODED) for place in places])

    def filled(self, values: Mapping[str, Any]) -> bytes:
        """The log with these values in its places.

        Args:
            values: By place; more than there are places for may be given. Those of `ENCODED` places are JSON.

        Raises:
            KeyError, TypeError, ValueError, OverflowError, RecursionError: A value is missing or is none of JSON's.
        """
        return filled(self._pieces, self._places, values)


@compiled("writing")
def filled(pieces: tuple[bytes, ...], places: Sequence[tuple[str, bool]], values: Mapping[str, Any]) -> bytes:
    """The pieces, with the JSON of a value between each two of them.

    Args:
        places: The name of each value, and whether it is JSON already.

    Raises:
        KeyError, TypeError, ValueError, OverflowError, RecursionError: A value is missing or is none of JSON's.
    """
    # One call for all that is small: JSON has no line breaks of its own.
    lines = encoder.encode_lines([values[place] for place, is_encoded in places if not is_encoded]).split(_NEWLINE)
    small = iter(lines)
    parts = [b""] * (2 * len(places) + 1)
    parts[0::2] = pieces
    parts[1::2] = [values[place] if is_encoded else next(small) for place, is_encoded in places]
    return b"".join(parts)


def mould_of(
    create: Create,
    reading: Reading,
    settings: Settings,
    *,
    live: Iterable[str],
    open_keys: Iterable[str],
    cost: Cost | None,
    is_priced: bool,
) -> Mould | None:
    """The mould of the logs of spans like this one; None where none can be made.

    Args:
        create: Its log is to be created so. There are places for a parent and a user where this one has them.
        reading: What the span says.
        live: The fields of its operation that differ from span to span.
        open_keys: The attributes no field took that differ.
        cost: What the call cost, where it is `is_priced` by published prices.
    """
    marks = _Marks()
    span, operation = create.draft.span, reading.operation
    said: dict[str, Any] = {
        name: marks.text(name) for name in TEXTS if name in live and getattr(operation, name) is not None
    }
    if "usage" in live and operation.usage is not None:
        counts = zip(Usage.__struct_fields__, COUNTS, msgspec.structs.astuple(operation.usage), strict=True)
        said["usage"] = Usage(
            **{
                name: count if create.without_usage and name in _SUMS else marks.whole(place)
                for name, place, count in counts
                if count is not None
            }
        )
    marked = msgspec.structs.replace(
        span,
        trace_id=marks.text("trace_id"),
        span_id=marks.text("span_id"),
        parent_id=marks.text("parent_id") if span.parent_id is not None else None,
        start_ns=marks.whole("start_ns"),
        attributes={**span.attributes, **{key: marks.text(place_of(key)) for key in open_keys}},
    )
    draft = msgspec.structs.replace(
        create.draft,
        span=marked,
        said=msgspec.structs.replace(reading, operation=msgspec.structs.replace(operation, **said)),
        cast=None,
    )
    user = marks.text("user") if create.user is not None else None
    log = log_of(msgspec.structs.replace(create, draft=draft, user=user), settings, cost=cost, is_priced=is_priced)
    if log.created_at is None:
        return None
    placed: dict[str, Any] = {
        "session_reference_id": marks.text("session"),
        "reference_id": marks.text("reference"),
        "created_at": marks.text("created_at"),
        "duration": marks.fraction("duration"),
    }
    if usable(operation.project) is None:
        placed["project"] = marks.text("project")
    if span.resource.attributes:
        placed["metadata"] = {**(log.metadata or {}), "resource": marks.value("resource", {"mark": marks.said()})}
    if create.parent is not None:
        placed["parent_reference_id"] = marks.text("parent")
    if is_priced and cost is not None:
        placed.update(prompt_cost=marks.fraction("prompt_cost"), output_cost=marks.fraction("output_cost"))
    if "messages" in live and log.messages is not None:
        placed["messages"] = marks.value("messages", [v4.ChatMessage(role="user", content=marks.said())])
    if "output_messages" in live and log.output_message is not None:
        placed["output_message"] = marks.value("output_message", v4.ChatMessage(role="user", content=marks.said()))
    if log.output is not None and not {"output", "output_messages"}.isdisjoint(live):
        placed["output"] = marks.text("output")
    if "inputs" in live and log.inputs is not None:
        placed["inputs"] = marks.value("inputs", {"mark": marks.said()})
    try:
        return Mould(encoder.encode(msgspec.structs.replace(log, **placed)), marks.written)
    except (LookupError, TypeError, ValueError, OverflowError, RecursionError):
        return None


def place_of(key: str) -> str:
    """The place of an attribute no field took."""
    return f"attributes.{key}"


class _Marks:
    """Values nobody else writes. `written` has each as it stands in JSON, by its place."""

    def __init__(self) -> None:
        self.written: dict[str, bytes] = {}
        self._random = random.Random()

    def said(self) -> str:
        return f"mark-{self._random.getrandbits(96):024x}"

    def value(self, place: str, value: _T) -> _T:
        self.written[place] = encoder.encode(value)
        return value

    def text(self, place: str) -> str:
        return self.value(place, self.said())

    def whole(self, place: str) -> int:
        return self.value(place, self._random.randrange(10**11, 10**12))

    def fraction(self, place: str) -> float:
        return self.value(place, self._random.randrange(10**8, 10**9) + 0.5)


def _found(body: bytes, mark: bytes) -> Iterator[int]:
    at = body.find(mark)
    while at >= 0:
        yield at
        at = body.find(mark, at + len(mark))

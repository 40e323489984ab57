"""A form of logs: those of spans that are alike. It casts each in a mould, and knows what goes into which place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from otel_humanloop import pricing
from otel_humanloop.logs import casting
from otel_humanloop.logs.build import elapsed, instant, reference_id
from otel_humanloop.logs.draft import Draft
from otel_humanloop.logs.encode import plain_text
from otel_humanloop.logs.likeness import Entry
from otel_humanloop.logs.mould import COUNTS, TEXTS, Mould, mould_of, place_of
from otel_humanloop.logs.moves import Create
from otel_humanloop.operation import Cost, Kind, Operation, Usage
from otel_humanloop.reading.limits import losses
from otel_humanloop.settings import Settings

OPEN = frozenset({*TEXTS, "messages", "output_messages", "inputs", "output", "usage", "session", "user"})
"""Fields of an operation that may differ between the spans of one mould. Values of all others are part of what it is
known by."""


class Cast(msgspec.Struct, frozen=True, gc=False):
    """What differs between a span and others of its form: fields of its operation, by their names."""

    form: Form
    values: Mapping[str, Any]


class Form:
    """What spans have in common whose logs are cast in the same moulds: one for each way to hang a log in its session.

    Args:
        like: One of them.
        entry: How they were found to be alike.

    Attributes:
        operation: What `like` does; of the fields that differ, only whether they are said holds for the others.
        names_itself: One of the fields by which its session, its user or its call are known differs.
    """

    def __init__(self, like: Draft, entry: Entry[Form], settings: Settings) -> None:
        self.like = like
        self.operation: Operation = like.reading.operation
        self._settings = settings
        self._live = frozenset(entry.settled.fields)
        self._texts = [name for name in TEXTS if name in self._live and getattr(self.operation, name) is not None]
        left = set(like.reading.left)
        self._left = [(key, place_of(key)) for key in entry.open_keys if key in left]
        self._moulds: dict[tuple[bool, bool, bool], Mould | None] = {}
        operation = self.operation
        self.has_messages = operation.messages is not None or operation.output_messages is not None
        self.names_itself = not self._live.isdisjoint(("session", "conversation", "user", "response_id"))
        self.is_usable = not (
            operation.duration is not None
            or (operation.kind is Kind.EMBEDDING and "messages" in self._live)
            or losses(like.span)
        )
        self._is_priced = settings.prices != "none" and operation.cost is None
        self._stated: list[bool] | None = None
        if operation.usage is not None and "usage" in self._live:
            self._stated = [count is not None for count in msgspec.structs.astuple(operation.usage)]

    def log(self, create: Create, values: Mapping[str, Any]) -> tuple[bytes, str | None] | None:
        """The JSON of the log of a span of this form, and its project; None where it is to be built.

        Raises:
            Unusual: The same.
            TypeError, ValueError, OverflowError, RecursionError: The same: a value is none of JSON's.
        """
        span = create.draft.span
        assert span.end_ns is not None
        usage: Usage | None = values.get("usage", self.operation.usage)
        cost = self._price(usage, span.start_ns) if self._is_priced else None
        places: dict[str, Any] = {
            "session": create.session,
            "reference": reference_id(create.key, self._settings),
            "user": create.user,
            "created_at": instant(span.end_ns),
            "duration": elapsed(span.start_ns, span.end_ns),
            "trace_id": span.trace_id,
            "span_id": span.span_id,
            "parent_id": span.parent_id,
            "start_ns": span.start_ns,
        }
        if places["created_at"] is None:
            return None
        if create.parent is not None:
            places["parent"] = reference_id((create.key[0], create.parent), self._settings)
        if (messages := values.get("messages")) is not None:
            places["messages"] = casting.conversation(messages)
        if (answers := values.get("output_messages")) is not None:
            places["output_message"], places["output"] = casting.answer(answers)
        elif (output := values.get("output")) is not None:
            places["output"] = plain_text(output)
        if "inputs" in values:
            places["inputs"] = values["inputs"]
        if usage is not None and self._stated is not None:
            places.update(zip(COUNTS, casting.counts(usage, self._stated), strict=True))
        if cost is not None:
            places["prompt_cost"], places["output_cost"] = cost.prompt, cost.output
        for name in self._texts:
            places[name] = values[name]
        attributes = span.attributes
        for key, place in self._left:
            places[place] = attributes[key]
        kind = create.parent is not None, create.user is not None, cost is not None
        mould = self._moulds[kind] if kind in self._moulds else self._mould(kind, create, cost)
        return (mould.filled(places), mould.project) if mould is not None else None

    def _mould(self, kind: tuple[bool, bool, bool], create: Create, cost: Cost | None) -> Mould | None:
        mould = self._moulds[kind] = mould_of(
            create,
            create.draft.reading,
            self._settings,
            live=self._live,
            open_keys=[key for key, _ in self._left],
            cost=cost if self._is_priced else self.operation.cost,
            is_priced=self._is_priced,
        )
        return mould

    def _price(self, usage: Usage | None, at_ns: int) -> Cost | None:
        operation = self.operation
        return pricing.price(
            Operation(
                kind=operation.kind,
                provider=operation.provider,
                request_model=operation.request_model,
                response_model=operation.response_model,
                usage=usage,
            ),
            at_ns,
        )

"""A form of logs: those of spans that are alike. It casts each in a mould, and knows what goes into which place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from otel_humanloop import pricing
from otel_humanloop.logs import casting
from otel_humanloop.logs.build import elapsed, instant, project_of, reference_id
from otel_humanloop.logs.draft import Draft
from otel_humanloop.logs.encode import plain_text
from otel_humanloop.logs.likeness import Entry
from otel_humanloop.logs.metadata import nested
from otel_humanloop.logs.mould import TEXTS, Mould, encoder, mould_of, place_of
from otel_humanloop.logs.moves import Create
from otel_humanloop.logs.naming import usable
from otel_humanloop.operation import Cost, Kind, Usage
from otel_humanloop.reading.limits import losses
from otel_humanloop.settings import Settings
from otel_humanloop.spans import Resource, Span

OPEN = frozenset({*TEXTS, "messages", "output_messages", "inputs", "output", "usage", "session", "user"})
"""Fields of an operation that may differ between the spans of one mould. Values of all others are part of what it is
known by."""

_NO_SPAN = Span(trace_id="", span_id="")


class Cast(msgspec.Struct, frozen=True, gc=False):
    """A span of a form, and what goes into the places of its mould."""

    form: Form
    places: dict[str, Any]


class Origin(msgspec.Struct, frozen=True, gc=False):
    """What all logs of a resource say of it.

    Attributes:
        project: The project of those whose spans name none.
        written: The JSON of what stands in their metadata; None where it has none.
    """

    resource: Resource
    project: str
    written: bytes | None


def origin_of(resource: Resource, settings: Settings) -> Origin:
    """What logs say of a resource.

    Raises:
        TypeError, ValueError, OverflowError, RecursionError: It holds what is no value of JSON's.
    """
    written = encoder.encode(nested(resource.attributes)) if resource.attributes else None
    return Origin(resource, project_of(None, resource, settings), written)


class Form:
    """What spans have in common whose logs are cast in the same moulds: one for each way to hang a log in its session.

    Args:
        like: One of them.
        entry: How they were found to be alike.

    Attributes:
        like: What is known of all of them.
        operation: What they do, but for what differs.
        is_usable: Their logs can be cast at all.
        names_itself: One of the fields by which its session, its user or its call are known differs.
    """

    def __init__(self, like: Draft, entry: Entry[Form], settings: Settings) -> None:
        reading = like.reading
        operation = reading.operation
        self._settings = settings
        self._project = usable(operation.project)
        self._live = frozenset(entry.settled.fields)
        self._texts = [name for name in TEXTS if name in self._live and getattr(operation, name) is not None]
        left = set(reading.left)
        self._left = [(key, place_of(key)) for key in entry.open_keys if key in left]
        self._moulds: dict[tuple[bool, ...], Mould | None] = {}
        self.has_messages = operation.messages is not None or operation.output_messages is not None
        self.names_itself = not self._live.isdisjoint(("session", "conversation", "user", "response_id"))
        self.is_usable = not (
            operation.duration is not None
            or (operation.kind is Kind.EMBEDDING and "messages" in self._live)
            or losses(like.span)
        )
        self._is_priced = settings.prices != "none" and operation.cost is None and operation.kind in pricing.PRICED
        self._counts: casting.Counts | None = None
        if operation.usage is not None and "usage" in self._live:
            self._counts = casting.Counts(operation.usage)
        # What differs may be large, and is another span's from now on.
        self.operation = msgspec.structs.replace(operation, **dict.fromkeys(self._live & OPEN))
        self.like = msgspec.structs.replace(like, span=_NO_SPAN, said=None)

    def places(self, span: Span, values: Mapping[str, Any], origin: Origin) -> dict[str, Any]:
        """What goes into the places of a mould, but for what depends on how the log is hung in its session.

        It is worked out as soon as the span is read: words that were just read are in the processor's cache.

        Raises:
            Unusual: There is no place for something.
            TypeError, ValueError, OverflowError, RecursionError: Something is no value of JSON's.
        """
        end_ns = span.end_ns
        assert end_ns is not None
        usage: Usage | None = values.get("usage", self.operation.usage)
        places: dict[str, Any] = {
            "created_at": instant(end_ns),
            "duration": elapsed(span.start_ns, end_ns),
            "trace_id": span.trace_id,
            "span_id": span.span_id,
            "parent_id": span.parent_id,
            "start_ns": span.start_ns,
            "resource": origin.written,
            "project": self._project or origin.project,
        }
        if places["created_at"] is None:
            raise casting.Unusual
        if (messages := values.get("messages")) is not None:
            places["messages"] = casting.written(messages)
        if (answers := values.get("output_messages")) is not None:
            places["output_message"], places["output"] = casting.answer(answers)
        elif (output := values.get("output")) is not None:
            places["output"] = encoder.encode(plain_text(output))
        if "inputs" in values:
            places["inputs"] = encoder.encode(values["inputs"])
        if usage is not None and self._counts is not None:
            places.update(zip(self._counts.places, self._counts.of(usage), strict=False))
        if self._is_priced and (cost := self._price(usage, span.start_ns)) is not None:
            places["prompt_cost"], places["output_cost"] = cost.prompt, cost.output
        for name in self._texts:
            places[name] = values[name]
        attributes = span.attributes
        for key, place in self._left:
            places[place] = attributes[key]
        return places

    def log(self, create: Create, places: dict[str, Any]) -> tuple[bytes, str] | None:
        """The JSON of the log of a span of this form, and its project; None where it is to be built.

        Args:
            places: What `places` gave.

        Raises:
            TypeError, ValueError, OverflowError, RecursionError: It is to be built: something is no value of JSON's.
        """
        parent, user = create.parent, create.user
        kind = parent is not None, user is not None, "prompt_cost" in places, create.without_usage
        mould = self._moulds[kind] if kind in self._moulds else self._mould(kind, create, places)
        if mould is None:
            return None
        places["session"] = create.session
        places["reference"] = reference_id(create.key, self._settings)
        places["user"] = user
        if parent is not None:
            places["parent"] = reference_id((create.key[0], parent), self._settings)
        return mould.filled(places), places["project"]

    def _mould(self, kind: tuple[bool, ...], create: Create, places: Mapping[str, Any]) -> Mould | None:
        is_priced = self._is_priced and not create.without_usage
        cost = None if create.without_usage else self.operation.cost
        if is_priced and "prompt_cost" in places:
            cost = Cost(prompt=places["prompt_cost"], output=places["output_cost"])
        mould = self._moulds[kind] = mould_of(
            create,
            create.draft.reading,
            self._settings,
            live=self._live,
            open_keys=[key for key, _ in self._left],
            cost=cost,
            is_priced=is_priced,
        )
        self.is_usable = self.is_usable and mould is not None
        return mould

    def _price(self, usage: Usage | None, at_ns: int) -> Cost | None:
        operation = self.operation
        return pricing.price_of(operation.provider, operation.request_model, operation.response_model, usage, at_ns)

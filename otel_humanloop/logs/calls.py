"""One call of a model seen twice: by the client's own tracing and by an instrumentation around it, or by one library
that makes a span of the call and one of what went over the wire."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

import msgspec

from otel_humanloop.logs.draft import Draft
from otel_humanloop.spans import SpanKey


class Call(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A span of a call of a model.

    Attributes:
        id: The provider's id of the response.
        parent: The span's parent.
        scope: The library that made the span.
        wealth: How much it tells of the call.
        model: The model that was asked.
    """

    id: str
    key: SpanKey
    parent: str | None = None
    scope: str
    start_ns: int
    end_ns: int
    wealth: int
    model: str | None = None


_Moment = tuple[str, str, int, int]
_Key = TypeVar("_Key")


class Calls:
    """The calls seen lately, by the id the provider gave the response, and by where and when they were.

    The id alone proves nothing (some servers give every response the same one): two spans are of one call when they
    name one response, come from different libraries, and one lies within the other's time; or when they name one
    response and are parent and child. (In JavaScript a span starts by a clock of milliseconds and ends by a finer one,
    so that a child may end after its parent.) A parent and its child of one library whose times are the same to the
    nanosecond are of one call without a name. So are a parent and its child of different libraries that both failed
    asking the same model: no response was there to be named. Each such parent has one such child; where a client tried
    again, the others are calls of their own.

    Args:
        most: How many calls are remembered.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        # To find the first of a dict of which many were deleted, Python goes through the gaps they left.
        self._calls: OrderedDict[str, Call] = OrderedDict()
        self._moments: OrderedDict[_Moment, Call] = OrderedDict()
        self._failed: OrderedDict[SpanKey, Call] = OrderedDict()
        self._failed_below: OrderedDict[SpanKey, Call] = OrderedDict()  # by their parents
        self._paired: OrderedDict[SpanKey, Call] = OrderedDict()  # failed, and have found their twin

    def meet(self, draft: Draft) -> Call | None:
        """The other span of the same call, if it was remembered; where there is none, this one stands for its call from
        now on."""
        moment = _moment(draft)
        other = self._moments.get(moment)
        if other is None or not _are_related(draft, other):
            if not draft.call_id:
                other = self._failed_twin_of(draft)
            elif (other := self._calls.get(draft.call_id)) is not None and not _are_one(draft, other):
                other = None
        if other is None:
            self._remember(draft, moment)
        return other

    def remember(self, draft: Draft) -> None:
        """This span stands for its call from now on."""
        self._remember(draft, _moment(draft))

    def _remember(self, draft: Draft, moment: _Moment) -> None:
        _, scope, start_ns, end_ns = moment
        call = Call(
            id=draft.call_id or "",
            key=draft.key,
            parent=draft.parent,
            scope=scope,
            start_ns=start_ns,
            end_ns=end_ns,
            wealth=draft.wealth,
            model=draft.model,
        )
        self._moments[moment] = call
        if len(self._moments) > self._most:
            self._moments.popitem(last=False)
        if draft.call_id:
            self.recall(call)
        elif draft.failed and call.key not in self._paired:
            self._keep(self._failed, call.key, call)
            if call.parent is not None:
                self._keep(self._failed_below, (call.key[0], call.parent), call)

    def _failed_twin_of(self, draft: Draft) -> Call | None:
        """The other span of a call that failed. Neither has another twin from then on."""
        if not draft.failed:
            return None
        above = (draft.key[0], draft.parent) if draft.parent is not None else None
        other = self._failed.get(above) if above is not None else None
        other = self._failed_below.get(draft.key) if other is None else other
        if other is None or other.scope == draft.span.scope.name or other.model != draft.model:
            return None
        self._failed.pop(other.key, None)
        if other.parent is not None and self._failed_below.get((other.key[0], other.parent)) is other:
            del self._failed_below[other.key[0], other.parent]
        self._keep(self._paired, draft.key, other)
        return other

    def _keep(self, calls: OrderedDict[_Key, Call], key: _Key, call: Call) -> None:
        calls[key] = call
        if len(calls) > self._most:
            calls.popitem(last=False)

    def recall_as(self, draft: Draft, key: SpanKey) -> None:
        """That span stands for this one's call from now on, and tells what this one tells."""
        call = self._calls.get(draft.call_id) if draft.call_id else None
        if call is not None and call.key == key:
            self.recall(msgspec.structs.replace(call, wealth=draft.wealth))

    def recall(self, call: Call) -> str:
        """That span stands for its call from now on; gives the call's id."""
        calls = self._calls
        if call.id in calls:
            calls.move_to_end(call.id)
        calls[call.id] = call
        if len(calls) > self._most:
            calls.popitem(last=False)
        return call.id

    def of(self, call_id: str | None, key: SpanKey) -> Call | None:
        """The call of that id, where this span stands for it."""
        call = self._calls.get(call_id) if call_id is not None else None
        return call if call is not None and call.key == key else None


def _moment(draft: Draft) -> _Moment:
    span = draft.span
    return span.trace_id, span.scope.name, span.start_ns, span.end_ns or span.start_ns


def _are_related(draft: Draft, other: Call) -> bool:
    """Is one the other's parent?"""
    (trace_id, span_id), (other_trace_id, other_span_id) = draft.key, other.key
    return trace_id == other_trace_id and (draft.parent == other_span_id or other.parent == span_id)


def _are_one(draft: Draft, other: Call) -> bool:
    """Are two spans that name one response of one call?"""
    if other.key == draft.key:
        return False
    start, end = draft.span.start_ns, draft.span.end_ns or draft.span.start_ns
    if _are_related(draft, other):
        return start <= other.end_ns and other.start_ns <= end
    if other.scope == draft.span.scope.name:
        return False
    within = other.start_ns <= start and end <= other.end_ns
    around = start <= other.start_ns and other.end_ns <= end
    return within or around

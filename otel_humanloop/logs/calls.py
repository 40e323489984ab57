"""One call of a model seen twice: by the client's own tracing and by an instrumentation around it."""

from __future__ import annotations

import msgspec

from otel_humanloop.logs.draft import Draft
from otel_humanloop.spans import SpanKey


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A span of a call of a model.

    Attributes:
        id: The provider's id of the response.
        scope: The library that made the span: one library does not see one call twice.
        wealth: How much it tells of the call.
    """

    id: str
    key: SpanKey
    scope: str
    start_ns: int
    end_ns: int
    wealth: int


class Calls:
    """The calls seen lately, by the id the provider gave the response.

    The id alone proves nothing (some servers give every response the same one): two spans are of one call when they
    name one response, come from different libraries, and one lies within the other's time.

    Args:
        most: How many calls are remembered.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._calls: dict[str, Call] = {}

    def twin_of(self, draft: Draft) -> Call | None:
        """The other span of the same call, if it was remembered."""
        if not draft.is_call or not draft.call_id:
            return None
        other = self._calls.get(draft.call_id)
        if other is None or other.key == draft.key or other.scope == draft.span.scope.name:
            return None
        start, end = draft.span.start_ns, draft.span.end_ns or draft.span.start_ns
        within = other.start_ns <= start and end <= other.end_ns
        around = start <= other.start_ns and other.end_ns <= end
        return other if within or around else None

    def remember(self, draft: Draft) -> None:
        """This span stands for its call from now on."""
        if not draft.is_call or not draft.call_id:
            return
        self.recall(
            Call(
                id=draft.call_id,
                key=draft.key,
                scope=draft.span.scope.name,
                start_ns=draft.span.start_ns,
                end_ns=draft.span.end_ns or draft.span.start_ns,
                wealth=draft.wealth,
            )
        )

    def recall(self, call: Call) -> str:
        """That span stands for its call from now on; gives the call's id."""
        self._calls.pop(call.id, None)
        self._calls[call.id] = call
        if len(self._calls) > self._most:
            del self._calls[next(iter(self._calls))]
        return call.id

    def of(self, call_id: str | None, key: SpanKey) -> Call | None:
        """The call of that id, where this span stands for it."""
        call = self._calls.get(call_id) if call_id is not None else None
        return call if call is not None and call.key == key else None

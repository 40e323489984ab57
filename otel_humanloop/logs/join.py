"""Log records and the spans they were emitted in, brought together.

Some instrumentations put what was said to a model and by it into log records, which travel apart from their span and
may come before or after it. A span gains one event for each of its records: the record's name, its attributes, and
its body under the key `body`.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from itertools import count

import msgspec

from otel_humanloop.logs.draft import Draft
from otel_humanloop.spans import Event, LogRecord, Span, SpanKey

BODY = "body"
"""The attribute of the event in which a record's body is found."""

_OF_A_CALL = "gen_ai."
"""How the names of events begin that tell of a span (OpenTelemetry's semantic conventions for generative AI)."""

_LINGER = 300.0  # seconds a record waits for its span: it is often emitted at a call's start, and the span at its end

_TOGETHER = 1.0  # seconds after a record in which others of the same span are expected

_MAX_WAITING = 20_000
"""Records that wait for their span; beyond it, the oldest are let go."""


def belongs_to(record: LogRecord) -> SpanKey | None:
    """The span a record tells of; None for one that tells of none."""
    if record.trace_id is None or record.span_id is None or not record.event_name.startswith(_OF_A_CALL):
        return None
    return record.trace_id, record.span_id


class _Waiting(msgspec.Struct, kw_only=True):
    """A span that waits. Its `ticket` tells the turn that counts from those that were given up for an earlier one."""

    span: Span
    until: float
    ticket: int


class Joins:
    """Spans that wait for records, and records that wait for spans.

    A span waits where it is a call of a model that says nothing of what was said: at most `hold` seconds for a first
    record, and a moment for others of the same call. A span that says it by itself is not held up.

    Args:
        hold: Seconds; may be changed, for the spans that come after.
        most: Records that are kept for spans still to come.
    """

    def __init__(self, *, hold: float, most: int = _MAX_WAITING) -> None:
        self.hold = hold
        self._most = most
        self._spans: dict[SpanKey, _Waiting] = {}
        self._turns: list[tuple[float, int, SpanKey]] = []  # a heap: until when, the ticket, who
        self._ticket = count()
        self._records: OrderedDict[SpanKey, tuple[float, list[LogRecord]]] = OrderedDict()
        self._count = 0
        self._forgotten: list[SpanKey] = []

    def add_record(self, record: LogRecord, now: float) -> None:
        """A record has come."""
        key = belongs_to(record)
        if key is None:
            return
        _, records = self._records.pop(key, (now, []))
        if record not in records:
            records.append(record)
            self._count += 1
        self._records[key] = now, records
        waiting = self._spans.get(key)
        if waiting is not None and (until := now + min(self.hold, _TOGETHER)) < waiting.until:
            waiting.until, waiting.ticket = until, self._turn(key, until)
        while self._count > self._most and len(self._records) > 1:
            self._forget(next(iter(self._records)))

    def add_span(self, draft: Draft, now: float) -> Span | None:
        """A span has come: it is given back, with its records where it has some, unless it is to wait for them."""
        if draft.key in self._spans:
            return None
        if not _says_nothing(draft):
            return self._joined(draft.span)
        wait = min(self.hold, _TOGETHER) if draft.key in self._records else self.hold
        if not wait:
            return self._joined(draft.span)
        until = now + wait
        self._spans[draft.key] = _Waiting(span=draft.span, until=until, ticket=self._turn(draft.key, until))
        return None

    def ready(self, now: float) -> list[Span]:
        """The spans that have waited for long enough, joined with their records."""
        ready: list[Span] = []
        while (due := self.due) is not None and due <= now:
            _, _, key = heapq.heappop(self._turns)
            ready.append(self._spans.pop(key).span)
        while self._records and (first := next(iter(self._records.items())))[1][0] <= now - _LINGER:
            self._forget(first[0])
        return [self._joined(span) for span in ready]

    def release(self) -> None:
        """No span waits any longer: a flush."""
        self._turns = []
        for key, waiting in self._spans.items():
            waiting.until = float("-inf")
            waiting.ticket = self._turn(key, waiting.until)

    def forgotten(self) -> list[SpanKey]:
        """The spans, since the last call, whose records were let go unjoined."""
        forgotten, self._forgotten = self._forgotten, []
        return forgotten

    @property
    def idle(self) -> bool:
        """Nothing waits, and no span that comes would: each is given back as it is."""
        return not (self.hold or self._spans or self._records)

    @property
    def waiting(self) -> int:
        """How many spans wait."""
        return len(self._spans)

    @property
    def due(self) -> float | None:
        """When the next span has waited for long enough."""
        turns = self._turns
        while turns and ((waiting := self._spans.get(turns[0][2])) is None or waiting.ticket != turns[0][1]):
            heapq.heappop(turns)
        return turns[0][0] if turns else None

    def _turn(self, key: SpanKey, until: float) -> int:
        ticket = next(self._ticket)
        heapq.heappush(self._turns, (until, ticket, key))
        return ticket

    def _joined(self, span: Span) -> Span:
        key = span.trace_id, span.span_id
        if key not in self._records:
            return span
        _, records = self._records.pop(key)
        self._count -= len(records)
        events = [_event(record) for record in sorted(records, key=lambda record: record.time_ns)]
        return msgspec.structs.replace(span, events=(*span.events, *events))

    def _forget(self, key: SpanKey) -> None:
        _, records = self._records.pop(key)
        self._count -= len(records)
        self._forgotten.append(key)


def _says_nothing(draft: Draft) -> bool:
    return draft.is_call and not draft.speaks


def _event(record: LogRecord) -> Event:
    attributes = dict(record.attributes)
    if record.body is not None:
        attributes[BODY] = record.body
    return Event(name=record.event_name, time_ns=record.time_ns, attributes=attributes)

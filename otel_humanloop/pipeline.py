"""The stages in their order. This is the program:

```
 SDK ──sdk.py──┐                                      reading/conventions/*.py
               ├─► Span ──► reading.read ──► Operation ──► logs.build ──► LogRequest
 OTLP ─otlp.py─┘      │                                                      │
                      └──► spool (kept until acknowledged)        logs.order (parents first)
                                                                             │
                          Humanloop v4 ◄── delivery.client ◄── delivery.sender
```
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_humanloop.delivery.client import Client
from otel_humanloop.delivery.sender import Outcome, Outgoing, Patch, Post, Sender
from otel_humanloop.delivery.size import size_of
from otel_humanloop.delivery.spools import Refusal, open_spool
from otel_humanloop.errors import SpoolFull, Unavailable
from otel_humanloop.logs.build import build_log, build_replacement, build_update, reference_id
from otel_humanloop.logs.draft import Draft, draft
from otel_humanloop.logs.encode import encode
from otel_humanloop.logs.moves import Complete, Create, Move
from otel_humanloop.logs.order import TraceAssembler
from otel_humanloop.notices import Notices
from otel_humanloop.settings import Settings
from otel_humanloop.spans import Span, SpanKey
from otel_humanloop.spans.sdk import from_readable, key_of
from otel_humanloop.worker import Worker

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_ENOUGH = 512
"""Ended spans that are worth a step before the delay is over."""

_MAX_OPEN = 10_000
"""Open spans that are remembered, so that they can be logged while they run."""


class Counts:
    """What became of spans and logs, since the start of the process."""

    def __init__(self) -> None:
        self.accepted = 0
        self.sent = 0
        self.refused = 0
        self.dropped: dict[str, int] = {}

    def drop(self, reason: str, number: int = 1) -> None:
        self.dropped[reason] = self.dropped.get(reason, 0) + number


class Pipeline:
    """Takes finished spans of this process and delivers their logs. Nothing here raises into the application.

    `accept` and `started` are called on the application's threads and only note the span down; all else happens on
    the worker's thread, or on the thread of whoever flushes.
    """

    _starts: deque[ReadableSpan]
    _ends: deque[ReadableSpan]
    _open: dict[tuple[int, int], ReadableSpan]
    _moves: deque[Move]
    _wave: list[Outgoing]
    _building: SpanKey | None
    _releasing: bool

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.counts = Counts()
        self._notices = Notices()
        self._spool = open_spool(settings.spool, max_spans=settings.max_spans, max_bytes=settings.max_bytes)
        self._client = Client(settings)
        self._closed = False
        self._prepare()
        self._worker = Worker(self._safely, on_fork=self._after_fork, delay=settings.delay, name="otel-humanloop")

    def started(self, span: ReadableSpan) -> None:
        """A span has started: it can be logged before it ends if it runs for long."""
        context = span.get_span_context()
        if self._closed or context is None or not context.trace_flags.sampled or len(self._open) >= _MAX_OPEN:
            return
        self._worker.start()
        self._open[context.trace_id, context.span_id] = span
        self._starts.append(span)

    def accept(self, span: ReadableSpan) -> bool:
        """A span has ended. False where it could not be kept; it is then counted as dropped."""
        context = span.get_span_context()
        if context is None or not context.trace_flags.sampled:
            return True
        if self._closed:
            self.counts.drop("shutdown")
            return False
        self._worker.start()
        if len(self._ends) + self._spool.spans >= self.settings.max_spans:
            self.counts.drop("full")
            self._notices.warn("full", f"the spool is full: a span was dropped{self._why()}")
            return False
        self._ends.append(span)
        if len(self._ends) >= _ENOUGH or not self.settings.delay:
            self._worker.wake()
        return True

    def accept_all(self, spans: Iterable[ReadableSpan]) -> bool:
        """The same for several; then delivers what can be delivered now, on this thread.

        A span processor that flushes hands its spans to the exporter and returns: what it handed over should be
        delivered by then. A backend that is not there is not waited for.
        """
        kept = [self.accept(span) for span in spans]
        self._worker.run(self._nothing_ready, timeout=self.settings.timeout, patient=False)
        return all(kept)

    def flush(self, timeout: float) -> bool:
        """Delivers the logs of all spans that have ended, for at most so many seconds; False if some remain."""
        if self._closed:
            return False
        self._releasing = True
        return self._worker.run(self._nothing_ready, timeout=timeout)

    def shutdown(self, timeout: float) -> None:
        """Delivers what can be in so many seconds and ends; what remains in memory is counted as dropped."""
        if self._closed:
            return
        self._closed = True
        self._worker.stop()
        self._releasing = True
        if self._worker.run(self._nothing_ready, timeout=timeout):
            self._assembler.close()
            self._spool.release(self._assembler.settled())
        left = len(self._ends) + self._spool.spans
        if left:
            self.counts.drop("shutdown", left)
            self._notices.warn("shutdown", f"{left} spans could not be delivered before the exit{self._why()}")
        self._client.close()
        self._spool.close()

    # One step

    def _safely(self, timeout: float) -> float | None:
        """The loop's catch: whatever one span or answer does to us, the next goes on, and it is counted."""
        try:
            return self._step(time.monotonic(), timeout)
        except Exception:  # noqa: BLE001
            self.counts.drop("internal")
            self._notices.warn("internal", "a span was lost to an error of otel-humanloop", trace=True)
            if self._building is not None:
                self._assembler.acknowledge(self._building, time.monotonic())
                self._building = None
            return 0

    def _step(self, now: float, timeout: float) -> float | None:
        self._take_in(now)
        if self._releasing:
            self._releasing = False
            self._assembler.release(now)
        self._assembler.expire(now)
        if not self._sender.waiting:
            self._moves.extend(self._assembler.take())
            while self._moves:
                self._wave.append(self._build(self._moves.popleft()))
            self._sender.put(self._wave)
            self._wave = []
        for outcome in self._sender.attempt(now, timeout=min(timeout, self.settings.timeout)):
            self._settle(outcome, now)
        self._spool.release(self._assembler.settled())
        if isinstance(self._sender.last_error, Unavailable):
            self._notices.warn("delivery", f"{self._sender.last_error}\n{self._spool.spans} spans wait")
        return self._wanted(now)

    def _take_in(self, now: float) -> None:
        while self._starts:
            starting = self._starts.popleft()
            context, parent = starting.get_span_context(), starting.parent
            if starting.end_time is None and context is not None:
                self._assembler.opened(
                    key_of(context),
                    key_of(parent)[1] if parent is not None else None,
                    now,
                    parent_is_remote=parent is not None and parent.is_remote,
                )
        for _ in range(len(self._ends)):
            readable = self._ends.popleft()
            if (context := readable.get_span_context()) is not None:
                self._open.pop((context.trace_id, context.span_id), None)
            span = from_readable(readable)
            try:
                self._spool.keep(span, size_of(span))
            except SpoolFull:
                self.counts.drop("full")
                self._notices.warn("full", f"the spool is full: a span was dropped{self._why()}")
                continue
            self.counts.accepted += 1
            self._assembler.add(self._draft(span), now)

    def _build(self, move: Move) -> Outgoing:
        self._building = move.key
        reference = reference_id(move.key, self.settings)
        if isinstance(move, Create):
            body = encode(build_log(move, self.settings))
        elif isinstance(move, Complete):
            body = encode(build_update(move))
        else:
            body = encode(build_replacement(move, self.settings))
        self._building = None
        kind = Patch if isinstance(move, Complete) else Post
        return kind(key=move.key, reference_id=reference, body=body)

    def _settle(self, outcome: Outcome, now: float) -> None:
        outgoing, refused = outcome.outgoing, outcome.refused
        if refused is None:
            self.counts.sent += 1
        else:
            self.counts.refused += 1
            self._spool.refuse(
                Refusal(
                    reference_id=outgoing.reference_id,
                    status=refused.status,
                    detail=refused.detail,
                    body=outgoing.body,
                    at=time.time(),
                    method="PATCH" if isinstance(outgoing, Patch) else "POST",
                )
            )
            self._notices.warn("refused", f"the log `{outgoing.reference_id}` was refused: {refused}")
        self._assembler.acknowledge(outgoing.key, now, completed=isinstance(outgoing, Patch))

    def _wanted(self, now: float) -> float | None:
        """In how many seconds the next step has something to do."""
        if self._sender.waiting:
            waits = [self._sender.due, self._assembler.due]
        elif self._moves or self._wave or not self._assembler.idle:
            return 0
        else:
            waits = [self._assembler.due]
        return min((max(0.0, due - now) for due in waits if due is not None), default=None)

    def _nothing_ready(self) -> bool:
        return not (self._ends or self._moves or self._wave or self._sender.waiting) and self._assembler.idle

    def _draft(self, span: Span) -> Draft:
        return draft(span, conversations_are_sessions=self.settings.session == "conversation")

    def _look(self, key: SpanKey) -> Draft | None:
        """A span as it stands, by the key the assembler knows it by."""
        readable = self._open.get((int(key[0], 16), int(key[1], 16)))
        return self._draft(from_readable(readable)) if readable is not None else None

    def _why(self) -> str:
        error = self._sender.last_error
        return f" ({error.message})" if error is not None else ""

    # A process's own state

    def _prepare(self) -> None:
        self._starts = deque()
        self._ends = deque()
        self._open = {}
        self._moves = deque()
        self._wave = []
        self._building = None
        self._releasing = False
        self._assembler = TraceAssembler(spans=self.settings.spans, hold=self.settings.hold, look=self._look)
        self._sender = Sender(self._client)

    def _after_fork(self) -> None:
        # What was accepted before the fork is the parent's to deliver, over the parent's connection.
        self.counts = Counts()
        self._client = Client(self.settings)
        self._spool = open_spool(
            self.settings.spool, max_spans=self.settings.max_spans, max_bytes=self.settings.max_bytes
        )
        self._prepare()

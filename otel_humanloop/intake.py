"""How the spans of this process come into the pipeline, without its program noticing."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from otel_humanloop import pricing
from otel_humanloop.children import LastWord
from otel_humanloop.delivery.size import size_of
from otel_humanloop.delivery.spools import Spool, open_spool
from otel_humanloop.errors import SettingsError, SpoolFull
from otel_humanloop.logs.join import Joins
from otel_humanloop.meeting import MEETING
from otel_humanloop.metrics import ExporterMetrics
from otel_humanloop.notices import Notices
from otel_humanloop.pipeline import Counts, Pipeline
from otel_humanloop.settings import Settings
from otel_humanloop.spans import LogRecord, Span, SpanKey
from otel_humanloop.spans.sdk import Shared, from_readable, key_of
from otel_humanloop.worker import Worker

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_ENOUGH = 512
"""Ended spans that are worth a step before the delay is over."""

_MAX_OPEN = 10_000
"""Open spans that are remembered, so that they can be logged while they run."""

_MAX_RECORDS = 10_000
"""Log records that were told and not yet looked at; beyond it the oldest are let go."""

_HOLD_FOR_RECORDS = 5.0
"""Seconds a call without content waits for its log records: the SDK hands them over every second, or five."""


class Intake:
    """Takes finished spans of this process and has their logs delivered. Nothing here raises into the application.

    `accept` and `started` are called on the application's threads and only note the span down; all else happens on
    the worker's thread, or on the thread of whoever flushes.
    """

    _starts: deque[ReadableSpan]
    _ends: deque[ReadableSpan]
    _kept: deque[Span]
    _records: deque[LogRecord]
    _open: dict[tuple[int, int], ReadableSpan]

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._max_spans = settings.max_spans
        self._enough = _ENOUGH if settings.delay else 1
        self._notices = Notices()
        self._closed = False
        self._expects_records = False
        self._left_alone: list[object] = []
        if settings.prices != "none":
            pricing.prepare()
        self._prepare(self._open_spool())
        self._worker = Worker(self._step, on_fork=self._begin_anew, delay=settings.delay, name="otel-humanloop")
        MEETING.listen(self)

    def expect_records(self) -> None:
        """Log records are told in this process: a call that lacks its content waits for them a while."""
        self._expects_records = True
        self._joins.hold = min(self.settings.hold, _HOLD_FOR_RECORDS)

    def accept_records(self, records: Sequence[LogRecord]) -> None:
        """Log records have been emitted, which may belong to spans."""
        if self._closed:
            return
        self._worker.start()
        self._records.extend(records)
        if not self.settings.delay:
            self._worker.wake()

    def started(self, span: ReadableSpan) -> None:
        """A span has started: it can be logged before it ends if it runs for long."""
        context = span.get_span_context()
        if self._closed or context is None or not context.trace_flags.sampled:
            return
        self._worker.start()
        if len(self._open) >= _MAX_OPEN:
            return
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
        ends = self._ends
        waiting = len(ends) + 1
        if waiting + self._spool.spans > self._max_spans:
            self._full()
            return False
        ends.append(span)
        if waiting >= self._enough:
            self._worker.wake()
        return True

    def accept_all(self, spans: Iterable[ReadableSpan]) -> bool:
        """The same for several; then delivers what can be delivered now, on this thread.

        A span processor that flushes hands its spans to the exporter and returns: what it handed over should be
        delivered by then. A backend that is not there is not waited for.
        """
        sampled = [span for span in spans if (at := span.get_span_context()) is not None and at.trace_flags.sampled]
        if self._closed:
            if sampled:
                self.counts.drop("shutdown", len(sampled))
            return not sampled
        self._worker.start()
        room = max(0, self._max_spans - self._spool.spans - len(self._ends))
        self._ends.extend(sampled[:room])
        if len(sampled) > room:
            self._full(len(sampled) - room)
        # Its thread is not woken for this: the two would take turns at what one does faster. What is left is its own.
        if not self._worker.run(self._nothing_ready, timeout=self.settings.timeout, patient=False):
            self._worker.wake()
        return len(sampled) <= room

    def flush(self, timeout: float) -> bool:
        """Delivers the logs of all spans that have ended, for at most so many seconds; False if some remain."""
        if self._closed or self._worker.is_inherited:  # nothing has ended in this process
            return not self._closed
        self._pipeline.release()
        return self._worker.run(self._nothing_ready, timeout=timeout)

    def shutdown(self, timeout: float) -> None:
        """Delivers what can be in so many seconds and ends. What then remains in memory is counted as dropped."""
        if self._closed:
            return
        self._closed = True
        if self._worker.is_inherited:
            return  # nothing has ended in this process, and what is here is its parent's
        self._last_word.cancel()
        self._worker.stop()
        self._pipeline.release()
        delivered = self._worker.run(self._nothing_ready, timeout=timeout)
        if delivered:
            self._pipeline.close(delivered=True)
        elif self._spool.durable:
            self._keep_the_rest()
        left = len(self._ends) + (0 if self._spool.durable else self._spool.spans)
        if left:
            self.counts.drop("shutdown", left)
            self._notices.warn("shutdown", f"{left} spans could not be delivered before the exit{self._pipeline.why}")
        self._tell()
        self._worker.afterwards(self._close)

    def _close(self) -> None:
        self._pipeline.close(delivered=False)
        self._spool.close()

    def _keep_the_rest(self) -> None:
        """Spools what the thread had no time to, beside that thread, which may be in the middle of a request."""
        with self._taking:
            if not self._ends:
                return
        try:
            spool = self._open_spool()
        except SettingsError:
            return  # what cannot be kept is counted
        with self._taking:
            while self._ends:
                span = self._pipeline.redactor.span(from_readable(self._ends[0], self._shared))
                try:
                    spool.keep(span, size_of(span))
                except SpoolFull:
                    break
                self._ends.popleft()
        spool.close()

    def _step(self, timeout: float) -> float | None:
        sender = self._pipeline.sender
        before = sender.requests
        wait = self._pipeline.step(self._take_in, timeout)
        if sender.requests > before:
            self._metrics.requested(sender.last_duration, sender.last_error)
        self._tell()
        return wait

    def _tell(self) -> None:
        counts = self.counts
        self._metrics.spans(
            accepted=counts.accepted, settled=self._settled, refused=counts.refused, dropped=counts.dropped
        )

    def _released(self, keys: Sequence[SpanKey]) -> None:
        self._settled += len(keys)

    def _take_in(self, now: float) -> None:
        while self._starts:
            starting = self._starts.popleft()
            context, parent = starting.get_span_context(), starting.parent
            if starting.end_time is None and context is not None:
                self._pipeline.started(
                    key_of(context),
                    key_of(parent)[1] if parent is not None else None,
                    now,
                    parent_is_remote=parent is not None and parent.is_remote,
                )
        for _ in range(len(self._records)):
            self._pipeline.add_record(self._records.popleft(), now)
        for _ in range(0, len(self._ends), _ENOUGH):
            self._pipeline.add_all(self._kept, now)
            self._keep_some()
        self._pipeline.add_all(self._kept, now)

    def _keep_some(self) -> None:
        """Has the spans that ended first kept, all with one write: from `_ends` to `_kept`."""
        redactor, shared, running = self._pipeline.redactor, self._shared, self._open
        entries: list[tuple[Span, int]] = []
        with self._taking:  # a span that is neither here nor there would be lost to a process that ends
            try:
                for _ in range(min(len(self._ends), _ENOUGH)):  # none where this process ends: they were kept for it
                    readable = self._ends.popleft()
                    if running and (context := readable.get_span_context()) is not None:
                        running.pop((context.trace_id, context.span_id), None)
                    span = from_readable(readable, shared)
                    if not redactor.idle:
                        span = redactor.span(span)
                    entries.append((span, size_of(span)))
            finally:  # one that cannot be read takes no other with it
                self._keep(entries)

    def _keep(self, entries: Sequence[tuple[Span, int]]) -> None:
        try:
            self._spool.keep_many(entries)
        except SpoolFull:
            if len(entries) == 1:
                self._full()
            else:  # some may fit
                for entry in entries:
                    self._keep([entry])
        else:
            self._kept.extend([span for span, _ in entries])

    def _full(self, number: int = 1) -> None:
        self.counts.drop("full", number)
        what = "a span was" if number == 1 else f"{number} spans were"
        self._notices.warn("full", f"the spool is full: {what} dropped{self._pipeline.why}")

    def _speak_last(self) -> None:
        """This process ends without `atexit`."""
        self.shutdown(self.settings.shutdown_timeout)

    def _nothing_ready(self) -> bool:
        return not self._ends and not self._kept and self._pipeline.idle

    def _look(self, key: SpanKey) -> Span | None:
        """A span as it stands, by the key the pipeline knows it by."""
        readable = self._open.get((int(key[0], 16), int(key[1], 16)))
        return from_readable(readable, self._shared) if readable is not None else None

    def _open_spool(self) -> Spool:
        settings = self.settings
        return open_spool(settings.spool, max_spans=settings.max_spans, max_bytes=settings.max_bytes)

    def _begin_anew(self) -> None:
        """In a child process: what was accepted before the fork is the parent's to deliver."""
        # Neither a connection nor a database may be closed by a child that inherited it, as losing it would.
        self._left_alone.append((self._pipeline, self._spool))
        try:
            spool = self._open_spool()
        except SettingsError as error:
            # Many servers give up rights between their start and the fork of a worker.
            self._notices.warn("spool", f"{error}\nthe spans of this process are kept in its memory")
            spool = open_spool("memory:", max_spans=self.settings.max_spans, max_bytes=self.settings.max_bytes)
        self._prepare(spool)

    def _prepare(self, spool: Spool) -> None:
        """The state of one process."""
        self.counts = Counts()
        self._starts = deque()
        self._ends = deque()
        self._kept = deque()
        self._taking = threading.Lock()
        self._records = deque(maxlen=_MAX_RECORDS)
        self._open = {}
        self._shared = Shared()
        settings = self.settings
        self._spool = spool
        self._settled = 0
        self._metrics = ExporterMetrics(self.settings.base_url)
        self._last_word = LastWord(self._speak_last)
        self._joins = Joins(hold=min(settings.hold, _HOLD_FOR_RECORDS) if self._expects_records else 0.0)
        self._pipeline = Pipeline(
            settings,
            spool=self._spool,
            counts=self.counts,
            notices=self._notices,
            look=self._look,
            joins=self._joins,
            notes=self._spool.notes(),
            recalls_all=False,
            on_settled=self._released,
        )

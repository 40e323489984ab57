"""Where receivers put spans: kept before they are answered, delivered afterwards."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import TYPE_CHECKING

from otel_humanloop.delivery import encoding
from otel_humanloop.delivery.sender import Sender
from otel_humanloop.delivery.size import size_of
from otel_humanloop.delivery.spools import Lot, open_spool
from otel_humanloop.errors import HumanloopError, SpoolFull
from otel_humanloop.logs.join import Joins, belongs_to
from otel_humanloop.notices import Notices
from otel_humanloop.pipeline import Counts, Pipeline
from otel_humanloop.settings import Settings
from otel_humanloop.spans import LogRecord, Span, SpanKey
from otel_humanloop.worker import Worker

if TYPE_CHECKING:
    import httpx

_ENOUGH = 512
"""Spans that are worth a step before the delay is over."""

_NEARLY = 0.9
"""Of the bounds: while more is kept, a request that found no room would find none again."""

_AGAIN = 30.0
"""Seconds after which one may try, although nothing was let go."""

Entry = tuple[Span, int]


class NeverFits(HumanloopError):
    """One request is larger than the whole spool: it would be sent again for ever."""


class _Turn:
    """One request's place in line: what it brings, whether its turn has come, and what became of it."""

    def __init__(self, lot: Lot) -> None:
        self.lot = lot
        self.taken = False
        self.error: SpoolFull | None = SpoolFull("the spool failed in the middle of a write")


class Keeper:
    """Keeps spans on the disk and has their logs delivered. `keep` may be called by many threads at once.

    Requests that come while the disk is busy are kept together with one write (a group commit), so that many small
    ones cost what a few large ones do.

    Args:
        transport: What carries requests to Humanloop, where it is not the network.

    Attributes:
        counts: What became of spans and logs.
        durable: What is kept outlives the process.
    """

    def __init__(self, settings: Settings, *, transport: httpx.BaseTransport | None = None) -> None:
        self.settings = settings
        self.counts = Counts()
        self._found_no_room: tuple[float, int] | None = None  # when the latest request did not, and what was kept then
        self._ages: dict[SpanKey, float] = {}
        self._line: list[_Turn] = []
        self._lining_up = threading.Lock()
        self._writing = threading.Lock()
        self._arrived: deque[Span | LogRecord] = deque()
        self._listeners: list[Callable[[Sequence[SpanKey]], None]] = []
        self._latencies: Callable[[float, int], None] = lambda _seconds, _spans: None
        self._notices = Notices()
        self._spool = open_spool(settings.spool, max_spans=settings.max_spans, max_bytes=settings.max_bytes)
        self.durable = self._spool.durable
        self._notes = self._spool.notes()
        self._pipeline = Pipeline(
            settings,
            spool=self._spool,
            counts=self.counts,
            notices=self._notices,
            joins=Joins(hold=settings.hold),
            notes=self._notes,
            insists=True,
            on_settled=self._settled,
            on_resumed=self._resumed,
            transport=transport,
        )
        self._worker = Worker(self._step, on_fork=_nobody_forks, delay=settings.delay, name="otel-humanloop-delivery")

    def start(self) -> None:
        """Begins to deliver, what an earlier process left first."""
        self._worker.start()
        self._worker.wake()

    def keep(self, spans: Sequence[Span], *, body: bytes | None = None, media_type: str = "") -> None:
        """Returns when all of them are kept: where the spool is durable, on the disk.

        Args:
            body, media_type: The request of which they all were read, as of a `Lot`. It is written as it came where
                nothing is to be redacted.

        Raises:
            SpoolFull: There is no room for them now. None of them is kept.
            NeverFits: There never will be.
        """
        if not spans:
            return
        redactor = self._pipeline.redactor
        if redactor.idle:
            lot = Lot(entries=[(span, size_of(span)) for span in spans], body=body, media_type=media_type)
        else:
            lot = Lot(entries=[(span, size_of(span)) for span in map(redactor.span, spans)])
        self._must_fit(lot.entries)
        turn = _Turn(lot)
        with self._lining_up:
            self._line.append(turn)
        with self._writing:
            if not turn.taken:
                self._write(self._take_line())
        if turn.error is not None:
            self._found_no_room = time.monotonic(), self._spool.spans
            raise turn.error
        self._found_no_room = None

    def keep_records(self, records: Sequence[LogRecord]) -> None:
        """Keeps the log records that tell of a span; others are of no use here.

        Raises:
            SpoolFull: They cannot be written now.
        """
        redacted = [self._pipeline.redactor.record(record) for record in records if belongs_to(record) is not None]
        telling = [
            (key, record) for record in redacted if record is not None and (key := belongs_to(record)) is not None
        ]
        if not telling:
            return
        if self._notes is not None:
            self._notes.promise([(key, encoding.encode(record)) for key, record in telling])
        self._take([record for _, record in telling])

    def on_settled(self, listener: Callable[[Sequence[SpanKey]], None]) -> None:
        """Has `listener` told of spans whose log was acknowledged, or that have none; on the delivery's thread."""
        self._listeners.append(listener)

    def on_latency(self, observe: Callable[[float, int], None]) -> None:
        """Has `observe` told how many seconds passed from the keeping of how many spans until they were settled."""
        self._latencies = observe

    def shutdown(self, timeout: float) -> None:
        """Delivers what can be in so many seconds. The rest stays in a durable spool; one in memory loses it."""
        self._worker.stop()
        if not self.durable:
            self._pipeline.release()
        delivered = self._worker.run(self._nothing_ready, timeout=timeout)
        self._pipeline.close(delivered=delivered and not self.durable)
        if self._spool.spans and not self.durable:
            self.counts.drop("shutdown", self._spool.spans)
        self._spool.close()

    # What may be asked by anyone at any time

    @property
    def sender(self) -> Sender:
        """For its numbers and its last error."""
        return self._pipeline.sender

    @property
    def spans(self) -> int:
        """How many spans are kept."""
        return self._spool.spans

    @property
    def bytes(self) -> int:
        """How many bytes they are, about."""
        return self._spool.bytes

    @property
    def is_full(self) -> bool:
        """The latest request found no room, and another would find none either.

        Whoever is asked in place of a full bridge sends it nothing by which it could see that it has room again.
        """
        if self._found_no_room is None:
            return False
        at, kept = self._found_no_room
        if self.spans > _NEARLY * self.settings.max_spans or self.bytes > _NEARLY * self.settings.max_bytes:
            return True
        return self.spans >= kept and time.monotonic() - at < _AGAIN  # what a disk has no room for is tried again

    @property
    def oldest(self) -> float:
        """For how many seconds the span has been kept that has been for the longest."""
        since = next(iter(self._ages.copy().values()), None)
        return time.monotonic() - since if since is not None else 0.0

    # Keeping

    def _must_fit(self, entries: Sequence[Entry]) -> None:
        total = sum(size for _, size in entries)
        if len(entries) > self.settings.max_spans or total > self.settings.max_bytes:
            raise NeverFits(
                f"{len(entries)} spans of {total} bytes are more than the spool ever holds",
                hint="send less at once, or raise HUMANLOOP_MAX_SPANS and HUMANLOOP_MAX_BYTES of the bridge",
            )

    def _take_line(self) -> list[_Turn]:
        with self._lining_up:
            line, self._line = self._line, []
        for turn in line:
            turn.taken = True
        return line

    def _write(self, line: list[_Turn]) -> None:
        """Keeps what all turns bring with one write; where that is too much, turn by turn, for some may fit."""
        try:
            self._spool.keep_lots([turn.lot for turn in line])
        except SpoolFull as error:
            if len(line) == 1:
                line[0].error = error
            else:
                for turn in line:
                    self._write([turn])
            return
        now = time.monotonic()
        for turn in line:
            spans = [span for span, _ in turn.lot.entries]
            ages = dict.fromkeys([(span.trace_id, span.span_id) for span in spans], now)
            for again in ages.keys() & self._ages.keys():
                del ages[again]
            self._ages.update(ages)
            self._take(spans)
            turn.error = None

    def _take(self, arrived: Sequence[Span | LogRecord]) -> None:
        self._arrived.extend(arrived)
        if len(self._arrived) >= _ENOUGH or not self.settings.delay:
            self._worker.wake()

    # Delivering

    def _step(self, timeout: float) -> float | None:
        return self._pipeline.step(self._take_in, timeout)

    def _take_in(self, now: float) -> None:
        for _ in range(len(self._arrived)):
            arrived = self._arrived.popleft()
            if isinstance(arrived, Span):
                self._pipeline.add(arrived, now)
            else:
                self._pipeline.add_record(arrived, now)

    def _settled(self, keys: Sequence[SpanKey]) -> None:
        now = time.monotonic()
        # Spans that were kept with one write have one age.
        for since, spans in Counter(map(self._ages.pop, keys, repeat(None))).items():
            if since is not None:
                self._latencies(now - since, spans)
        for listener in self._listeners:
            listener(keys)

    def _resumed(self, key: SpanKey) -> None:
        self._ages.setdefault(key, time.monotonic())

    def _nothing_ready(self) -> bool:
        return not self._arrived and self._pipeline.idle


def _nobody_forks() -> None:
    """The bridge is a process of its own, which starts no others."""

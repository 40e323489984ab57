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
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from otel_humanloop.attachments import named_in
from otel_humanloop.delivery import encoding
from otel_humanloop.delivery.client import Client
from otel_humanloop.delivery.notes import Notes
from otel_humanloop.delivery.sender import Outcome, Outgoing, Patch, Post, Sender
from otel_humanloop.delivery.spools import Refusal, Spool
from otel_humanloop.delivery.uploads import Uploads
from otel_humanloop.errors import DecodeError, Refused, Unavailable
from otel_humanloop.logs import known
from otel_humanloop.logs.build import build_log, build_replacement, build_update, reference_id
from otel_humanloop.logs.draft import Draft, draft
from otel_humanloop.logs.encode import encode
from otel_humanloop.logs.join import Joins
from otel_humanloop.logs.media import has_large, left_out
from otel_humanloop.logs.moulds import Moulds
from otel_humanloop.logs.moves import Complete, Create, Move
from otel_humanloop.logs.order import TraceAssembler
from otel_humanloop.logs.redact import Redactor
from otel_humanloop.notices import Notices
from otel_humanloop.settings import Settings
from otel_humanloop.spans import LogRecord, Span, SpanKey

if TYPE_CHECKING:
    import httpx

_T = TypeVar("_T")

_LONGEST_PAUSE = 1.0
"""Seconds between steps that fail one after the other."""


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
    """From spans that a spool keeps to logs that Humanloop has.

    One thread at a time may use it: `worker.Worker` sees to that, for the spans of this process (`intake.py`) as for
    those that come over the network (`bridge`). What these two do differently is theirs: how a span comes in, where it
    is kept, and what those who sent it are told.

    Args:
        settings: The settings in force.
        spool: Keeps the spans that are added; released here once they need not be kept any longer.
        counts, notices: Where it is told what became of spans and logs.
        look: Reads a span that is still open as it stands, where that can be seen.
        joins: Joins log records to spans, where such may come.
        notes: Where what an earlier process knew is found, and what a later one must know is written.
        recalls_all: Spans may still come of any trace an earlier process knew, as they do over the network; otherwise
            only what it left tells of its traces.
        insists: Logs that are turned away unread, for a wrong key or address, are kept also where the spool does not
            outlive the process: who sent the spans keeps what finds no room here.
        on_settled: Told of spans that need not be kept any longer, after the spool was.
        on_resumed: Told of each span that an earlier process left.
        clock: Monotonic seconds.
        transport: What carries requests to Humanloop, where it is not the network.

    Attributes:
        redactor: What may be kept and sent. A span is to pass it before its spool keeps it.
        sender: Its numbers and its last error.
    """

    _moves: deque[Move]
    _wave: list[Outgoing]

    def __init__(
        self,
        settings: Settings,
        *,
        spool: Spool,
        counts: Counts,
        notices: Notices,
        look: Callable[[SpanKey], Span | None] = lambda _: None,
        joins: Joins | None = None,
        notes: Notes | None = None,
        recalls_all: bool = True,
        insists: bool = False,
        on_settled: Callable[[Sequence[SpanKey]], None] = lambda _: None,
        on_resumed: Callable[[SpanKey], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._spool = spool
        self._counts = counts
        self._notices = notices
        self._look = look
        self.redactor = Redactor(settings, notices=notices)
        self._joins = joins if self.redactor.captures_content else None  # records are nothing but content
        self._notes = notes
        self._recalls_all = recalls_all
        self._on_settled = on_settled
        self._on_resumed = on_resumed
        self._clock = clock
        self._client = Client(settings, transport=transport)
        self.sender = Sender(self._client, insists=insists or spool.durable)
        self._uploads = Uploads(self._client)
        self._moulds = Moulds(settings)
        self._assembler = TraceAssembler(spans=settings.spans, hold=settings.hold, look=self._see)
        self._moves = deque()
        self._wave = []
        self._building: SpanKey | None = None
        self._shown: set[SpanKey] = set()  # spans whose logs were built while they were open
        self._to_note: list[SpanKey] = []  # those of them whose logs Humanloop has since
        self._releasing = False
        self._resumed = False
        self._failures = 0  # steps that have failed in a row

    # What comes in

    def started(self, key: SpanKey, parent: str | None, now: float, *, parent_is_remote: bool = False) -> None:
        """A span has started, and `look` can see it."""
        self._assembler.opened(key, parent, now, parent_is_remote=parent_is_remote)

    def add(self, span: Span, now: float) -> None:
        """A span has ended; the `redactor` has seen it, and it is in the spool."""
        self._counts.accepted += 1
        self._take(span, now)

    def add_all(self, spans: deque[Span], now: float) -> None:
        """Several have; each is taken out before it is looked at, so that one that fails takes no other with it."""
        counts, take = self._counts, self._take
        while spans:
            counts.accepted += 1
            take(spans.popleft(), now)

    def add_record(self, record: LogRecord, now: float) -> None:
        """A log record has come, which may belong to a span."""
        kept = self.redactor.record(record)
        if self._joins is not None and kept is not None:
            self._joins.add_record(kept, now)

    def release(self) -> None:
        """With the next step nobody waits any longer for what has not come: a flush."""
        self._releasing = True

    # One step

    def step(self, take_in: Callable[[float], None], timeout: float) -> float | None:
        """Does what there is to do now.

        The loop's catch: whatever one span or answer does to us, the next goes on, and it is counted.

        Args:
            take_in: Adds what has come since the last step; given the time, in monotonic seconds.
            timeout: Seconds to spend on the network at most.

        Returns:
            In how many seconds the next step has something to do, 0 for at once; None where only something new will
            give it some.
        """
        now = self._clock()
        try:
            wanted = self._step(take_in, now, timeout)
        except Exception:  # noqa: BLE001
            self._counts.drop("internal")
            self._notices.warn("internal", "a span was lost to an error of otel-humanloop", trace=True)
            if self._building is not None:
                self._assembler.acknowledge(self._building, now)
                self._building = None
            # What fails again and again must neither spin nor ask a backend without end.
            self._failures += 1
            return min(_LONGEST_PAUSE, 0.001 * 2 ** min(self._failures, 10)) if self._failures > 1 else 0
        self._failures = 0
        return wanted

    @property
    def idle(self) -> bool:
        """Nothing is ready to leave."""
        waiting = self._moves or self._wave or self.sender.waiting or self._uploads.waiting
        return not waiting and self._assembler.idle

    @property
    def why(self) -> str:
        """What keeps logs from being delivered, in brackets; empty where nothing does."""
        error = self.sender.last_error
        return f" ({error.message})" if error is not None else ""

    def close(self, *, delivered: bool) -> None:
        """Ends. Where all was `delivered`, what is left are steps of traces without AI, and those are let go."""
        if delivered:
            self._assembler.close()
            self._let_go()
        self._client.close()

    def _step(self, take_in: Callable[[float], None], now: float, timeout: float) -> float | None:
        if not self._resumed:
            self._resumed = True
            self._resume(now)
        take_in(now)
        if self._releasing:
            self._releasing = False
            if self._joins is not None:
                self._joins.release()
            self._join(now)
            self._assembler.release(now)
        else:
            self._join(now)
        self._assembler.expire(now)
        if self.sender.clear:
            self._moves.extend(self._assembler.take())
            while self._moves:
                self._wave.append(self._build(self._moves.popleft(), now))
            self.sender.put(self._wave)
            self._wave = []
        if (outcome := self.sender.attempt(now, timeout=min(timeout, self._settings.timeout))) is not None:
            self._settle(outcome, now)
        self._let_go()
        if self.sender.clear:
            self._upload(timeout, began=now)
        if isinstance(self.sender.last_error, Unavailable):
            self._notices.warn("delivery", f"{self.sender.last_error}\n{self._spool.spans} spans wait")
        return self._wanted(now)

    def _resume(self, now: float) -> None:
        """Goes on where an earlier process left off."""
        waiting = self._spool.waiting()
        traces: set[str] | None = None  # those to recall; None for all
        if not self._recalls_all:
            waiting = list(waiting)
            traces = {span.trace_id for span in waiting}
        if self._notes is not None and (traces is None or traces):
            # What was written of a span later stands for what was written before.
            notes = {each.key: each for note in self._notes.known() for each in _readable(note, known.decode) or ()}
            self._assembler.recall([each for each in notes.values() if traces is None or each.key[0] in traces], now)
            for note in self._notes.records():
                if (record := _readable(note, encoding.decode_record)) is not None:
                    self.add_record(record, now)
        for span in waiting:
            self._on_resumed((span.trace_id, span.span_id))
            self.add(self.redactor.kept(span), now)

    def _take(self, span: Span, now: float) -> None:
        read = self._draft(span)
        if self._joins is not None and not self._joins.idle:
            joined = self._joins.add_span(read, now)
            if joined is None:
                return
            if joined is not span:
                read = self._draft(joined)
        self._assembler.add(read, now, more=True)  # whoever can leave moves on once all that came together is there

    def _join(self, now: float) -> None:
        if self._joins is not None:
            for span in self._joins.ready(now):
                self._assembler.add(self._draft(span), now, more=True)

    def _build(self, move: Move, now: float) -> Outgoing:
        self._building = move.key
        reference = reference_id(move.key, self._settings)
        outgoing: Outgoing
        if isinstance(move, Complete):
            outgoing = Patch(key=move.key, reference_id=reference, body=encode(self.redactor.log(build_update(move))))
        elif isinstance(move, Create) and (cast := self._moulds.log(move)) is not None:
            outgoing = Post(key=move.key, reference_id=reference, project=cast[1], body=cast[0])
        else:
            log = (
                build_log(move, self._settings) if isinstance(move, Create) else build_replacement(move, self._settings)
            )
            outgoing = Post(
                key=move.key, reference_id=reference, project=log.project, body=encode(self.redactor.log(log))
            )
            if isinstance(move, Create):
                if self._notes is not None and not move.draft.ended:
                    self._shown.add(move.key)
                self._offer(move.draft, outgoing.body, now)
        self._building = None
        return outgoing

    def _offer(self, draft: Draft, log: bytes, now: float) -> None:
        """What was too large for the messages of that log is to follow it, unless content is withheld or redacted."""
        operation = draft.reading.operation
        if has_large(operation) and self.redactor.idle and (wanted := self._uploads.wanted(named_in(log), now)):
            self._uploads.offer(left_out(operation, wanted))

    def _upload(self, timeout: float, *, began: float) -> None:
        now = self._clock()
        self._uploads.attempt(now, timeout=min(timeout - (now - began), self._settings.timeout))
        if (trouble := self._uploads.trouble()) is not None:
            self._notices.warn("attachment", f"an attachment could not be brought: {trouble}")

    def _settle(self, outcome: Outcome, now: float) -> None:
        completed = isinstance(outcome.content, Patch)
        settled = (outcome.content,) if isinstance(outcome.content, Patch) else outcome.content
        if outcome.refused is None:
            self._counts.sent += len(settled)
        else:
            for outgoing in settled:
                self._refuse(outgoing, outcome.refused)
        self._assembler.acknowledge_all([outgoing.key for outgoing in settled], now, completed=completed)
        if self._shown:
            shown = [outgoing.key for outgoing in settled if outgoing.key in self._shown]
            self._shown.difference_update(shown)
            self._to_note.extend(shown)

    def _refuse(self, outgoing: Outgoing, refused: Refused) -> None:
        self._counts.refused += 1
        self._spool.refuse(
            Refusal(
                reference_id=outgoing.reference_id,
                project=outgoing.project if isinstance(outgoing, Post) else None,
                status=refused.status,
                detail=refused.detail,
                body=outgoing.body,
                at=time.time(),
                method="PATCH" if isinstance(outgoing, Patch) else "POST",
            )
        )
        self._notices.warn("refused", f"the log `{outgoing.reference_id}` was refused: {refused}")

    def _let_go(self) -> None:
        """Of what was settled. What is to be known of it is written first: a span kept too long is only sent again."""
        settled = self._assembler.settled()
        touched = [*settled, *self._joins.forgotten()] if self._joins is not None else settled
        if self._to_note:
            touched = [*touched, *self._to_note]
            self._to_note = []
        if self._notes is not None and touched:
            notes = self._assembler.known(touched)
            self._notes.settle(known.encode(notes) if notes else b"", touched)
        if settled:
            self._spool.release(settled)
            self._on_settled(settled)

    def _wanted(self, now: float) -> float | None:
        """In how many seconds the next step has something to do."""
        return min((max(0.0, due - now) for due in self._dues(now) if due is not None), default=None)

    def _dues(self, now: float) -> Iterator[float | None]:
        yield self._assembler.due
        if self._joins is not None:
            yield self._joins.due
        yield self.sender.due
        if self.sender.clear:
            yield self._uploads.due
        if self.sender.clear and (self._moves or self._wave or not self._assembler.idle):
            yield now

    def _draft(self, span: Span) -> Draft:
        if self.redactor.idle:
            return self._moulds.draft(span)
        return draft(span, conversations_are_sessions=self._settings.session == "conversation")

    def _see(self, key: SpanKey) -> Draft | None:
        span = self._look(key)
        return self._draft(self.redactor.span(span)) if span is not None else None


def _readable(note: bytes, decode: Callable[[bytes], _T]) -> _T | None:
    """What a note says; None for one that another version may have written."""
    try:
        return decode(note)
    except DecodeError:
        return None

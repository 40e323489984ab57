"""A spool that receivers keep spans in while the pipeline lets others go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

from otel_humanloop.delivery.spools import Refusal, Spool
from otel_humanloop.spans import Span, SpanKey


class SharedSpool:
    """Any spool, for several threads: one at a time is let in. See `Spool` for what it promises.

    Args:
        spool: The spool itself.
        on_waiting: Told of every span that an earlier process left.
    """

    def __init__(self, spool: Spool, *, on_waiting: Callable[[SpanKey], None]) -> None:
        self._spool = spool
        self._on_waiting = on_waiting
        self._lock = threading.Lock()

    @property
    def durable(self) -> bool:
        return self._spool.durable

    @property
    def spans(self) -> int:
        return self._spool.spans

    @property
    def bytes(self) -> int:
        return self._spool.bytes

    def keep(self, span: Span, size: int) -> None:
        with self._lock:
            self._spool.keep(span, size)

    def keep_many(self, entries: Sequence[tuple[Span, int]]) -> None:
        with self._lock:
            self._spool.keep_many(entries)

    def release(self, keys: Iterable[SpanKey]) -> None:
        with self._lock:
            self._spool.release(keys)

    def refuse(self, refusal: Refusal) -> None:
        with self._lock:
            self._spool.refuse(refusal)

    def refused(self) -> Sequence[Refusal]:
        with self._lock:
            return self._spool.refused()

    def forget(self, refusals: Iterable[Refusal]) -> None:
        with self._lock:
            self._spool.forget(refusals)

    def waiting(self) -> Iterable[Span]:
        with self._lock:
            spans = list(self._spool.waiting())
        for span in spans:
            self._on_waiting((span.trace_id, span.span_id))
        return spans

    def close(self) -> None:
        with self._lock:
            self._spool.close()

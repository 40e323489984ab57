"""`memory:` — nothing outlives the process.

The pipeline holds every span and log that is not delivered yet, so this spool does not hold them a second time: it
knows which there are and how large, and keeps the bound.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from otel_humanloop.delivery.spools import MAX_REFUSALS, MAX_REFUSED_BYTES, Lot, Refusal, Spool
from otel_humanloop.errors import SettingsError, SpoolFull
from otel_humanloop.spans import Span, SpanKey


def open_at(url: str, *, max_spans: int, max_bytes: int) -> Spool:
    """A new, empty spool. `url` must be `memory:`, for there is nothing to choose."""
    if url.partition(":")[2]:
        raise SettingsError(f"HUMANLOOP_SPOOL is `{url}`, but the spool in memory is just `memory:`")
    return MemorySpool(max_spans=max_spans, max_bytes=max_bytes)


class MemorySpool:
    """Counts what the process still has to deliver. See `Spool` for its promises."""

    def __init__(self, *, max_spans: int, max_bytes: int) -> None:
        self._max_spans = max_spans
        self._max_bytes = max_bytes
        self._lock = threading.RLock()
        self._sizes: dict[SpanKey, int] = {}
        self._total = 0
        self._refusals: dict[tuple[str, str], Refusal] = {}
        self._refused_bytes = 0

    @property
    def durable(self) -> bool:
        return False

    @property
    def spans(self) -> int:
        return len(self._sizes)

    @property
    def bytes(self) -> int:
        return self._total

    def keep(self, span: Span, size: int) -> None:
        key = (span.trace_id, span.span_id)
        with self._lock:
            former = self._sizes.get(key)
            spans = len(self._sizes) + (former is None)
            total = self._total + size - (former or 0)
            if spans > self._max_spans or total > self._max_bytes:
                raise _full(spans, total)
            self._sizes[key] = size
            self._total = total

    def keep_many(self, entries: Sequence[tuple[Span, int]]) -> None:
        sizes = {(span.trace_id, span.span_id): size for span, size in entries}
        with self._lock:
            former = [self._sizes[key] for key in sizes if key in self._sizes]
            spans = len(self._sizes) + len(sizes) - len(former)
            total = self._total + sum(sizes.values()) - sum(former)
            if spans > self._max_spans or total > self._max_bytes:
                raise _full(spans, total)
            self._sizes.update(sizes)
            self._total = total

    def keep_lots(self, lots: Sequence[Lot]) -> None:
        self.keep_many([entry for lot in lots for entry in lot.entries])

    def release(self, keys: Iterable[SpanKey]) -> None:
        with self._lock:
            self._total -= sum([self._sizes.pop(key, 0) for key in keys])

    def refuse(self, refusal: Refusal) -> None:
        with self._lock:
            self.forget([refusal])  # so that the later one stands last
            self._refusals[refusal.method, refusal.reference_id] = refusal
            self._refused_bytes += len(refusal.body)
            while len(self._refusals) > 1 and (
                len(self._refusals) > MAX_REFUSALS or self._refused_bytes > MAX_REFUSED_BYTES
            ):
                self.forget([next(iter(self._refusals.values()))])

    def refused(self) -> Sequence[Refusal]:
        with self._lock:
            return list(self._refusals.values())

    def forget(self, refusals: Iterable[Refusal]) -> None:
        with self._lock:
            for refusal in refusals:
                former = self._refusals.pop((refusal.method, refusal.reference_id), None)
                if former is not None:
                    self._refused_bytes -= len(former.body)

    def waiting(self) -> Iterable[Span]:
        return ()

    def notes(self) -> None:
        return None

    def close(self) -> None:
        pass


def _full(spans: int, total: int) -> SpoolFull:
    return SpoolFull(f"the spool has no room: there would be {spans} spans of {total} bytes")

"""What is to be looked at again, and when."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count

from otel_humanloop.logs.trace import Node, Trace


class Timers:
    """Reminders of traces, and of single spans of them; those of the same moment in the order they were made."""

    def __init__(self) -> None:
        self._timers: list[tuple[float, int, Trace, Node | None]] = []
        self._ticket = count()

    def remind(self, due: float, trace: Trace, node: Node | None = None) -> None:
        """Of the trace, or of one span of it, once it is that late."""
        heapq.heappush(self._timers, (due, next(self._ticket), trace, node))

    def over(self, now: float) -> Iterator[tuple[Trace, Node | None]]:
        """The reminders that are due; each is given once. Others may be made meanwhile."""
        while self._timers and self._timers[0][0] <= now:
            _, _, trace, node = heapq.heappop(self._timers)
            yield trace, node

    @property
    def due(self) -> float | None:
        """When the next of them is; None where there is none."""
        return self._timers[0][0] if self._timers else None

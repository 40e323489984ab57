"""What is to be looked at again, and when."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from itertools import count

from otel_humanloop.logs.trace import Node, Trace

_Reminder = tuple[float, int, Trace, Node | None]


class Timers:
    """Reminders of traces, and of single spans of them; those of the same moment in the order they were made."""

    def __init__(self) -> None:
        # Nearly all are of the same wait, so that one made later is due later: a line of them costs less than a heap.
        self._line: deque[_Reminder] = deque()
        self._heap: list[_Reminder] = []
        self._ticket = count()

    def remind(self, due: float, trace: Trace, node: Node | None = None) -> None:
        """Of the trace, or of one span of it, once it is that late."""
        reminder = (due, next(self._ticket), trace, node)
        if not self._line or due >= self._line[-1][0]:
            self._line.append(reminder)
        else:
            heapq.heappush(self._heap, reminder)

    def over(self, now: float) -> Iterator[tuple[Trace, Node | None]]:
        """The reminders that are due; each is given once. Others may be made meanwhile."""
        while (due := self.due) is not None and due <= now:
            if self._line and not (self._heap and self._heap[0] < self._line[0]):
                _, _, trace, node = self._line.popleft()
            else:
                _, _, trace, node = heapq.heappop(self._heap)
            yield trace, node

    @property
    def due(self) -> float | None:
        """When the next of them is; None where there is none."""
        if not self._line:
            return self._heap[0][0] if self._heap else None
        return min(self._line[0][0], self._heap[0][0]) if self._heap else self._line[0][0]

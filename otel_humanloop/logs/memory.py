"""The traces an assembler remembers, within a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from otel_humanloop.logs.trace import Node, Trace
from otel_humanloop.spans import SpanKey

_TRIES = 16


class Traces:
    """Traces by id, the longest untouched first.

    Beyond the bound, finished traces are forgotten and the finished spans of running ones pruned. Whatever is still
    to leave is never dropped here: what waits is bounded by the spool.

    Args:
        most: How many spans are remembered.
        linger: Seconds after which a finished span of a running trace may be pruned.
    """

    def __init__(self, most: int, linger: float) -> None:
        self._most = most
        self._room = most
        self._linger = linger
        self._traces: OrderedDict[str, Trace] = OrderedDict()
        self._size = 0

    def __iter__(self) -> Iterator[Trace]:
        return iter(self._traces.values())

    def __len__(self) -> int:
        """How many spans are remembered."""
        return self._size

    def get(self, key: SpanKey) -> tuple[Trace, Node] | None:
        """That span, where it is remembered."""
        trace = self._traces.get(key[0])
        node = trace.nodes.get(key[1]) if trace is not None else None
        return (trace, node) if trace is not None and node is not None else None

    def trace(self, trace_id: str, now: float) -> tuple[Trace, bool]:
        """That trace, touched; and whether it is new."""
        trace = self._traces.get(trace_id)
        if trace is not None:
            if trace.touched != now:
                trace.touched = now
                self._traces.move_to_end(trace_id)
            return trace, False
        trace = self._traces[trace_id] = Trace(trace_id, now)
        return trace, True

    def node(self, trace: Trace, span_id: str, now: float) -> Node:
        """That span, remembered from now on."""
        node = trace.nodes.get(span_id)
        if node is None:
            node = trace.nodes[span_id] = Node((trace.trace_id, span_id), now)
            self._size += 1
            if self._size > self._room:
                self._make_room(trace, now)
        return node

    def connect(self, trace: Trace, node: Node, parent_id: str | None, *, remote: bool, now: float) -> None:
        """Hangs a span under its parent, which is remembered from now on."""
        if parent_id is not None and node.parent is None:
            node.hang(self.node(trace, parent_id, now), remote=remote)

    def of(self, node: Node) -> Trace:
        """The trace of a span that is remembered."""
        return self._traces[node.key[0]]

    def holds(self, trace: Trace) -> bool:
        return self._traces.get(trace.trace_id) is trace

    def forget(self, trace: Trace) -> None:
        """Lets go of a finished trace."""
        del self._traces[trace.trace_id]
        self._size -= len(trace.nodes)
        trace.fall_apart()

    def _make_room(self, grown: Trace, now: float) -> None:
        for trace in list(self._oldest()):
            if self._size <= self._most:
                break
            if trace is grown or trace.busy:
                self._size -= trace.prune(now - self._linger)
                self._traces.move_to_end(trace.trace_id)
            else:
                self.forget(trace)
        # Where that freed too little, the next try waits until a tenth more has come: a try costs what it looks at.
        self._room = max(self._most, self._size + self._most // 10)

    def _oldest(self) -> Iterator[Trace]:
        for number, trace in enumerate(self._traces.values()):
            if number == _TRIES:
                return
            yield trace

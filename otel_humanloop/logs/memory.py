"""The traces an assembler remembers, within a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator

from otel_humanloop.logs.calls import Calls
from otel_humanloop.logs.draft import Draft
from otel_humanloop.logs.rest import Resting, rested, revived
from otel_humanloop.logs.trace import UNSEEN, Node, Trace
from otel_humanloop.spans import SpanKey

_TRIES = 16


class Traces:
    """Traces by id, the longest untouched first; those at rest are kept in brief, and are had like the others.

    Beyond the bound, finished traces are forgotten and the finished spans of running ones pruned. Whatever is still
    to leave is never dropped here: what waits is bounded by the spool.

    Args:
        most: How many spans are remembered.
        linger: Seconds a trace at rest is remembered, and after which a finished span of a running one may be pruned.
        on_awake: Told of each trace that is new, or no longer at rest.
    """

    def __init__(self, most: int, linger: float, on_awake: Callable[[Trace], None]) -> None:
        self._most = most
        self._room = most
        self._linger = linger
        self._on_awake = on_awake
        self._traces: OrderedDict[str, Trace] = OrderedDict()
        self._resting: OrderedDict[str, Resting] = OrderedDict()
        self._unseen: dict[Node, None] = {}  # parents nobody has given up; of those that are not at rest
        self._gave_up = float("-inf")
        self._size = 0

    def __iter__(self) -> Iterator[Trace]:
        """Those that are not at rest."""
        return iter(self._traces.values())

    def __len__(self) -> int:
        """How many spans are remembered."""
        return self._size

    @property
    def due(self) -> float | None:
        """When `expire` has something to do next."""
        return next(iter(self._resting.values())).touched + self._linger if self._resting else None

    def get(self, key: SpanKey) -> tuple[Trace, Node] | None:
        """That span and its trace, where it is remembered."""
        trace = self._traces.get(key[0]) or self._awoken(key[0])
        node = trace.nodes.get(key[1]) if trace is not None else None
        return (trace, node) if trace is not None and node is not None else None

    def node(self, key: SpanKey, *, touched: float | None = None) -> Node | None:
        """That span, where it is remembered; something happened in its trace if that is said to be `touched`."""
        trace = self._traces.get(key[0]) or self._awoken(key[0])
        if trace is None:
            return None
        node = trace.nodes.get(key[1])
        if touched is not None and node is not None:
            trace.touched = touched
        return node

    def touch(self, trace_id: str, now: float) -> Trace:
        """That trace, remembered from now on."""
        trace = self._traces.get(trace_id) or self._awoken(trace_id)
        if trace is None:
            trace = self._traces[trace_id] = Trace(trace_id, now)
            self._on_awake(trace)
        elif trace.touched != now:
            trace.touched = now
            self._traces.move_to_end(trace_id)
        return trace

    def find(self, key: SpanKey, now: float) -> tuple[Trace, Node]:
        """That span, remembered from now on, and its trace, touched."""
        trace = self.touch(key[0], now)
        return trace, trace.nodes.get(key[1]) or self._keep(trace, Node(key, now), now)

    def come(self, trace: Trace, draft: Draft, now: float) -> Node:
        """A span that has ended, and that was not known before: remembered from now on, under its parent."""
        node = Node(draft.key, now)
        node.holds(draft)
        if draft.parent is not None and draft.parent != draft.key[1]:
            parent = trace.nodes.get(draft.parent) or self._unheard_of(trace, draft.parent, now)
            node.hang(parent, remote=draft.parent_is_remote)
        return self._keep(trace, node, now)

    def connect(self, trace: Trace, node: Node, parent_id: str | None, *, remote: bool, now: float) -> None:
        """Hangs a span under its parent, which is remembered from now on."""
        if parent_id is None or node.parent is not None:
            return
        parent = trace.nodes.get(parent_id) or self._unheard_of(trace, parent_id, now)
        node.hang(parent, remote=remote)

    def _unheard_of(self, trace: Trace, span_id: str, now: float) -> Node:
        """Only known as somebody's parent."""
        node = self._keep(trace, Node((trace.trace_id, span_id), now), now)
        self._unseen[node] = None
        return node

    def seen(self, node: Node) -> None:
        """A span that was only known as somebody's parent has come."""
        self._unseen.pop(node, None)

    def of(self, node: Node) -> Trace:
        """The trace of a span that is remembered."""
        return self._traces[node.key[0]]

    def holds(self, trace: Trace) -> bool:
        return self._traces.get(trace.trace_id) is trace

    def rest(self, trace: Trace, calls: Calls) -> None:
        """Keeps a finished trace in brief, with the names of those of its calls that are still to be recognized."""
        for node in trace.nodes.values():
            if node.call_id is not None and calls.of(node.call_id, node.key) is None:
                node.call_id = None
        self._drop(trace)
        self._resting[trace.trace_id] = rested(trace)
        trace.fall_apart()

    def forget(self, trace: Trace) -> None:
        """Lets go of a finished trace."""
        self._drop(trace)
        self._size -= len(trace.nodes)
        trace.fall_apart()

    def expire(self, now: float) -> None:
        """Lets go of traces at rest that were not touched for as long as one is remembered."""
        while (due := self.due) is not None and due <= now:
            self._forget_oldest()

    def give_up(self, now: float) -> Collection[Node]:
        """No parent that was not seen is waited for any longer; gives those of traces that are not at rest."""
        self._gave_up = now
        unseen, self._unseen = self._unseen, {}
        for node in unseen:
            node.given_up = True
        return unseen

    def _awoken(self, trace_id: str) -> Trace | None:
        """A trace that was at rest; None where it was not."""
        resting = self._resting.pop(trace_id, None)
        if resting is None:
            return None
        trace = self._traces[trace_id] = revived(trace_id, resting)
        for node in trace.nodes.values():
            if node.state is UNSEEN and not node.given_up:
                if resting.touched <= self._gave_up:
                    node.given_up = True
                else:
                    self._unseen[node] = None
        self._on_awake(trace)
        return trace

    def _keep(self, trace: Trace, node: Node, now: float) -> Node:
        trace.nodes[node.key[1]] = node
        self._size += 1
        if self._size > self._room:
            self._make_room(trace, now)
        return node

    def _drop(self, trace: Trace) -> None:
        del self._traces[trace.trace_id]
        if self._unseen:
            for node in trace.nodes.values():
                if node.state is UNSEEN:
                    self._unseen.pop(node, None)

    def _forget_oldest(self) -> None:
        _, resting = self._resting.popitem(last=False)
        self._size -= resting.spans

    def _make_room(self, grown: Trace, now: float) -> None:
        while self._size > self._most and self._resting:
            self._forget_oldest()
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

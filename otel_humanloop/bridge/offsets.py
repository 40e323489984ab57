"""Up to where the messages of a log, Kafka's partitions, have been dealt with.

A message is dealt with when all its spans are settled and their traces have been at rest for a while. The rest is for
whoever takes a partition over: it then finds not the end of a trace, but all of it, and the tree is the same as if
nothing had changed hands.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Collection, Iterable, Sequence

from otel_humanloop.spans import SpanKey

Partition = tuple[str, int]
"""A topic and the number of one of its partitions."""

LONGEST = 300.0
"""Seconds a message may be held up by a trace that never comes to rest."""


class _Message:
    __slots__ = ("offset", "pending", "since", "traces")

    def __init__(self, offset: int, pending: set[SpanKey], traces: set[str], since: float) -> None:
        self.offset = offset
        self.pending = pending
        self.traces = traces
        self.since = since


class Offsets:
    """The messages that were taken and are not committed yet. May be used by several threads.

    Args:
        rest: Seconds after its latest span in which a trace may still change hands.
    """

    def __init__(self, *, rest: float) -> None:
        self._rest = rest
        self._lock = threading.Lock()
        self._messages: dict[Partition, deque[_Message]] = {}
        self._of_span: dict[SpanKey, list[_Message]] = {}
        self._touched: OrderedDict[str, float] = OrderedDict()

    def take(self, partition: Partition, offset: int, keys: Collection[SpanKey], now: float) -> None:
        """A message was read: these are its spans, none of which is settled yet. Offsets of a partition only grow."""
        message = _Message(offset, set(keys), {trace_id for trace_id, _ in keys}, now)
        with self._lock:
            self._messages.setdefault(partition, deque()).append(message)
            for key in message.pending:
                self._of_span.setdefault(key, []).append(message)
            for trace in message.traces:
                self._touched[trace] = now
                self._touched.move_to_end(trace)  # so that they stand in the order they were touched

    def settle(self, keys: Iterable[SpanKey]) -> None:
        """These spans need not be read again."""
        with self._lock:
            for key in keys:
                for message in self._of_span.pop(key, ()):
                    message.pending.discard(key)

    def ready(self, now: float) -> dict[Partition, int]:
        """For each partition of which messages have been dealt with since the last call, the offset to go on from."""
        ready: dict[Partition, int] = {}
        with self._lock:
            for partition, messages in self._messages.items():
                while messages and self._is_dealt_with(messages[0], now):
                    ready[partition] = messages.popleft().offset + 1
            self._forget_traces(now)
        return ready

    def lose(self, partitions: Sequence[Partition]) -> None:
        """These partitions are another's now."""
        with self._lock:
            for partition in partitions:
                for message in self._messages.pop(partition, ()):
                    for key in message.pending:
                        others = [each for each in self._of_span.get(key, ()) if each is not message]
                        if others:
                            self._of_span[key] = others
                        else:
                            self._of_span.pop(key, None)

    @property
    def waiting(self) -> int:
        """How many messages are not committed yet."""
        return sum(len(messages) for messages in self._messages.copy().values())

    def _is_dealt_with(self, message: _Message, now: float) -> bool:
        if message.pending:
            return False
        if now - message.since >= LONGEST:
            return True
        return all(now - self._touched.get(trace, float("-inf")) >= self._rest for trace in message.traces)

    def _forget_traces(self, now: float) -> None:
        while self._touched:
            trace, touched = next(iter(self._touched.items()))
            if now - touched < self._rest:
                return  # those behind it were touched later
            del self._touched[trace]

"""Where the log records of a process meet its spans.

The SDK makes a span exporter and a log exporter each by itself, without a word to the other: by entry points, or from a
configuration file. So this module has what no other here has, a state of the process: those who take spans in are known
to it for as long as they live, and whoever is told log records hands them to all of them. A record that belongs to no
span of theirs is let go there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from weakref import WeakSet

from otel_humanloop.spans import LogRecord


class Listener(Protocol):
    """Takes spans in, and wants to hear of the records that belong to them."""

    def expect_records(self) -> None:
        """Records are told in this process: a span that lacks its content may wait for them."""
        ...

    def accept_records(self, records: Sequence[LogRecord]) -> None:
        """Records have been emitted."""
        ...


class Meeting:
    """Listeners, and whether anyone will speak."""

    def __init__(self) -> None:
        self._listeners: WeakSet[Listener] = WeakSet()
        self._speaking = False

    def listen(self, listener: Listener) -> None:
        """This one is told what is told from now on."""
        self._listeners.add(listener)
        if self._speaking:
            listener.expect_records()

    def announce(self) -> None:
        """Records will be told."""
        self._speaking = True
        for listener in list(self._listeners):
            listener.expect_records()

    def tell(self, records: Sequence[LogRecord]) -> None:
        """Hands records to all who listen."""
        for listener in list(self._listeners):
            listener.accept_records(records)


MEETING = Meeting()
"""That of this process."""

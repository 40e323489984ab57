"""Several processes that answer at one address, where one interpreter is the limit.

Each has the database open for itself and takes connections off the socket they share. The process that started them
answers nobody: it puts another in the place of one that ended, and holds the line they all watch. When it is told to
end, or is gone, the line is down, and each finishes what came in and ends.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
import socket
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

Serve = Callable[[socket.socket, Callable[[], bool]], None]
"""What a worker does: answers at the socket until it is told that it is to end."""

_LOOK = 0.5
"""Seconds between looks at what nobody is woken for."""

_STEADY = 10.0
"""Seconds after which a worker that ends is put down to what it was asked, and no longer to how it was started."""

_LONGEST_PAUSE = 10.0
"""Seconds before another is started, where one after the other ended at once."""

_GRACE = 10.0
"""Seconds in which workers may finish what came in."""

_log = logging.getLogger(__name__)


class _Place:
    """One of the workers, whoever it is at the moment."""

    def __init__(self, start: Callable[[], SpawnProcess]) -> None:
        self._start = start
        self.process: SpawnProcess | None = None
        self._since = 0.0
        self._failures = 0
        self._due = 0.0

    def tend(self, now: float) -> None:
        """Starts another where the one that was here has ended; `now` in monotonic seconds."""
        if self.process is not None and not self.process.is_alive():
            lived = now - self._since
            self._failures = 0 if lived >= _STEADY else self._failures + 1
            pause = 0.0 if self._failures < 2 else min(_LONGEST_PAUSE, 0.1 * 2**self._failures)
            self._due = now + pause
            _log.warning("a worker ended (%s); another takes its place", _how(self.process))
            self.process.close()
            self.process = None
        if self.process is None and now >= self._due:
            self._since = now
            self.process = self._start()


def supervise(serve: Serve, listener: socket.socket, count: int) -> None:
    """Has so many workers serve, until an exception (of a signal's handler) ends it; then sees them all end.

    Args:
        serve: Can be pickled, for it runs in processes that are started anew.
    """
    context = multiprocessing.get_context("spawn")
    line, end = context.Pipe(duplex=False)

    def start() -> SpawnProcess:
        process = context.Process(target=_work, args=(serve, listener, line), name="otel-humanloop-worker")
        process.start()
        return process

    places = [_Place(start) for _ in range(count)]
    try:
        while True:
            for place in places:
                place.tend(time.monotonic())
            wait([place.process.sentinel for place in places if place.process is not None], _LOOK)
    finally:
        end.close()
        deadline = time.monotonic() + _GRACE
        for process in [place.process for place in places if place.process is not None]:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
        line.close()


def _work(serve: Serve, listener: socket.socket, line: Connection) -> None:
    with _told(line) as is_told:
        serve(listener, is_told)


@contextmanager
def _told(line: Connection) -> Generator[Callable[[], bool], None, None]:
    """Says whether this worker is to end: because the line is down, or by SIGTERM. Ctrl-C is the supervisor's."""
    ended: list[int] = []

    def end(number: int, _frame: object) -> None:
        ended.append(number)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, end)
    yield lambda: bool(ended) or line.poll(_LOOK)


def _how(process: SpawnProcess) -> str:
    code = process.exitcode or 0
    return f"process {process.pid}, " + (f"signal {-code}" if code < 0 else f"exit code {code}")

"""Keeps the index of words up to date, behind the writes: a log is committed first and found a moment later.

Texts are read from a snapshot, where nobody waits; the writer only puts them in. Before a search, what was written
before it is brought in, so that a search sees every write its caller knows of; unless that would take too long.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from otel_humanloop.server.failures import RequestFailed

_log = logging.getLogger(__name__)

SOON = 4_000
"""Logs that a search waits for: some tenths of a second."""
_SIZE = 400
"""Logs at once: the writer is held up for some milliseconds by their words."""
_PAUSE = 0.2
"""Seconds after a write until the index follows: what comes together is read together."""


class Indexer:
    """A thread that reads the words of new logs.

    Args:
        step: Brings at most that many logs into the index; returns how many it took up.
    """

    def __init__(self, step: Callable[[int], int]) -> None:
        self._step = step
        self._turn = threading.Lock()
        self._written = threading.Event()
        self._closed = threading.Event()
        self._written.set()  # another process may have left something to do
        self._thread = threading.Thread(target=self._run, name="otel-humanloop-indexer", daemon=True)
        self._thread.start()

    def written(self) -> None:
        """Something has been written."""
        self._written.set()

    def catch_up(self, waiting: int) -> None:
        """Returns when at least as many logs as were `waiting` have been taken up."""
        while waiting > 0:
            with self._turn:
                done = self._step(_SIZE)
            if done == 0:
                return
            waiting -= done

    def close(self) -> None:
        """Ends the thread; what is left is taken up when the store is opened again."""
        self._closed.set()
        self._written.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.wait(_PAUSE):
            self._written.wait()
            self._written.clear()
            try:
                self._follow()
            except (SQLAlchemyError, RequestFailed) as error:
                if not self._closed.is_set():
                    _log.warning("the search index cannot be brought up to date now: %s", error)

    def _follow(self) -> None:
        done = _SIZE
        while done == _SIZE and not self._closed.is_set():
            with self._turn:
                done = self._step(_SIZE)

"""The one writer: whatever comes in while a transaction is being committed makes up the next one.

A commit that reaches the disk costs much the same for one write as for a hundred. So nobody commits alone: writes
queue, the writer takes all that wait, runs each under a savepoint of its own (a write that fails is undone without its
neighbours noticing), commits once, and only then tells everybody. Under load the batches grow by themselves; without
load a write waits for nothing.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine

from otel_humanloop.server.failures import RequestFailed
from otel_humanloop.server.outcome import outcome
from otel_humanloop.server.store.turns import turn_of

T = TypeVar("T")

_BATCH = 256
"""Writes in one transaction at most, so that the first of them does not wait for long."""


class _Job:
    """A write and where its outcome goes."""

    __slots__ = ("_outcome", "_work", "future")

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self._work = work
        self._outcome: Any = None
        self.future: Future[Any] = Future()

    def run(self, connection: Connection) -> None:
        self._outcome = outcome(partial(self._run, connection))

    def tell(self, commit_error: Exception | None) -> None:
        result = self._outcome
        error = result if isinstance(result, Exception) else commit_error
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)

    def _run(self, connection: Connection) -> Any:
        with connection.begin_nested():
            return self._work(connection)


class Writer:
    """A thread that owns the only connection that writes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = turn_of(engine)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="otel-humanloop-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """The future is done when the transaction that holds `work` is committed, or has failed.

        Raises:
            RequestFailed: The store is closing.
        """
        job = _Job(work)
        with self._gate:  # nothing may slip in behind the mark that ends the queue
            if self._closed:
                raise RequestFailed(503, "the server is shutting down", headers={"Retry-After": "1"})
            self._jobs.put(job)
        return cast("Future[T]", job.future)

    def close(self) -> None:
        """Returns when every write handed in before is done."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        ended = False
        while not ended:
            batch, ended = self._next_batch()
            commit_error = outcome(partial(self._commit, batch))
            for job in batch:
                job.tell(commit_error)

    def _commit(self, batch: Sequence[_Job]) -> None:
        with self._turn(), self._engine.begin() as connection:
            for job in batch:
                job.run(connection)

    def _next_batch(self) -> tuple[list[_Job], bool]:
        """All that waits, and whether the queue has ended; waits itself while there is nothing."""
        batch: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            batch.append(job)
            if len(batch) == _BATCH or self._jobs.empty():
                return batch, False
            job = self._jobs.get()
        return batch, True

"""The thread that keeps a pipeline going, and how a flush takes its place."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable

# The SDK's own processors suppress by this key; it has no public name below `opentelemetry-instrumentation`.
from opentelemetry.context import (
    _SUPPRESS_INSTRUMENTATION_KEY,  # pyright: ignore[reportPrivateUsage]
    attach,
    detach,
    set_value,
)


class Worker:
    """Runs a step over and over: in a daemon thread of its own, or on the thread of whoever flushes.

    Only one thread at a time is in the step, and whatever it does there is not traced. A flush does not depend on
    the thread being alive: where a platform freezes or loses it (AWS Lambda, a fork without hooks), the caller's own
    thread does the work.

    Args:
        step: Does what there is to do now, spending at most that many seconds on the network; returns in how many
            seconds it wants to be run again, 0 for at once, or None when only something new would give it work.
        on_fork: Called in a child process after `fork`, before anything else of it runs.
        delay: Seconds between something new and the step that takes it, so that more may gather.
    """

    def __init__(
        self, step: Callable[[float], float | None], *, on_fork: Callable[[], None], delay: float, name: str
    ) -> None:
        self._step = step
        self._on_fork = on_fork
        self._pause = delay or 1.0  # without a delay every span wakes the thread
        self._name = name
        self._stopped = False
        self._prepare()
        if hasattr(os, "register_at_fork"):
            reset = weakref.WeakMethod(self._after_fork)
            os.register_at_fork(after_in_child=lambda: (method := reset()) and method())

    def start(self) -> None:
        """Makes sure the thread is there. Called for whatever comes in, so it is cheap when it is."""
        if self._pid != os.getpid():
            self._after_fork()  # a fork that ran no hooks, as uWSGI's
        if self._thread is None and not self._stopped:
            with self._starting:
                if self._thread is None:
                    thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                    thread.start()
                    self._thread = thread

    def wake(self) -> None:
        """Something is worth a step at once."""
        self._awake.set()

    def run(self, until: Callable[[], bool], *, timeout: float, patient: bool = True) -> bool:
        """Runs steps on the calling thread until nothing is left to do.

        Args:
            until: Is nothing left?
            timeout: Seconds this may take.
            patient: Wait for a backend that is not there now; otherwise leave that to the thread.

        Returns:
            Whether nothing is left.
        """
        deadline = time.monotonic() + timeout
        if not self._stepping.acquire(timeout=max(0.0, timeout)):
            return False
        token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        try:
            while True:
                wait = self._step(max(0.0, deadline - time.monotonic()))
                if until():
                    return True
                remaining = deadline - time.monotonic()
                if wait is None or wait > remaining or remaining <= 0 or (wait > 0 and not patient):
                    return False
                if wait > 0:
                    self._quit.wait(wait)
        finally:
            detach(token)
            self._stepping.release()

    def stop(self) -> None:
        """The thread ends after the step it is in; `run` still works."""
        self._stopped = True
        self._quit.set()
        self._awake.set()

    def _prepare(self) -> None:
        self._pid = os.getpid()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._stepping = threading.Lock()
        self._awake = threading.Event()
        self._quit = threading.Event()

    def _after_fork(self) -> None:
        # Threads do not survive a fork, and a lock may have been held by one of them.
        self._prepare()
        self._on_fork()

    def _run(self) -> None:
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        wait: float | None = None
        while not self._stopped:
            self._awake.wait(self._pause if wait is None else min(wait, self._pause))
            self._awake.clear()
            if self._stopped:
                return
            with self._stepping:
                wait = self._step(float("inf"))
                while wait == 0 and not self._stopped:
                    wait = self._step(float("inf"))

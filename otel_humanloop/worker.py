"""The thread that keeps a pipeline going, and how a flush takes its place."""

from __future__ import annotations

import os
import threading
import time
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
    the thread being alive: where a platform freezes or loses it (AWS Lambda, a fork), the caller's own thread does the
    work.

    A process that was forked is noticed by its number, when something is next asked of the worker in it. So a fork
    that runs no hooks (uWSGI's) is noticed as any other, a child that never traces costs nothing, and nothing is
    registered that could not be taken back.

    Args:
        step: Does what there is to do now, spending at most that many seconds on the network; returns in how many
            seconds it wants to be run again, 0 for at once, or None when only something new would give it work.
        on_fork: Called in a child process before the first step or the first `here` of it returns.
        delay: Seconds between something new and the step that takes it, so that more may gather.
    """

    _thread: threading.Thread | None
    _starting: threading.Lock
    _stepping: threading.Lock
    _awake: threading.Event
    _quit: threading.Event

    def __init__(
        self, step: Callable[[float], float | None], *, on_fork: Callable[[], None], delay: float, name: str
    ) -> None:
        self._step = step
        self._on_fork = on_fork
        self._pause = delay or 1.0  # without a delay every span wakes the thread
        self._name = name
        self._stopped = False
        self._births: dict[int, threading.Lock] = {}
        self._at_end: Callable[[], None] | None = None
        self._prepare()

    @property
    def is_inherited(self) -> bool:
        """This process is a child of the one that used the worker last, and has not used it yet."""
        return self._pid != os.getpid()

    def here(self) -> None:
        """Makes the worker this process's own. Called for whatever is asked of it, so it is cheap when it is."""
        if self._pid == os.getpid():
            return
        # Two threads of a child may come here at once. A lock made before the fork may be held for ever.
        with self._births.setdefault(os.getpid(), threading.Lock()):
            if self._pid != os.getpid():
                self._on_fork()
                self._prepare()

    def start(self) -> None:
        """Makes sure the thread is there. Called for whatever comes in, so it is cheap when it is."""
        if self._thread is not None and self._pid == os.getpid():
            return
        self.here()
        if self._thread is None and not self._stopped:
            with self._starting:
                if self._thread is None:
                    thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                    try:
                        thread.start()
                    except RuntimeError:
                        return  # the interpreter is ending: whoever shuts down does the work
                    self._thread = thread

    def wake(self) -> None:
        """Something is worth a step at once."""
        if not self._awake.is_set():  # which is cheaper than setting it again
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
        self.here()
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
                    # A shutdown ends the waiting of others, and not its own.
                    (self._quit if not self._stopped else threading.Event()).wait(wait)
        finally:
            detach(token)
            self._stepping.release()

    def stop(self) -> None:
        """The thread ends after the step it is in; `run` still works."""
        self._stopped = True
        self._quit.set()
        self._awake.set()

    def afterwards(self, action: Callable[[], None]) -> None:
        """Has this done once nobody is in the step any more: now, or by the thread when it has left it."""
        self._at_end = action
        if self._stepping.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._stepping.release()

    def _end(self) -> None:
        action, self._at_end = self._at_end, None
        if action is not None:
            action()

    def _prepare(self) -> None:
        # Threads do not survive a fork, and a lock may have been held by one of them.
        self._thread = None
        self._starting = threading.Lock()
        self._stepping = threading.Lock()
        self._awake = threading.Event()
        self._quit = threading.Event()
        self._pid = os.getpid()  # last, for others take it as the sign that all is prepared

    def _run(self) -> None:
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        wait: float | None = None
        while not self._stopped:
            self._awake.wait(self._pause if wait is None else min(wait, self._pause))
            self._awake.clear()
            with self._stepping:
                wait = 0
                while wait == 0 and not self._stopped:
                    wait = self._step(float("inf"))
        with self._stepping:
            self._end()

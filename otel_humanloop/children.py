"""Processes that end without `atexit`: the children of `multiprocessing` and of Celery's `billiard`.

A forked child of either ends by `os._exit`, so that what `atexit` would have sent is lost with it, such as all the
spans of a pool's worker that does one task. Both run finalizers of their own before that, and nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from weakref import WeakMethod

_LIBRARIES = ("multiprocessing", "billiard")

_PRIORITY = 100
"""Before the finalizers of queues and pools, which are below it; all at 0 or more run while the process is whole."""


class LastWord:
    """Has a method called when this process ends, if it is such a child; holds its object weakly.

    Args:
        action: A bound method without arguments.
    """

    def __init__(self, action: Callable[[], object]) -> None:
        self._finalizers: list[Any] = []
        method = WeakMethod(action)

        def act() -> None:
            if (found := method()) is not None:
                found()

        for library in _LIBRARIES:
            process, util = sys.modules.get(f"{library}.process"), sys.modules.get(f"{library}.util")
            if process is not None and util is not None and _is_child(process.current_process()):
                self._finalizers.append(util.Finalize(None, act, exitpriority=_PRIORITY))

    def cancel(self) -> None:
        """It was said already."""
        for finalizer in self._finalizers:
            finalizer.cancel()


def _is_child(process: Any) -> bool:
    return getattr(process, "_parent_pid", None) is not None

"""Processes that end without `atexit`: the forked children of `multiprocessing`, and Celery's workers.

They end by `os._exit`, so that what `atexit` would have sent is lost with them, such as all the spans of a pool's
worker that does one task. The former run finalizers of their own before that, the latter send a signal of Celery's;
nothing else is heard of it.
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

        def act_as_told(**_told: object) -> None:
            act()

        for library in _LIBRARIES:
            process, util = sys.modules.get(f"{library}.process"), sys.modules.get(f"{library}.util")
            if process is not None and util is not None and _is_child(process.current_process()):
                self._finalizers.append(util.Finalize(None, act, exitpriority=_PRIORITY))
        self._ends = getattr(sys.modules.get("celery.signals"), "worker_process_shutdown", None)
        if self._ends is not None:
            self._ends.connect(act_as_told, weak=False)
        self._act_as_told = act_as_told

    def cancel(self) -> None:
        """It was said already."""
        for finalizer in self._finalizers:
            finalizer.cancel()
        if self._ends is not None:
            self._ends.disconnect(self._act_as_told)


def _is_child(process: Any) -> bool:
    return getattr(process, "_parent_pid", None) is not None

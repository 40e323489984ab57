"""What this package says about itself, through `logging`: of each cause at most one message a minute."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable

logger = logging.getLogger("otel_humanloop")


class Notices:
    """Speaks to the application's operator without flooding them.

    A cause is one of a fixed set of words, so that what is remembered is bounded.

    Args:
        clock: Monotonic seconds.
        interval: Seconds between two messages of one cause.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, interval: float = 60.0) -> None:
        self._clock = clock
        self._interval = interval
        self._last: dict[str, float] = {}
        self._untold: dict[str, int] = {}

    def warn(self, cause: str, message: str, *, trace: bool = False) -> None:
        """Says it, unless the same cause was spoken of less than the interval ago: then it is only counted.

        Args:
            trace: Tell the type of the exception being handled, and where it was raised. Not what it says, for that
                may be what a span said.
        """
        now = self._clock()
        last = self._last.get(cause)
        if last is not None and now - last < self._interval:
            self._untold[cause] = self._untold.get(cause, 0) + 1
            return
        self._last[cause] = now
        untold = self._untold.pop(cause, 0)
        more = f" (and {untold} more like it since the last message)" if untold else ""
        logger.warning("%s%s%s", message, more, _where() if trace else "")


def _where() -> str:
    """The exception being handled: its type and the places it came through, innermost last."""
    kind, _, frames = sys.exc_info()
    if kind is None:
        return ""
    places = [f"{path}:{line} in {function}" for path, line, function, _ in traceback.extract_tb(frames)]
    return "\n".join([f"\n{kind.__module__}.{kind.__qualname__} raised", *(f"  at {place}" for place in places)])

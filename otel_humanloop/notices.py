"""What this package says about itself, through `logging`: of each cause at most one message a minute."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

logger = logging.getLogger("otel_humanloop")


class Notices:
    """Speaks to the application's operator without flooding them.

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
            trace: Show the traceback of the exception being handled.
        """
        now = self._clock()
        last = self._last.get(cause)
        if last is not None and now - last < self._interval:
            self._untold[cause] = self._untold.get(cause, 0) + 1
            return
        self._last[cause] = now
        untold = self._untold.pop(cause, 0)
        more = f" (and {untold} more like it since the last message)" if untold else ""
        logger.warning("%s%s", message, more, exc_info=trace)

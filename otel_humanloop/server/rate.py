"""How many requests a caller may make."""

from __future__ import annotations

import math


class RateLimit:
    """A bucket for each caller: full at first, emptied by requests, filled again evenly.

    Args:
        per_minute: Requests in a minute; as many may come at once.
    """

    def __init__(self, per_minute: int) -> None:
        self._size = float(per_minute)
        self._rate = per_minute / 60
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, caller: str, now: float) -> int:
        """Takes one request of a caller's; returns 0, or the seconds until there is one to take.

        Args:
            now: Seconds of a clock that never goes back.
        """
        left, then = self._buckets.get(caller, (self._size, now))
        left = min(self._size, left + (now - then) * self._rate)
        if left < 1:
            self._buckets[caller] = (left, now)
            return math.ceil((1 - left) / self._rate)
        self._buckets[caller] = (left - 1, now)
        return 0

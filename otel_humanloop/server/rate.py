"""How many requests a caller may make."""

from __future__ import annotations

import hashlib
import math
import sqlite3
import threading
from typing import Protocol

_ROUNDING = 1e-6
"""Seconds within which a moment is the same."""

_EMPTY = """
INSERT INTO buckets (caller, full) VALUES (:caller, :now + :step)
ON CONFLICT (caller) DO UPDATE SET full = max(full, :now) + :step WHERE max(full, :now) - :now <= :room
"""


class Buckets(Protocol):
    """Remembers of each caller when its bucket will be full again."""

    def take(self, caller: str, now: float, *, step: float, room: float) -> float:
        """Puts that moment off by `step`, unless it is more than `room` from now; the seconds that it is too far."""
        ...


class OwnBuckets:
    """Those of one process."""

    def __init__(self) -> None:
        self._full: dict[str, float] = {}

    def take(self, caller: str, now: float, *, step: float, room: float) -> float:
        full = max(self._full.get(caller, now), now)
        if full - now > room:
            return full - now - room
        self._full[caller] = full + step
        return 0.0


class SharedBuckets:
    """Those of all processes that know the file; callers are in it as hashes."""

    def __init__(self, file: str) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(file, timeout=10, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("CREATE TABLE IF NOT EXISTS buckets (caller BLOB PRIMARY KEY, full REAL) WITHOUT ROWID")

    def take(self, caller: str, now: float, *, step: float, room: float) -> float:
        name = hashlib.sha256(caller.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            if self._database.execute(_EMPTY, {"caller": name, "now": now, "step": step, "room": room}).rowcount:
                return 0.0
            found = self._database.execute("SELECT full FROM buckets WHERE caller = ?", (name,)).fetchone()
        return float(found[0]) - now - room

    def close(self) -> None:
        """Lets go of the file."""
        self._database.close()


class RateLimit:
    """A bucket for each caller: full at first, emptied by requests, filled again evenly.

    Args:
        per_minute: Requests in a minute; as many may come at once.
        buckets: Where they are remembered; in this process unless it is said.
    """

    def __init__(self, per_minute: int, buckets: Buckets | None = None) -> None:
        self._step = 60 / per_minute
        self._room = 60 - self._step + _ROUNDING
        self._buckets = buckets or OwnBuckets()

    def wait(self, caller: str, now: float) -> int:
        """Takes one request of a caller's; returns 0, or the seconds until there is one to take.

        Args:
            now: Seconds of a clock that never goes back.
        """
        missing = self._buckets.take(caller, now, step=self._step, room=self._room)
        return 0 if missing == 0 else max(1, math.ceil(missing))

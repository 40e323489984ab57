"""Whether the process that left something is still there.

A process number does not tell: it is used again, and in containers every process is number 1. A lock does: the
operating system lets go of it however its holder ends. SQLite's own file locks are used, for they are the same on
every system, and hold between two users in one process too.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from urllib.parse import quote


class Presence:
    """Held from its making until `close`, or until the process is no more.

    Args:
        path: A file of its own, in a directory on this machine; it is made, and removed by `close`.

    Raises:
        sqlite3.OperationalError: The file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process = os.getpid()
        self._lock = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            self._lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error:
            self._lock.close()
            raise

    def close(self) -> None:
        if self._process == os.getpid():  # what a forked child inherits is not its own to end
            self._lock.close()
            self._path.unlink(missing_ok=True)


def is_present(path: Path) -> bool:
    """Whether someone holds the `Presence` at that path. Where it cannot be told, yes: nothing is taken from them."""
    if not path.exists():
        return False
    with contextlib.closing(
        sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=0, isolation_level=None)
    ) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            return True
        return False

"""Processes that keep one SQLite file take turns to write.

SQLite has one writer at a time, and whoever finds it busy sleeps, looks again, and after some seconds gives up: beside
a process that writes without pause that may be every time. Waiting for a lock of the operating system's, one is woken
when it is free. It is let go however its holder ends.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine


class Turn(Protocol):
    """Taken for one transaction; given back afterwards."""

    def __call__(self) -> AbstractContextManager[None]: ...


def turn_of(engine: Engine) -> Turn:
    """The turn of those that write to the engine's database; PostgreSQL sees to that by itself."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or sys.platform == "win32":
        return nullcontext  # what SQLite itself does has to be enough
    file = Path(f"{path}-turn").absolute()
    return lambda: _locked(file)


@contextmanager
def _locked(path: Path) -> Generator[None, None, None]:
    """Holds a lock on a file that lies beside the database and has nothing in it."""
    import fcntl

    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)

"""Where everything is kept: `open_store(url)` gives a `Store`, whatever database is behind it.

A store runs *work*: a function of an open connection. `read` gives it a connection of its own, which never waits for
the writer; `write` hands it to the one writer and returns when what it wrote is committed. What the work does stands in
the modules beside this one, in SQLAlchemy Core, the same for every database.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from otel_humanloop.errors import SettingsError
from otel_humanloop.server.store import words
from otel_humanloop.server.store.databases import Database, open_postgres, open_sqlite
from otel_humanloop.server.store.indexer import SOON, Indexer
from otel_humanloop.server.store.writer import Writer

__all__ = ["Store", "open_store"]

T = TypeVar("T")


class Store:
    """An open database with its one writer. Close it, or use it as a context manager."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer = Writer(database.writing)
        self._indexer = Indexer(self._index)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` on a snapshot of what is committed."""
        with self._database.reading.begin() as connection:
            return work(connection)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in the writer's transaction and returns what it returned, once that is committed to disk.

        If `work` raises, nothing of it is kept, and the error is raised here.
        """
        result = self._writer.submit(work).result()
        self._indexer.written()
        return result

    def search(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` as `read` does, once the index of words holds all that was committed before.

        Where more logs wait than are read in a moment, as after a migration, it looks into what the index holds now;
        `words.waiting` tells how many logs it lacks.
        """
        waiting = self.read(words.waiting)
        if waiting <= SOON:
            self._indexer.catch_up(waiting)
        return self.read(work)

    def _index(self, most: int) -> int:
        readings = self.read(lambda tx: words.read(tx, most))
        if readings:
            self._writer.submit(lambda tx: words.keep(tx, readings)).result()
        return len(readings)

    def compact(self) -> None:
        """Gives the disk back what deleted logs took. Needs as much room again while it works."""
        self._database.compact()

    def close(self) -> None:
        """Finishes what was handed in, then lets go of the database. Closing again does nothing."""
        self._indexer.close()
        self._writer.close()
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_store(url: str) -> Store:
    """Opens a database, bringing its tables up to date.

    Args:
        url: `sqlite:///relative.db`, `sqlite:////absolute.db`, or `sqlite://` for one that lasts as long as the store
            is open; `postgresql://USER:PASSWORD@HOST/NAME`, which several servers may share.

    Raises:
        SettingsError: The address names no database this can keep, or it cannot be opened.
        MissingExtra: It is PostgreSQL's, and psycopg is not installed.
    """
    if url.startswith("sqlite:"):
        return Store(open_sqlite(url))
    if url.startswith(("postgresql:", "postgres:")):
        return Store(open_postgres(url))
    raise SettingsError(
        f"the database is `{url.split('://', 1)[0]}`, but must be sqlite:///path or postgresql://host/name",
        hint="use sqlite:////absolute/path, sqlite:///relative/path, or sqlite:// for one that is not kept",
    )

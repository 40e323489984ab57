"""Engines: how each database is opened, and what it is asked to promise."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from otel_humanloop.errors import MissingExtra, SettingsError
from otel_humanloop.server.store.migrate import migrate

_BUSY_MS = 10_000
"""How long a connection waits for another process's lock, such as that of a backup."""

_PAGE = 8192
"""Bytes of a page of a new SQLite database: of contents of some 2 kB, one would leave half of the usual page empty."""

_CACHE_KB = 32_000
"""Of pages the writer holds: each log changes some anywhere in the indexes of ids, and with SQLite's own 2 MB those of
one write do not fit."""


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """A database opened twice: by the writer, and by readers that can only read."""

    writing: Engine
    reading: Engine
    cleanup: Callable[[], None] | None = None

    def compact(self) -> None:
        """Gives the disk back what deleted logs took. Writes wait for it meanwhile."""
        raw = self.writing.raw_connection()
        try:
            raw.rollback()
            connection: Any = raw.dbapi_connection
            if self.writing.dialect.name == "sqlite":
                for name in ("log_words", "log_facts"):
                    connection.execute(f"INSERT INTO {name} ({name}) VALUES ('optimize')")
                connection.execute("VACUUM")
            else:
                connection.autocommit = True
                connection.execute("VACUUM")
                connection.autocommit = False
        finally:
            raw.close()

    def close(self) -> None:
        self.reading.dispose()
        self.writing.dispose()
        if self.cleanup is not None:
            self.cleanup()


def open_sqlite(url: str) -> Database:
    """SQLite in write-ahead mode: readers see the last commit and wait for nobody.

    `sqlite://` is a file too, in a temporary directory that goes when the store is closed: one way of working, not two.
    """
    try:
        path = make_url(url).database
    except ArgumentError as error:
        raise SettingsError(f"the database is `{url}`, which is no address", hint="use sqlite:///path") from error
    cleanup = None
    if path in (None, "", ":memory:"):
        directory = tempfile.TemporaryDirectory(prefix="otel-humanloop-")
        path, cleanup = str(Path(directory.name) / "humanloop.db"), directory.cleanup
    assert path is not None
    # It holds prompts and answers. SQLite gives its side files the permissions of the file itself.
    with contextlib.suppress(OSError):  # it is there; or cannot be, and SQLite says why
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    writing = _sqlite_engine(
        path,
        pragmas=(
            f"page_size = {_PAGE}",
            "journal_mode = WAL",
            f"synchronous = {'OFF' if cleanup else 'FULL'}",
            "foreign_keys = ON",
            f"cache_size = -{_CACHE_KB}",
        ),
        begin="BEGIN IMMEDIATE",
        pool_size=1,
    )
    reading = _sqlite_engine(path, pragmas=("query_only = ON",), begin="BEGIN", pool_size=16)
    database = Database(writing=writing, reading=reading, cleanup=cleanup)
    try:
        migrate(writing)
    except DBAPIError as error:
        database.close()
        raise SettingsError(
            f"the database `{path}` cannot be opened: {error.orig}",
            hint="name a file in a directory that exists and can be written to",
        ) from error
    return database


def _sqlite_engine(path: str | None, *, pragmas: tuple[str, ...], begin: str, pool_size: int) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"check_same_thread": False, "timeout": _BUSY_MS / 1000},
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0 if pool_size == 1 else 48,
    )

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver's own idea of when to begin would undo savepoints
        for pragma in (*pragmas, "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    _ = connected, begun
    return engine


_WRITER = 0x68756D616E  # "human"
"""The advisory lock of PostgreSQL that makes all servers on one database one writer."""


def open_postgres(url: str) -> Database:
    """PostgreSQL. Servers that share one take turns: each transaction that writes waits for the others' to end.

    So the rules of a single writer hold for all of them together; readers wait for nobody.

    Raises:
        SettingsError: The address is none, the database cannot be reached, or psycopg is not installed.
    """
    if find_spec("psycopg") is None:
        raise MissingExtra("keeping logs in PostgreSQL", "postgres")
    try:
        address = make_url(url).set(drivername="postgresql+psycopg")
    except ArgumentError as error:
        raise SettingsError("the database is no address", hint="use postgresql://USER@HOST/NAME") from error
    writing = create_engine(address, pool_size=1, max_overflow=0, pool_pre_ping=True)
    reading = create_engine(
        address,
        pool_size=16,
        max_overflow=48,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ",
        connect_args={"options": "-c default_transaction_read_only=on"},
    )

    @event.listens_for(writing, "begin")
    def begun(connection: Any) -> None:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER})")

    _ = begun
    database = Database(writing=writing, reading=reading)
    try:
        migrate(writing)
    except DBAPIError as error:
        database.close()
        place = address.render_as_string(hide_password=True).replace("+psycopg", "")
        raise SettingsError(
            f"the database `{place}` cannot be opened: {str(error.orig).strip()}",
            hint="is PostgreSQL there, and may this user make tables in that database?",
        ) from error
    return database

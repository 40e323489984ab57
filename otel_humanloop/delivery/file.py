"""The SQLite file of a spool: what is in it, and the one connection a process has to it.

| Table | A row is |
|---|---|
| `batches` | spans that were kept with one write, and which of them still are |
| `contents` | what these spans are, beside the former, so that to let one go costs nothing of the others |
| `files` | a batch that is large: the name of the file in which its content is, and how long that is (`large.py`) |
| `depth` | the only one: how much all batches keep |
| `owners` | a process that keeps spans here |
| `refusals` | a log Humanloop will never take |
| `notes` | what a process wrote down for the next one |

What is deleted may stay in the file until its place is used again, as in any file.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import uuid
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from otel_humanloop.errors import SettingsError

_VERSION = 3
"""The format of the file, as SQLite's `user_version`."""

_APPLICATION = 0x4F48534C
"""Whose file it is, as SQLite's `application_id`: "OHSL"."""

_BUSY = 5.0  # seconds to wait for another process's transaction, which takes milliseconds

_PAGE = 8192  # bytes: of larger pages a small request writes too much, of smaller ones a large request too many

_FILES = (
    "CREATE TABLE files (batch INTEGER PRIMARY KEY, name TEXT NOT NULL, length INTEGER NOT NULL)",
    """
CREATE TRIGGER batch_released AFTER DELETE ON batches BEGIN
    UPDATE depth SET spans = spans - old.spans, bytes = bytes - old.bytes;
    DELETE FROM contents WHERE batch = old.batch;
    DELETE FROM files WHERE batch = old.batch;
END
""",
)

_FORMER = 2
_FROM_FORMER = ("DROP TRIGGER batch_released", *_FILES, f"PRAGMA user_version = {_VERSION}")
"""The format before this one, in which all batches are in the file itself, and what makes this one of it.

A process of the former version that has such a file open can go on with it.
"""

_SCHEMA = f"""
CREATE TABLE batches (
    batch INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, spans INTEGER NOT NULL, bytes INTEGER NOT NULL,
    kept BLOB NOT NULL
);
CREATE TABLE contents (batch INTEGER PRIMARY KEY, parts BLOB NOT NULL, content BLOB NOT NULL);
CREATE TABLE owners (owner TEXT PRIMARY KEY);
CREATE TABLE depth (spans INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO depth VALUES (0, 0);
CREATE TRIGGER batch_kept AFTER INSERT ON batches
    BEGIN UPDATE depth SET spans = spans + new.spans, bytes = bytes + new.bytes; END;
CREATE TRIGGER batch_changed AFTER UPDATE OF spans, bytes ON batches
    BEGIN UPDATE depth SET spans = spans - old.spans + new.spans, bytes = bytes - old.bytes + new.bytes; END;
{"; ".join(_FILES)};
CREATE TABLE refusals (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, reference_id TEXT NOT NULL, method TEXT NOT NULL, project TEXT,
    status INTEGER NOT NULL, detail TEXT NOT NULL, body BLOB NOT NULL, at REAL NOT NULL, UNIQUE (reference_id, method)
);
CREATE TABLE notes (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, trace_id TEXT, span_id TEXT, note BLOB NOT NULL, at REAL NOT NULL
);
CREATE INDEX notes_of_span ON notes (trace_id, span_id) WHERE trace_id IS NOT NULL;
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
"""


class SpoolFile:
    """A connection to such a file, which is made, readable by its owner only, where there is none.

    Several threads may use it: a transaction keeps the others out until its end.

    Raises:
        SettingsError: The file is something else, or of another version.
        sqlite3.Error, OSError: It cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.RLock()
        self._is_durable = True
        if not path.exists():
            _make(path)
        self._database = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        try:
            self._check()
            self._database.execute("PRAGMA synchronous = FULL")
            # Some builds of SQLite overwrite what is deleted, which costs as much as writing it did.
            self._database.execute("PRAGMA secure_delete = OFF")
        except (sqlite3.Error, SettingsError):
            self._database.close()
            raise

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query finds.

        Raises:
            sqlite3.DatabaseError: The file cannot be read.
        """
        with self.lock:
            return self._database.execute(query, parameters).fetchall()

    @contextlib.contextmanager
    def transaction(
        self, *, durable: bool = True, patience: float = _BUSY
    ) -> Generator[sqlite3.Connection, None, None]:
        """All of it or nothing. IMMEDIATE, so that it waits for another writer at its start, and cannot fail later.

        Args:
            durable: It is on the disk at the end of the block. Else it outlives the process, but a power cut may take
                it back, and with it nothing that was durable.
            patience: Seconds to wait for others' transactions. SQLite lets in whoever happens to ask when there is
                room, so that on a busy file one may wait for many.

        Raises:
            sqlite3.DatabaseError: The file cannot be written.
        """
        with self.lock:
            if durable is not self._is_durable:
                self._database.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._is_durable = durable
            if patience != _BUSY:
                self._database.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
            try:
                self._database.execute("BEGIN IMMEDIATE")
            finally:
                if patience != _BUSY:
                    self._database.execute(f"PRAGMA busy_timeout = {int(_BUSY * 1000)}")
            try:
                yield self._database
                self._database.execute("COMMIT")
            finally:
                if self._database.in_transaction:  # it failed; SQLite ends it by itself when the disk is full
                    self._database.execute("ROLLBACK")

    @contextlib.contextmanager
    def undamaged(self) -> Generator[None, None, None]:
        """For whoever looks at a spool: what to do where the disk gave something else back than it was given."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise SettingsError(
                f"the spool {self.path} cannot be used: {error}",
                hint=f"a damaged file is best moved away; `sqlite3 {self.path} .recover` gives back what can be read",
            ) from error

    def close(self) -> None:
        """Lets go of the file."""
        with self.lock:
            self._database.close()

    def _check(self) -> None:
        """Is it a spool, of this version? Nothing is changed in a file that is not."""
        ((version,),) = self.rows("PRAGMA user_version")
        ((application,),) = self.rows("PRAGMA application_id")
        if application != _APPLICATION:
            raise SettingsError(
                f"HUMANLOOP_SPOOL names {self.path}, which is not a spool", hint="name a file that does not exist yet"
            )
        if version == _FORMER:
            self._bring_forward()
        elif version != _VERSION:
            raise SettingsError(
                f"the spool {self.path} was written by another version of otel-humanloop (its format is"
                f" {version}, this one's is {_VERSION})",
                hint="let that version deliver what is in it, or name another file in HUMANLOOP_SPOOL",
            )

    def _bring_forward(self) -> None:
        with self.transaction() as database:
            ((version,),) = self.rows("PRAGMA user_version")
            if version == _FORMER:  # another process may have done it meanwhile
                for statement in _FROM_FORMER:
                    database.execute(statement)


def _make(path: Path) -> None:
    """Makes an empty spool elsewhere and gives it its name when it is whole: others may be opening it meanwhile."""
    new = path.with_name(f"{path.name}-new-{uuid.uuid4().hex}")
    # Spans hold prompts and answers. SQLite gives its side files the permissions of the file itself.
    os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as database:
            database.execute(f"PRAGMA page_size = {_PAGE}")
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(_SCHEMA)
        with contextlib.suppress(FileExistsError):  # another was faster, and has made the same
            os.link(new, path)
    finally:
        new.unlink()

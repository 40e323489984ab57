"""What a process writes down for the next one beside its spans, in the file of its spool.

A note is of one span and of one kind; what it says is the writer's business. Notes are a help and not a promise: they
are bounded, the oldest go first, and a file that cannot be written costs them and nothing else.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from logging import getLogger
from pathlib import Path
from typing import Literal

import msgspec

from otel_humanloop.errors import SpoolFull
from otel_humanloop.spans import SpanKey

_logger = getLogger(__name__)

_OLDEST = 3600.0  # seconds after which a note is of no use to anyone

_BUSY = 5.0  # seconds to wait for another's transaction

_SCHEMA = """
CREATE TABLE IF NOT EXISTS notes (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, trace_id TEXT NOT NULL, span_id TEXT NOT NULL, kind TEXT NOT NULL,
    note BLOB NOT NULL, at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS notes_of_span ON notes (trace_id, span_id);
"""

Kind = Literal["known", "record"]


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be known of a span."""

    key: SpanKey
    kind: Kind
    content: bytes


class Notes:
    """The notes in one SQLite file, which is a spool's. May be used by several threads.

    Args:
        most: How many are kept.
        most_bytes: How many bytes they are together.

    Raises:
        sqlite3.Error: The file cannot be opened.
    """

    def __init__(self, path: Path, *, most: int = 200_000, most_bytes: int = 64 * 1024 * 1024) -> None:
        self._path = path
        self._most = most
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        with self._lock:
            self._database.executescript(_SCHEMA)
            self._database.execute("DELETE FROM notes WHERE at < ?", (time.time() - _OLDEST,))
        self._count, self._bytes = self._depth()

    def promise(self, notes: Sequence[Note]) -> None:
        """Writes notes someone was told are kept: they are on the disk when this returns.

        Raises:
            SpoolFull: The file cannot be written to now.
        """
        try:
            self._write(notes, (), synchronous="FULL")
        except sqlite3.DatabaseError as error:
            raise SpoolFull(f"{self._path} cannot be written: {error}") from error

    def replace(self, notes: Sequence[Note], keys: Iterable[SpanKey]) -> None:
        """Writes notes, and forgets all others of these spans.

        They outlive the process, but perhaps not a power cut, for that would cost as much as keeping a span.
        """
        try:
            self._write(notes, keys, synchronous="NORMAL")
        except sqlite3.DatabaseError as error:
            _logger.warning(
                "%s cannot be written; what was known of %d spans is lost: %s", self._path, len(notes), error
            )

    def all(self, kind: Kind) -> list[Note]:
        """The notes of a kind, in the order they were written."""
        with (
            self._lock,
            closing(
                self._database.execute(
                    "SELECT trace_id, span_id, note FROM notes WHERE kind = ? ORDER BY sequence", (kind,)
                )
            ) as rows,
        ):
            return [Note(key=(trace_id, span_id), kind=kind, content=note) for trace_id, span_id, note in rows]

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            self._database.close()

    def _write(self, notes: Sequence[Note], keys: Iterable[SpanKey], *, synchronous: str) -> None:
        at = time.time()
        with self._lock:
            self._database.execute(f"PRAGMA synchronous = {synchronous}")
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._database.executemany("DELETE FROM notes WHERE trace_id = ? AND span_id = ?", list(keys))
                self._database.executemany(
                    "INSERT INTO notes (trace_id, span_id, kind, note, at) VALUES (?, ?, ?, ?, ?)",
                    [(*note.key, note.kind, note.content, at) for note in notes],
                )
                self._count += len(notes)
                self._bytes += sum(len(note.content) for note in notes)
                self._bound()
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:  # SQLite ends it by itself when the disk is full
                    self._database.execute("ROLLBACK")
                raise

    def _bound(self) -> None:
        """Forgets the oldest where there are too many. Counted in memory, and anew where that says too many."""
        while self._count > self._most or self._bytes > self._most_bytes:
            self._count, self._bytes = self._depth()
            if self._count <= self._most and self._bytes <= self._most_bytes:
                return
            self._database.execute(
                "DELETE FROM notes WHERE sequence IN (SELECT sequence FROM notes ORDER BY sequence LIMIT ?)",
                (max(1, self._count // 10),),
            )
            self._count, self._bytes = self._depth()

    def _depth(self) -> tuple[int, int]:
        count, total = self._database.execute("SELECT count(*), coalesce(sum(length(note)), 0) FROM notes").fetchone()
        return count, total

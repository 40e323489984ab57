"""What a process writes down for the next one beside its spans, in the file of its spool.

Log records that came apart from their span, each by itself until the span is let go; and what is to be known of spans
that were let go, of many at once. Notes are a help and not a promise: they are bounded, the oldest go first, and a file
that cannot be written costs them and nothing else.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Sequence
from logging import getLogger

from otel_humanloop.delivery.file import SpoolFile
from otel_humanloop.errors import SpoolFull
from otel_humanloop.spans import SpanKey

_logger = getLogger(__name__)

_OLDEST = 3600.0  # seconds after which a note is of no use to anyone

_INSERT = "INSERT INTO notes (trace_id, span_id, note, at) VALUES (?, ?, ?, ?)"


class Notes:
    """The notes in a spool's file. May be used by several threads.

    Args:
        most: How many are kept.
        most_bytes: How many bytes they are together.

    Raises:
        sqlite3.DatabaseError: The file cannot be used.
    """

    def __init__(self, file: SpoolFile, *, most: int = 200_000, most_bytes: int = 64 * 1024 * 1024) -> None:
        self._file = file
        self._most = most
        self._most_bytes = most_bytes
        with file.transaction(durable=False) as database:
            database.execute("DELETE FROM notes WHERE at < ?", (time.time() - _OLDEST,))
        self._count, self._bytes = self._depth()
        rows = file.rows("SELECT DISTINCT trace_id, span_id FROM notes WHERE trace_id IS NOT NULL")
        self._of_records = {(trace_id, span_id) for trace_id, span_id in rows}

    def promise(self, records: Sequence[tuple[SpanKey, bytes]]) -> None:
        """Writes log records of these spans, which someone is then told are kept: they are on the disk.

        Raises:
            SpoolFull: The file cannot be written to now.
        """
        try:
            self._write([(*key, record) for key, record in records], (), durable=True)
        except sqlite3.DatabaseError as error:
            raise SpoolFull(f"{self._file.path} cannot be written: {error}") from error
        self._of_records.update(key for key, _ in records)

    def settle(self, known: bytes, keys: Collection[SpanKey]) -> None:
        """Writes what is to be known of these spans, and forgets their log records.

        It outlives the process, but perhaps not a power cut, for that would cost as much as keeping a span.
        """
        told = [key for key in keys if key in self._of_records] if self._of_records else []
        try:
            self._write([(None, None, known)] if known else [], told, durable=False)
        except sqlite3.DatabaseError as error:
            _logger.warning(
                "%s cannot be written; what was known of %d spans is lost: %s", self._file.path, len(keys), error
            )
        else:
            self._of_records.difference_update(told)

    def known(self) -> list[bytes]:
        """What was written of spans that were let go, in its order."""
        return self._read("SELECT note FROM notes WHERE trace_id IS NULL ORDER BY sequence")

    def records(self) -> list[bytes]:
        """The log records, in the order they came."""
        return self._read("SELECT note FROM notes WHERE trace_id IS NOT NULL ORDER BY sequence")

    def _read(self, query: str) -> list[bytes]:
        try:
            rows = self._file.rows(query)
        except sqlite3.DatabaseError as error:
            _logger.warning("%s cannot be read; what an earlier process knew is lost: %s", self._file.path, error)
            return []
        return [note for (note,) in rows if isinstance(note, bytes)]

    def _write(
        self, notes: Sequence[tuple[str | None, str | None, bytes]], told: Sequence[SpanKey], *, durable: bool
    ) -> None:
        if not notes and not told:
            return
        at = time.time()
        with self._file.transaction(durable=durable) as database:
            database.executemany("DELETE FROM notes WHERE trace_id = ? AND span_id = ?", told)
            database.executemany(_INSERT, [(*note, at) for note in notes])
            self._count += len(notes)
            self._bytes += sum(len(note) for *_, note in notes)
            self._bound(database)

    def _bound(self, database: sqlite3.Connection) -> None:
        """Forgets the oldest where there are too many. Counted in memory, and anew where that says too many."""
        while self._count > self._most or self._bytes > self._most_bytes:
            self._count, self._bytes = self._depth()
            if self._count <= self._most and self._bytes <= self._most_bytes:
                return
            database.execute(
                "DELETE FROM notes WHERE sequence IN (SELECT sequence FROM notes ORDER BY sequence LIMIT ?)",
                (max(1, self._count // 10),),
            )
            self._count, self._bytes = self._depth()

    def _depth(self) -> tuple[int, int]:
        ((count, total),) = self._file.rows("SELECT count(*), coalesce(sum(length(note)), 0) FROM notes")
        return count, total

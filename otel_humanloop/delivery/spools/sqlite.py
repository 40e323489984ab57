"""`sqlite:///path` — a file that outlives the process.

The path is relative after three slashes and absolute after four, as in SQLAlchemy's URLs. Several processes of one
machine may share a file: its bound is for all of them together. A spool must be opened after a fork, not carried
across it, for no SQLite connection can be.

What `keep` has returned for is on the disk (`synchronous=FULL`): neither `kill -9` nor a power cut loses it. Spans
belong to the process that kept them, and go to the first that asks for them after it is gone (`presence.py`).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import uuid
from collections.abc import Generator, Iterable, Iterator, Sequence
from logging import getLogger
from pathlib import Path

from otel_humanloop.delivery.encoding import decode, encode
from otel_humanloop.delivery.presence import Presence, is_present
from otel_humanloop.delivery.spools import MAX_REFUSALS, MAX_REFUSED_BYTES, Refusal, Spool
from otel_humanloop.errors import DecodeError, SettingsError, SpoolFull
from otel_humanloop.spans import Span, SpanKey

_logger = getLogger(__name__)

_SCHEME = "sqlite:///"

_VERSION = 1
"""The format of the file, as SQLite's `user_version`."""

_APPLICATION = 0x4F48534C
"""Whose file it is, as SQLite's `application_id`: "OHSL"."""

_BUSY = 5.0  # seconds to wait for another process's transaction, which takes milliseconds

_SCHEMA = f"""
CREATE TABLE spans (
    sequence INTEGER PRIMARY KEY, trace_id TEXT NOT NULL, span_id TEXT NOT NULL, owner TEXT NOT NULL,
    size INTEGER NOT NULL, span BLOB NOT NULL, UNIQUE (trace_id, span_id)
);
CREATE INDEX spans_of_owner ON spans (owner);
CREATE TABLE owners (owner TEXT PRIMARY KEY);
CREATE TABLE depth (spans INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO depth VALUES (0, 0);
CREATE TRIGGER span_kept AFTER INSERT ON spans
    BEGIN UPDATE depth SET spans = spans + 1, bytes = bytes + new.size; END;
CREATE TRIGGER span_replaced AFTER UPDATE OF size ON spans
    BEGIN UPDATE depth SET bytes = bytes - old.size + new.size; END;
CREATE TRIGGER span_released AFTER DELETE ON spans
    BEGIN UPDATE depth SET spans = spans - 1, bytes = bytes - old.size; END;
CREATE TABLE refusals (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, reference_id TEXT NOT NULL, method TEXT NOT NULL, project TEXT,
    status INTEGER NOT NULL, detail TEXT NOT NULL, body BLOB NOT NULL, at REAL NOT NULL, UNIQUE (reference_id, method)
);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
"""

_FORGET_OLDEST = """
DELETE FROM refusals WHERE sequence IN (
    SELECT sequence FROM (
        SELECT sequence, row_number() OVER latest AS place, sum(length(body)) OVER latest AS bytes
        FROM refusals WINDOW latest AS (ORDER BY sequence DESC)
    ) WHERE place > 1 AND (place > ? OR bytes > ?)
)
"""


def open_at(url: str, *, max_spans: int, max_bytes: int) -> Spool:
    """The spool in that file, which is made, readable by its owner only, where there is none."""
    if not url.startswith(_SCHEME) or len(url) == len(_SCHEME):
        raise SettingsError(
            f"HUMANLOOP_SPOOL is `{url}`, but a spool in a file is written `sqlite:///path`",
            hint="sqlite:///spool.db is in the working directory, sqlite:////var/lib/spool.db has an absolute path",
        )
    path = Path(url[len(_SCHEME) :]).expanduser().absolute()
    try:
        return SQLiteSpool(path, max_spans=max_spans, max_bytes=max_bytes)
    except (sqlite3.Error, OSError) as error:
        raise SettingsError(
            f"HUMANLOOP_SPOOL is `{url}`, but {path} cannot be used: {error}",
            hint="an absolute path has four slashes: sqlite:////var/lib/spool.db" if not path.parent.is_dir() else None,
        ) from error


class SQLiteSpool:
    """Spans and refusals in one SQLite file. See `Spool` for its promises, and `open_at` for what may go wrong."""

    def __init__(self, path: Path, *, max_spans: int, max_bytes: int) -> None:
        self._path = path
        self._max_spans = max_spans
        self._max_bytes = max_bytes
        self._process = os.getpid()
        self._owner = uuid.uuid4().hex
        self._closed = False
        self._to_release: set[SpanKey] = set()  # what could not be, while the file could not be written
        if not path.exists():
            _make(path)
        self._database = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        try:
            self._check()
            self._database.execute("PRAGMA synchronous = FULL")
            # Present first, known second: whoever knows of an owner may ask whether it is present.
            self._presence = Presence(self._presence_of(self._owner))
            with self._transaction():
                self._database.execute("INSERT INTO owners VALUES (?)", (self._owner,))
            self._depth = self._read_depth()
        except (sqlite3.Error, OSError, SettingsError):
            self._database.close()
            raise

    @property
    def durable(self) -> bool:
        return True

    @property
    def spans(self) -> int:
        return self._depth[0]

    @property
    def bytes(self) -> int:
        return self._depth[1]

    def keep(self, span: Span, size: int) -> None:
        self.keep_many([(span, size)])

    def keep_many(self, entries: Sequence[tuple[Span, int]]) -> None:
        rows = [(span.trace_id, span.span_id, self._owner, size, encode(span)) for span, size in entries]
        try:
            with self._transaction():
                self._database.executemany(
                    "INSERT INTO spans (trace_id, span_id, owner, size, span) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT (trace_id, span_id)"
                    " DO UPDATE SET owner = excluded.owner, size = excluded.size, span = excluded.span",
                    rows,
                )
                spans, total = self._read_depth()
                if spans > self._max_spans or total > self._max_bytes:
                    raise SpoolFull(f"{self._path} has no room: there would be {spans} spans of {total} bytes")
        except sqlite3.DatabaseError as error:
            raise SpoolFull(f"{self._path} cannot be written: {error}") from error
        self._depth = spans, total
        if self._to_release:
            self._to_release.difference_update((span.trace_id, span.span_id) for span, _ in entries)

    def release(self, keys: Iterable[SpanKey]) -> None:
        self._to_release.update(keys)
        try:
            with self._transaction():
                self._database.executemany(
                    "DELETE FROM spans WHERE trace_id = ? AND span_id = ?", list(self._to_release)
                )
                depth = self._read_depth()
        except sqlite3.DatabaseError as error:
            _logger.warning("%s cannot be written; what was delivered is let go later: %s", self._path, error)
        else:
            self._to_release.clear()
            self._depth = depth

    def refuse(self, refusal: Refusal) -> None:
        row = (
            refusal.reference_id,
            refusal.method,
            refusal.project,
            refusal.status,
            refusal.detail,
            refusal.body,
            refusal.at,
        )
        try:
            with self._transaction():
                self._database.execute(
                    "INSERT OR REPLACE INTO refusals (reference_id, method, project, status, detail, body, at)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    row,
                )
                self._database.execute(_FORGET_OLDEST, (MAX_REFUSALS, MAX_REFUSED_BYTES))
        except sqlite3.DatabaseError as error:
            _logger.warning(
                "%s cannot be written, so that log %s, refused with %s (%s), is not remembered: %s",
                self._path,
                refusal.reference_id,
                refusal.status,
                refusal.detail,
                error,
            )

    def refused(self) -> Sequence[Refusal]:
        with self._undamaged():
            rows = self._database.execute(
                "SELECT reference_id, method, project, status, detail, body, at FROM refusals ORDER BY sequence"
            ).fetchall()
        return [
            Refusal(
                reference_id=reference_id,
                method=method,
                project=project,
                status=status,
                detail=detail,
                body=body,
                at=at,
            )
            for reference_id, method, project, status, detail, body, at in rows
        ]

    def forget(self, refusals: Iterable[Refusal]) -> None:
        with self._undamaged(), self._transaction():
            self._database.executemany(
                "DELETE FROM refusals WHERE reference_id = ? AND method = ?",
                [(refusal.reference_id, refusal.method) for refusal in refusals],
            )

    def waiting(self) -> Iterable[Span]:
        try:
            adopted = self._adopt()
            self._depth = self._read_depth()
        except sqlite3.DatabaseError as error:
            _logger.warning("%s cannot be read; what an earlier process left in it is not sent: %s", self._path, error)
            return ()
        return self._read(sorted(adopted))

    def _adopt(self) -> list[int]:
        owners = self._database.execute("SELECT owner FROM owners WHERE owner != ?", (self._owner,)).fetchall()
        gone = [owner for (owner,) in owners if not is_present(self._presence_of(owner))]
        adopted: list[int] = []
        for owner in gone:
            # One transaction, so that of two processes that ask at once one gets all of them and the other none.
            with self._transaction():
                rows = self._database.execute("SELECT sequence FROM spans WHERE owner = ?", (owner,)).fetchall()
                self._database.execute("UPDATE spans SET owner = ? WHERE owner = ?", (self._owner, owner))
                self._database.execute("DELETE FROM owners WHERE owner = ?", (owner,))
            adopted += [sequence for (sequence,) in rows]
            self._presence_of(owner).unlink(missing_ok=True)
        return adopted

    def close(self) -> None:
        if self._closed or self._process != os.getpid():
            return
        self._closed = True
        try:
            with self._transaction():
                self._database.execute(
                    "DELETE FROM owners WHERE owner = :me AND NOT EXISTS (SELECT 1 FROM spans WHERE owner = :me)",
                    {"me": self._owner},
                )
        except sqlite3.DatabaseError as error:
            # The next process finds an owner that is gone, with nothing to leave.
            _logger.debug("%s was closed without a last word: %s", self._path, error)
        self._database.close()
        self._presence.close()

    def _read(self, sequences: list[int]) -> Iterator[Span]:
        """The spans, one by one, for they may be more than should be in memory together."""
        for sequence in sequences:
            try:
                row = self._database.execute("SELECT span FROM spans WHERE sequence = ?", (sequence,)).fetchone()
                if row is None:
                    continue
                span = decode(row[0])
            except (DecodeError, sqlite3.DatabaseError) as error:
                _logger.warning("a span kept in %s is damaged and was let go: %s", self._path, error)
                self._let_go_of(sequence)
            else:
                yield span

    def _let_go_of(self, sequence: int) -> None:
        with contextlib.suppress(sqlite3.DatabaseError):
            with self._transaction():
                self._database.execute("DELETE FROM spans WHERE sequence = ?", (sequence,))
            self._depth = self._read_depth()

    def _read_depth(self) -> tuple[int, int]:
        spans, total = self._database.execute("SELECT spans, bytes FROM depth").fetchone()
        return spans, total

    def _presence_of(self, owner: str) -> Path:
        return self._path.with_name(f"{self._path.name}-owner-{owner}")

    def _check(self) -> None:
        """Is it a spool, of this version? Nothing is changed in a file that is not."""
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        (application,) = self._database.execute("PRAGMA application_id").fetchone()
        if application != _APPLICATION:
            raise SettingsError(
                f"HUMANLOOP_SPOOL names {self._path}, which is not a spool", hint="name a file that does not exist yet"
            )
        if version != _VERSION:
            raise SettingsError(
                f"the spool {self._path} was written by another version of otel-humanloop (its format is"
                f" {version}, this one's is {_VERSION})",
                hint="let that version deliver what is in it, or name another file in HUMANLOOP_SPOOL",
            )

    @contextlib.contextmanager
    def _undamaged(self) -> Generator[None, None, None]:
        """For whoever looks at a spool: what to do where the disk gave something else back than it was given."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise SettingsError(
                f"the spool {self._path} cannot be used: {error}",
                hint=f"a damaged file is best moved away; `sqlite3 {self._path} .recover` gives back what can be read",
            ) from error

    @contextlib.contextmanager
    def _transaction(self) -> Generator[None, None, None]:
        """All of it or nothing. IMMEDIATE, so that it waits for another writer at its start, and cannot fail later."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:  # SQLite ends it by itself when the disk is full
                self._database.execute("ROLLBACK")
            raise


def _make(path: Path) -> None:
    """Makes an empty spool elsewhere and gives it its name when it is whole: others may be opening it meanwhile."""
    new = path.with_name(f"{path.name}-new-{uuid.uuid4().hex}")
    # Spans hold prompts and answers. SQLite gives its side files the permissions of the file itself.
    os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(_SCHEMA)
        with contextlib.suppress(FileExistsError):  # another was faster, and has made the same
            os.link(new, path)
    finally:
        new.unlink()

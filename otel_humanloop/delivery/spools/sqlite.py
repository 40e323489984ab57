"""`sqlite:///path` — a file that outlives the process.

The path is relative after three slashes and absolute after four, as in SQLAlchemy's URLs. Several processes of one
machine may share a file: its bound is for all of them together. A spool must be opened after a fork, not carried
across it, for no SQLite connection can be.

What `keep` has returned for is on the disk (`synchronous=FULL`): neither `kill -9` nor a power cut loses it. Spans
belong to the process that kept them, and go to the first that asks for them after it is gone (`presence.py`). What is
kept with one call is written as one batch, and let go with it; which spans of a batch were let go before is noted
beside it (`batches.py`).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from logging import getLogger
from pathlib import Path

from otel_humanloop.delivery.batches import Batch, Batches
from otel_humanloop.delivery.encoding import decode, encode
from otel_humanloop.delivery.file import SpoolFile
from otel_humanloop.delivery.notes import Notes
from otel_humanloop.delivery.packing import pack, unpack
from otel_humanloop.delivery.presence import Presence, is_present
from otel_humanloop.delivery.refusals import Refusals
from otel_humanloop.delivery.spools import Refusal, Spool
from otel_humanloop.errors import DecodeError, SettingsError, SpoolFull
from otel_humanloop.spans import Span, SpanKey

_logger = getLogger(__name__)

_SCHEME = "sqlite:///"


_ALL = b"\1"
"""What is written of each span of a batch: 1 while it is kept, 0 once it is not."""

_NOWHERE = ("", "")
"""In place of the key of a span that is not kept any longer."""


_AT_START = 60.0
"""Seconds a process waits for its turn to say that it is there: a program must not fail to start on a busy file."""


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
        self._max_spans = max_spans
        self._max_bytes = max_bytes
        self._process = os.getpid()
        self._owner = uuid.uuid4().hex
        self._closed = False
        self._file = SpoolFile(path)
        self._batches = Batches()
        self._refusals = Refusals(self._file)
        # Present first, known second: whoever knows of an owner may ask whether it is present.
        with contextlib.ExitStack() as opened:
            opened.callback(self._file.close)
            self._presence = Presence(self._presence_of(self._owner))
            opened.callback(self._presence.close)
            with self._file.transaction(patience=_AT_START) as database:
                database.execute("INSERT INTO owners VALUES (?)", (self._owner,))
            self._depth = self._read_depth()
            opened.pop_all()  # all went well: `close` closes them

    @property
    def durable(self) -> bool:
        return True

    @property
    def spans(self) -> int:
        return self._depth[0]

    @property
    def bytes(self) -> int:
        return self._depth[1]

    def notes(self) -> Notes:
        with self._file.undamaged():
            return Notes(self._file)

    def keep(self, span: Span, size: int) -> None:
        self.keep_many([(span, size)])

    def keep_many(self, entries: Sequence[tuple[Span, int]]) -> None:
        if not entries:
            return
        by_key = {(span.trace_id, span.span_id): (span, size) for span, size in entries}
        keys, sizes = list(by_key), [size for _, size in by_key.values()]
        content = pack([encode(span) for span, _ in by_key.values()], sizes)
        with self._file.lock:
            formers, former_bytes = self._batches.depth_of(keys)
            try:
                with self._file.transaction() as database:
                    number = database.execute(
                        "INSERT INTO batches (owner, spans, bytes, kept) VALUES (?, ?, ?, ?)",
                        (self._owner, len(keys), sum(sizes), _ALL * len(keys)),
                    ).lastrowid
                    database.execute("INSERT INTO contents VALUES (?, ?, ?)", (number, *content))
                    depth = self._read_depth()
                    spans, total = depth[0] - formers, depth[1] - former_bytes
                    if spans > self._max_spans or total > self._max_bytes:
                        raise SpoolFull(f"{self._file.path} has no room: there would be {spans} spans of {total} bytes")
            except sqlite3.DatabaseError as error:
                raise SpoolFull(f"{self._file.path} cannot be written: {error}") from error
            assert number is not None
            self._depth = depth
            self._batches.add(Batch(number, keys, sizes))
            if formers:
                self._write_changes()

    def release(self, keys: Iterable[SpanKey]) -> None:
        with self._file.lock:
            self._batches.release(keys)
            self._write_changes()
            self._condense()

    def refuse(self, refusal: Refusal) -> None:
        self._refusals.add(refusal)

    def refused(self) -> Sequence[Refusal]:
        return self._refusals.all()

    def forget(self, refusals: Iterable[Refusal]) -> None:
        self._refusals.forget(refusals)

    def waiting(self) -> Iterable[Span]:
        try:
            adopted = self._adopt()
            self._depth = self._read_depth()
        except sqlite3.DatabaseError as error:
            _logger.warning(
                "%s cannot be read; what an earlier process left in it is not sent: %s", self._file.path, error
            )
            return ()
        return self._read(sorted(adopted))

    def close(self) -> None:
        if self._closed or self._process != os.getpid():
            return
        self._closed = True
        try:
            with self._file.transaction() as database:
                database.execute(
                    "DELETE FROM owners WHERE owner = :me AND NOT EXISTS (SELECT 1 FROM batches WHERE owner = :me)",
                    {"me": self._owner},
                )
        except sqlite3.DatabaseError as error:
            # The next process finds an owner that is gone, with nothing to leave.
            _logger.debug("%s was closed without a last word: %s", self._file.path, error)
        self._file.close()
        self._presence.close()

    # What was let go

    def _write_changes(self) -> None:
        """Not durable: what a power cut takes back is sent twice."""
        changed = self._batches.changed.values()
        if not changed:
            return
        gone = [(batch.number,) for batch in changed if not batch.spans]
        rest = [(batch.spans, batch.bytes, bytes(batch.kept), batch.number) for batch in changed if batch.spans]
        try:
            with self._file.transaction(durable=False) as database:
                database.executemany("DELETE FROM batches WHERE batch = ?", gone)
                database.executemany("UPDATE batches SET spans = ?, bytes = ?, kept = ? WHERE batch = ?", rest)
                depth = self._read_depth()
        except sqlite3.DatabaseError as error:
            _logger.warning("%s cannot be written; what was delivered is let go later: %s", self._file.path, error)
        else:
            self._batches.written()
            self._depth = depth

    def _condense(self) -> None:
        """Takes out of sparse batches what was let go: one span that waits for long must not keep room for all."""
        for batch in self._batches.sparse():
            left = [index for index, is_kept in enumerate(batch.kept) if is_kept]
            try:
                with self._file.transaction(durable=False) as database:
                    _, sizes, pieces = _stored(self._file, batch.number)
                    content = pack([pieces[index] for index in left], [sizes[index] for index in left])
                    database.execute(
                        "UPDATE contents SET parts = ?, content = ? WHERE batch = ?", (*content, batch.number)
                    )
                    database.execute("UPDATE batches SET kept = ? WHERE batch = ?", (_ALL * len(left), batch.number))
            except (sqlite3.DatabaseError, DecodeError) as error:
                _logger.warning("%s cannot be written; more is in it than is kept: %s", self._file.path, error)
                return
            self._batches.condense(batch)

    # What others left

    def _adopt(self) -> list[int]:
        owners = self._file.rows("SELECT owner FROM owners WHERE owner != ?", (self._owner,))
        gone = [owner for (owner,) in owners if not is_present(self._presence_of(owner))]
        adopted: list[int] = []
        for owner in gone:
            # One transaction, so that of two processes that ask at once one gets all of them and the other none.
            with self._file.transaction() as database:
                rows = self._file.rows("SELECT batch FROM batches WHERE owner = ?", (owner,))
                database.execute("UPDATE batches SET owner = ? WHERE owner = ?", (self._owner, owner))
                database.execute("DELETE FROM owners WHERE owner = ?", (owner,))
            adopted += [number for (number,) in rows]
            self._presence_of(owner).unlink(missing_ok=True)
        return adopted

    def _read(self, numbers: list[int]) -> Iterator[Span]:
        """The spans, batch by batch, for they may be more than should be in memory together."""
        for number in numbers:
            try:
                kept, sizes, pieces = _stored(self._file, number)
            except (DecodeError, sqlite3.DatabaseError) as error:
                _warn_of_damage(self._file, error)
                self._delete(number)
                continue
            spans = [
                _decoded(self._file, piece) if is_kept else None for piece, is_kept in zip(pieces, kept, strict=True)
            ]
            keys = [(span.trace_id, span.span_id) if span is not None else _NOWHERE for span in spans]
            batch = Batch(number, keys, sizes, kept)
            damaged = [index for index, span in enumerate(spans) if span is None and kept[index]]
            with self._file.lock:
                self._batches.adopt(batch, damaged)
                self._write_changes()
            for index, span in enumerate(spans):
                if span is not None and batch.kept[index]:
                    yield span

    def _delete(self, number: int) -> None:
        with contextlib.suppress(sqlite3.DatabaseError):
            with self._file.transaction() as database:
                database.execute("DELETE FROM batches WHERE batch = ?", (number,))
            self._depth = self._read_depth()

    def _read_depth(self) -> tuple[int, int]:
        rows = self._file.rows("SELECT spans, bytes FROM depth")
        if len(rows) != 1 or not all(isinstance(column, int) for column in rows[0]):
            raise sqlite3.DatabaseError("it does not say how much is in it")
        spans, total = rows[0]
        return spans, total

    def _presence_of(self, owner: str) -> Path:
        return self._file.path.with_name(f"{self._file.path.name}-owner-{owner}")


def _stored(file: SpoolFile, number: int) -> tuple[bytearray, list[int], list[bytes]]:
    """Of each span of a batch: whether it is kept, its size, its bytes.

    Raises:
        DecodeError: The disk gave something else back than it was given.
        sqlite3.DatabaseError: The same.
    """
    rows = file.rows("SELECT kept, parts, content FROM batches JOIN contents USING (batch) WHERE batch = ?", (number,))
    if len(rows) != 1 or not all(isinstance(column, bytes) for column in rows[0]):
        raise DecodeError("a batch is not whole")
    kept, parts, content = rows[0]
    pieces, sizes = unpack(parts, content)
    if len(kept) != len(pieces):
        raise DecodeError(f"a batch says of {len(kept)} spans whether they are kept, and has {len(pieces)}")
    return bytearray(kept), sizes, pieces


def _decoded(file: SpoolFile, piece: bytes) -> Span | None:
    try:
        return decode(piece)
    except DecodeError as error:
        _warn_of_damage(file, error)
        return None


def _warn_of_damage(file: SpoolFile, error: Exception) -> None:
    _logger.warning("what was kept in %s is damaged, and was let go: %s", file.path, error)

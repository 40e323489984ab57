"""`sqlite:///path` — a file that outlives the process.

The path is relative after three slashes and absolute after four, as in SQLAlchemy's URLs. Several processes of one
machine may share a file: its bound is for all of them together. A spool must be opened after a fork, not carried
across it, for no SQLite connection can be.

What `keep` has returned for is on the disk (`synchronous=FULL`): neither `kill -9` nor a power cut loses it. Spans
belong to the process that kept them, and go to the first that asks for them after it is gone (`presence.py`). What came
together is written as one batch, as it came where it may be (`packing.py`), and where it is large beside the file
(`large.py`). It is let go together too; which spans of a batch were let go before is noted beside it (`batches.py`).
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
from otel_humanloop.delivery.file import SpoolFile
from otel_humanloop.delivery.large import Folder
from otel_humanloop.delivery.notes import Notes
from otel_humanloop.delivery.packing import Packed, unpack
from otel_humanloop.delivery.presence import Presence, is_present
from otel_humanloop.delivery.refusals import Refusals
from otel_humanloop.delivery.spools import Lot, Refusal, Spool
from otel_humanloop.delivery.writing import ALL_KEPT, Writing
from otel_humanloop.errors import DecodeError, MissingExtra, SettingsError, SpoolFull
from otel_humanloop.spans import Span, SpanKey

_logger = getLogger(__name__)

_SCHEME = "sqlite:///"

_NOWHERE = ("", "")
"""In place of the key of a span that is not kept any longer."""


_STORED = """
SELECT kept, parts, content, name, length FROM batches JOIN contents USING (batch) LEFT JOIN files USING (batch)
WHERE batch = ?
"""

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
        self._folder = Folder(path.with_name(f"{path.name}-large"), self._owner)
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
        self.keep_lots([Lot(entries=entries)])

    def keep_lots(self, lots: Sequence[Lot]) -> None:
        writings = [Writing(lot) for lot in lots if lot.entries]
        if not writings:
            return
        try:
            with self._file.lock:
                self._must_fit(writings, self._read_depth())  # megabytes are not written to find that out
            for writing in writings:
                writing.put_aside(self._folder)
            with self._file.lock:
                self._keep(writings)
        except (OSError, sqlite3.DatabaseError, SpoolFull) as error:
            self._folder.remove(writing.file for writing in writings if writing.file is not None)
            if isinstance(error, SpoolFull):
                raise
            raise SpoolFull(f"{self._file.path} cannot be written: {error}") from error

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
            self._folder.clear(self._is_gone, but=self._named)
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
        self._folder.close()
        self._presence.close()

    # What is kept

    def _must_fit(self, writings: Sequence[Writing], depth: tuple[int, int]) -> None:
        """Raises SpoolFull where these are too much for a spool that keeps so many spans, of so many bytes."""
        spans, total = depth
        for writing in writings:
            formers, former_bytes = self._batches.depth_of(writing.sizes)
            spans += len(writing.sizes) - formers
            total += writing.bytes - former_bytes
        if spans > self._max_spans or total > self._max_bytes:
            raise SpoolFull(f"{self._file.path} has no room: there would be {spans} spans of {total} bytes")

    def _keep(self, writings: Sequence[Writing]) -> None:
        with self._file.transaction() as database:
            self._must_fit(writings, self._read_depth())
            batches = [writing.write(database, self._owner) for writing in writings]
            depth = self._read_depth()
        self._depth = depth
        for batch in batches:
            self._batches.add(batch)
        self._write_changes()

    # What was let go

    def _write_changes(self) -> None:
        """Not durable: what a power cut takes back is sent twice."""
        changed = self._batches.changed.values()
        if not changed:
            return
        gone = [(batch.number,) for batch in changed if not batch.left]
        rest = [(len(batch.left), batch.bytes, batch.kept, batch.number) for batch in changed if batch.left]
        try:
            with self._file.transaction(durable=False) as database:
                database.executemany("DELETE FROM batches WHERE batch = ?", gone)
                database.executemany("UPDATE batches SET spans = ?, bytes = ?, kept = ? WHERE batch = ?", rest)
                depth = self._read_depth()
        except sqlite3.DatabaseError as error:
            _logger.warning("%s cannot be written; what was delivered is let go later: %s", self._file.path, error)
        else:
            self._depth = depth
            self._folder.remove(self._batches.written())

    def _condense(self) -> None:
        """Takes out of sparse batches what was let go: one span that waits for long must not keep room for all."""
        for batch in self._batches.sparse():
            try:
                # On the disk, before a file that holds what is kept is removed.
                with self._file.transaction(durable=batch.file is not None) as database:
                    content = self._stored(batch.number)[1].some(batch.places)
                    database.execute(
                        "UPDATE contents SET parts = ?, content = ? WHERE batch = ?", (*content, batch.number)
                    )
                    database.execute("DELETE FROM files WHERE batch = ?", (batch.number,))
                    kept = ALL_KEPT * len(batch.left)
                    database.execute("UPDATE batches SET kept = ? WHERE batch = ?", (kept, batch.number))
            except (OSError, sqlite3.DatabaseError, DecodeError, MissingExtra) as error:
                _logger.warning("%s cannot be written; more is in it than is kept: %s", self._file.path, error)
                return
            if batch.file is not None:
                self._folder.remove([batch.file])
            self._batches.condense(batch)

    # What others left

    def _adopt(self) -> list[int]:
        owners = self._file.rows("SELECT owner FROM owners WHERE owner != ?", (self._owner,))
        gone = [owner for (owner,) in owners if self._is_gone(owner)]
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
                kept, packed, file = self._stored(number)
                spans = packed.spans()
            except (DecodeError, FileNotFoundError, sqlite3.DatabaseError) as error:
                self._warn_of_damage(error)
                self._delete(number)
                continue
            except (MissingExtra, OSError) as error:
                _logger.warning("what was kept in %s stays there: %s", self._file.path, error)
                continue
            keys: list[SpanKey] = []
            for index, span in enumerate(spans):
                if isinstance(span, DecodeError):
                    if kept[index]:
                        self._warn_of_damage(span)
                    kept[index] = 0
                    keys.append(_NOWHERE)
                else:
                    keys.append((span.trace_id, span.span_id))
            left = {key: size for key, size, is_kept in zip(keys, packed.sizes, kept, strict=True) if is_kept}
            batch = Batch(number, keys, left, whole=sum(packed.sizes), file=file)
            with self._file.lock:
                self._batches.adopt(batch, damaged=len(batch.left) < len(spans))
                self._write_changes()
            for key, span in zip(keys, spans, strict=True):
                if isinstance(span, Span) and key in batch.left:
                    yield span

    def _stored(self, number: int) -> tuple[bytearray, Packed, str | None]:
        """Of a batch: of each span whether it is kept, the spans, and the name of the file they are in.

        Raises:
            DecodeError: The disk gave something else back than it was given.
            sqlite3.DatabaseError, OSError: The same.
            MissingExtra: It cannot be read in this installation.
        """
        rows = self._file.rows(_STORED, (number,))
        if len(rows) != 1 or not all(isinstance(column, bytes) for column in rows[0][:3]):
            raise DecodeError("a batch is not whole")
        kept, parts, content, file, length = rows[0]
        if file is not None:
            content = self._folder.get(file, length)
        packed = unpack(parts, content)
        if len(kept) != len(packed.sizes):
            raise DecodeError(f"a batch says of {len(kept)} spans whether they are kept, and has {len(packed.sizes)}")
        return bytearray(kept), packed, file

    def _delete(self, number: int) -> None:
        with contextlib.suppress(sqlite3.DatabaseError):
            with self._file.transaction() as database:
                database.execute("DELETE FROM batches WHERE batch = ?", (number,))
            self._depth = self._read_depth()

    def _warn_of_damage(self, error: Exception) -> None:
        _logger.warning("what was kept in %s is damaged, and was let go: %s", self._file.path, error)

    def _read_depth(self) -> tuple[int, int]:
        rows = self._file.rows("SELECT spans, bytes FROM depth")
        if len(rows) != 1 or not all(isinstance(column, int) for column in rows[0]):
            raise sqlite3.DatabaseError("it does not say how much is in it")
        spans, total = rows[0]
        return spans, total

    def _named(self) -> set[str]:
        """The files that hold what is kept."""
        return {name for (name,) in self._file.rows("SELECT name FROM files")}

    def _is_gone(self, owner: str) -> bool:
        return owner != self._owner and not is_present(self._presence_of(owner))

    def _presence_of(self, owner: str) -> Path:
        return self._file.path.with_name(f"{self._file.path.name}-owner-{owner}")

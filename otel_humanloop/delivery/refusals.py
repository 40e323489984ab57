"""The refusals in a spool's file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from logging import getLogger

from otel_humanloop.delivery.file import SpoolFile
from otel_humanloop.delivery.spools import MAX_REFUSALS, MAX_REFUSED_BYTES, Refusal

_logger = getLogger(__name__)

_COLUMNS = Refusal.__struct_fields__
"""The columns of the table, but for their order in time, are the fields of a refusal."""

_INSERT = f"INSERT OR REPLACE INTO refusals ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"

_FORGET_OLDEST = """
DELETE FROM refusals WHERE sequence IN (
    SELECT sequence FROM (
        SELECT sequence, row_number() OVER latest AS place, sum(length(body)) OVER latest AS bytes
        FROM refusals WINDOW latest AS (ORDER BY sequence DESC)
    ) WHERE place > 1 AND (place > ? OR bytes > ?)
)
"""


class Refusals:
    """What Humanloop will never take. See `Spool` for what is promised of it."""

    def __init__(self, file: SpoolFile) -> None:
        self._file = file

    def add(self, refusal: Refusal) -> None:
        """Remembers one; says so in the log where that cannot be."""
        try:
            with self._file.transaction() as database:
                database.execute(_INSERT, [getattr(refusal, column) for column in _COLUMNS])
                database.execute(_FORGET_OLDEST, (MAX_REFUSALS, MAX_REFUSED_BYTES))
        except sqlite3.DatabaseError as error:
            _logger.warning(
                "%s cannot be written, so that log %s, refused with %s (%s), is not remembered: %s",
                self._file.path,
                refusal.reference_id,
                refusal.status,
                refusal.detail,
                error,
            )

    def all(self) -> Sequence[Refusal]:
        """Oldest first. Raises SettingsError where the file is damaged."""
        with self._file.undamaged():
            rows = self._file.rows(f"SELECT {', '.join(_COLUMNS)} FROM refusals ORDER BY sequence")
        return [Refusal(**dict(zip(_COLUMNS, row, strict=True))) for row in rows]

    def forget(self, refusals: Iterable[Refusal]) -> None:
        """Raises SettingsError where the file is damaged."""
        with self._file.undamaged(), self._file.transaction() as database:
            database.executemany(
                "DELETE FROM refusals WHERE reference_id = ? AND method = ?",
                [(refusal.reference_id, refusal.method) for refusal in refusals],
            )

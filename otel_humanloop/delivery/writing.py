"""What came together, on its way into a spool's file."""

from __future__ import annotations

import sqlite3

from otel_humanloop.delivery.batches import Batch
from otel_humanloop.delivery.encoding import encode
from otel_humanloop.delivery.large import LARGE, Folder
from otel_humanloop.delivery.packing import pack, pack_request
from otel_humanloop.delivery.spools import Lot

ALL_KEPT = b"\1"
"""What is written of each span of a batch: 1 while it is kept, 0 once it is not."""


class Writing:
    """A lot that is being written as one batch. A span that is in it twice is written as it came last.

    Attributes:
        sizes: Its spans, with about how many bytes each takes.
        bytes: The sum of these.
        file: The name of the file that holds it, where it is large.
    """

    def __init__(self, lot: Lot) -> None:
        self.sizes = {(span.trace_id, span.span_id): size for span, size in lot.entries}
        self.bytes = sum(self.sizes.values())
        sizes = list(self.sizes.values())
        if lot.body is not None and len(sizes) == len(lot.entries):
            self._parts, self._content = pack_request(lot.body, lot.media_type, sizes)
        else:
            spans = {(span.trace_id, span.span_id): span for span, _ in lot.entries}
            self._parts, self._content = pack([encode(span) for span in spans.values()], sizes)
        self._length = len(self._content)
        self.file: str | None = None

    def put_aside(self, folder: Folder) -> None:
        """Writes it beside the spool's file, where it is large. Raises OSError."""
        if self._length >= LARGE:
            self.file = folder.put(self._content)
            self._content = b""

    def write(self, database: sqlite3.Connection, owner: str) -> Batch:
        """Writes it, or where it is, into the spool's file. Raises sqlite3.DatabaseError."""
        number = database.execute(
            "INSERT INTO batches (owner, spans, bytes, kept) VALUES (?, ?, ?, ?)",
            (owner, len(self.sizes), self.bytes, ALL_KEPT * len(self.sizes)),
        ).lastrowid
        assert number is not None
        database.execute("INSERT INTO contents VALUES (?, ?, ?)", (number, self._parts, self._content))
        if self.file is not None:
            database.execute("INSERT INTO files VALUES (?, ?, ?)", (number, self.file, self._length))
        return Batch(number, list(self.sizes), self.sizes, whole=self.bytes, file=self.file)

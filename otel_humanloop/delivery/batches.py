"""Which spans a process keeps in its spool's file, and in which batch each of them was written.

A span is let go in memory first. What that changed is then written, for many at once: a batch of which nothing is kept
is deleted, of any other it is noted which of its spans are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from otel_humanloop.spans import SpanKey

_SPARE = 16 * 1024 * 1024
"""Bytes of spans that were let go and may stay in the file for the sake of those they were written with."""


class Batch:
    """Spans that were written together.

    Args:
        number: Its row's.
        sizes: About how many bytes each of its spans takes.
        kept: A byte for each span: 0 once it was let go. All are kept where that is not said.

    Attributes:
        spans: How many of them are kept.
        bytes: The sum of their sizes.
        whole: The sum of all sizes.
    """

    __slots__ = ("bytes", "kept", "keys", "number", "sizes", "spans", "whole")

    def __init__(
        self, number: int, keys: Sequence[SpanKey], sizes: Sequence[int], kept: bytearray | None = None
    ) -> None:
        self.number = number
        self.keys = keys
        self.sizes = sizes
        self.whole = sum(sizes)
        if kept is None:
            self.kept = bytearray(b"\1") * len(sizes)
            self.spans = len(sizes)
            self.bytes = self.whole
        else:
            self.kept = kept
            self.spans = sum(map(bool, kept))
            self.bytes = sum(size for size, is_kept in zip(sizes, kept, strict=True) if is_kept)

    def condense(self) -> None:
        """Forgets the spans that are not kept."""
        which = [index for index, is_kept in enumerate(self.kept) if is_kept]
        self.keys = [self.keys[index] for index in which]
        self.sizes = [self.sizes[index] for index in which]
        self.kept = bytearray(b"\1") * len(which)
        self.whole = self.bytes


class Batches:
    """The batches of one process.

    Attributes:
        changed: Those of which something was let go since that was last written, by number.
    """

    def __init__(self) -> None:
        self._batches: dict[int, Batch] = {}
        self._places: dict[SpanKey, tuple[Batch, int]] = {}
        self._spare = 0
        self.changed: dict[int, Batch] = {}

    def depth_of(self, keys: Iterable[SpanKey]) -> tuple[int, int]:
        """How many of these spans are kept, and how many bytes they are."""
        found = [self._places[key] for key in keys if key in self._places]
        return len(found), sum(batch.sizes[index] for batch, index in found)

    def add(self, batch: Batch) -> None:
        """A batch was written. Spans of it that were kept before are let go where they were."""
        for index, key in enumerate(batch.keys):
            if batch.kept[index]:
                former = self._places.get(key)
                if former is not None:
                    self.let_go(*former)
                self._places[key] = batch, index
        self._batches[batch.number] = batch

    def adopt(self, batch: Batch, damaged: Iterable[int]) -> None:
        """A batch another process had written is this one's now.

        Of it are let go the spans that turned out `damaged`, and those that were kept here since.
        """
        self._spare += batch.whole - batch.bytes
        for index in damaged:
            self.let_go(batch, index)
        for index, key in enumerate(batch.keys):
            if batch.kept[index] and key in self._places:
                self.let_go(batch, index)
        self.add(batch)

    def release(self, keys: Iterable[SpanKey]) -> None:
        """Lets go of spans; of those that are not kept here there is nothing to do."""
        for key in keys:
            place = self._places.pop(key, None)
            if place is not None:
                self.let_go(*place)

    def let_go(self, batch: Batch, index: int) -> None:
        """Lets go of the span at that place, which is kept."""
        size = batch.sizes[index]
        batch.kept[index] = 0
        batch.spans -= 1
        batch.bytes -= size
        self._spare += size
        self.changed[batch.number] = batch

    def written(self) -> None:
        """What had changed is in the file; batches of which nothing is kept are not."""
        for batch in self.changed.values():
            if not batch.spans:
                self._batches.pop(batch.number, None)
                self._spare -= batch.whole
        self.changed.clear()

    def sparse(self) -> list[Batch]:
        """The batches less than half of which is kept, once they take more room for nothing than all keep together."""
        if self._spare <= _SPARE or self._spare <= sum(batch.bytes for batch in self._batches.values()):
            return []
        return [batch for batch in self._batches.values() if batch.bytes * 2 < batch.whole]

    def condense(self, batch: Batch) -> None:
        """Only the kept spans of a batch are in the file now."""
        self._spare -= batch.whole - batch.bytes
        batch.condense()
        for index, key in enumerate(batch.keys):
            self._places[key] = batch, index

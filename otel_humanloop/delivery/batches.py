"""Which spans a process keeps in its spool's file, and in which batch each of them was written.

A span is let go in memory first. What that changed is then written, for many at once: a batch of which nothing is kept
is deleted, of any other it is noted which of its spans are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from otel_humanloop.spans import SpanKey

_SPARE = 16 * 1024 * 1024
"""Bytes of spans that were let go and may stay in the file for the sake of those they were written with."""


class Batch:
    """Spans that were written together.

    Args:
        number: Its row's.
        keys: Its spans, in the order they were written in; what stands for one that is not kept does not matter.
        left: Those that are kept, with about how many bytes each takes. It is changed as they are let go.
        whole: How many bytes all take that were written.
        file: The name of the file that holds them, where they have one of their own.

    Attributes:
        bytes: How many bytes those take that are kept.
    """

    __slots__ = ("bytes", "file", "keys", "left", "number", "whole")

    def __init__(
        self,
        number: int,
        keys: Sequence[SpanKey],
        left: dict[SpanKey, int],
        *,
        whole: int,
        file: str | None = None,
    ) -> None:
        self.number = number
        self.keys = keys
        self.left = left
        self.bytes = sum(left.values())
        self.whole = whole
        self.file = file

    @property
    def places(self) -> list[int]:
        """Where, among all that were written, those stand that are kept."""
        return [place for place, key in enumerate(self.keys) if key in self.left]

    @property
    def kept(self) -> bytes:
        """A byte for each span that was written: 0 once it was let go."""
        return bytes([key in self.left for key in self.keys])

    def let_go(self, key: SpanKey) -> int:
        """Lets go of a span that is kept; gives its size."""
        size = self.left.pop(key)
        self.bytes -= size
        return size

    def condense(self) -> None:
        """Forgets the spans that are not kept."""
        self.keys = list(self.left)
        self.whole = self.bytes
        self.file = None


class Batches:
    """The batches of one process.

    Attributes:
        changed: Those of which something was let go since that was last written, by number.
    """

    def __init__(self) -> None:
        self._batches: dict[int, Batch] = {}
        self._of_span: dict[SpanKey, Batch] = {}
        self._spare = 0
        self.changed: dict[int, Batch] = {}

    def depth_of(self, keys: Mapping[SpanKey, object]) -> tuple[int, int]:
        """How many of these spans are kept already, and how many bytes they are."""
        formers = self._formers(keys)
        return len(formers), sum(self._of_span[key].left[key] for key in formers)

    def add(self, batch: Batch) -> None:
        """A batch was written. Spans of it that were kept before are let go where they were."""
        self.release(self._formers(batch.left))
        self._of_span.update(dict.fromkeys(batch.left, batch))
        self._batches[batch.number] = batch

    def adopt(self, batch: Batch, *, damaged: bool) -> None:
        """A batch another process had written is this one's now; of it are let go the spans that were kept here since.

        Args:
            damaged: Its row may say of more spans that they are kept.
        """
        self._spare += batch.whole - batch.bytes
        if damaged:
            self.changed[batch.number] = batch
        for key in self._formers(batch.left):
            self._let_go(batch, key)
        self.add(batch)

    def release(self, keys: Iterable[SpanKey]) -> None:
        """Lets go of spans; of those that are not kept here there is nothing to do."""
        for key in keys:
            batch = self._of_span.pop(key, None)
            if batch is not None:
                self._let_go(batch, key)

    def written(self) -> list[str]:
        """What had changed is in the file; batches of which nothing is kept are not. Gives the files of these."""
        files: list[str] = []
        for batch in self.changed.values():
            if not batch.left:
                self._batches.pop(batch.number, None)
                self._spare -= batch.whole
                if batch.file is not None:
                    files.append(batch.file)
        self.changed.clear()
        return files

    def sparse(self) -> list[Batch]:
        """The batches less than half of which is kept, once they take more room for nothing than all keep together."""
        if self._spare <= _SPARE or self._spare <= sum(batch.bytes for batch in self._batches.values()):
            return []
        return [batch for batch in self._batches.values() if batch.bytes * 2 < batch.whole]

    def condense(self, batch: Batch) -> None:
        """Only the kept spans of a batch are in the file now."""
        self._spare -= batch.whole - batch.bytes
        batch.condense()

    def _formers(self, keys: Mapping[SpanKey, object]) -> Collection[SpanKey]:
        return self._of_span.keys() & keys.keys()

    def _let_go(self, batch: Batch, key: SpanKey) -> None:
        self._spare += batch.let_go(key)
        self.changed[batch.number] = batch

"""Where accepted spans are kept until Humanloop has the logs made of them.

A spool is one file of this folder, named after the scheme of the URL a user types (`memory:` -> `memory.py`), with a
function `open_at(url, *, max_spans, max_bytes)`. Dropping the file into the folder is the whole registration, and
`tests/delivery/test_spools.py` holds every one of them to what `Spool` promises.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from otel_humanloop.errors import SettingsError
from otel_humanloop.spans import Span, SpanKey

if TYPE_CHECKING:
    from otel_humanloop.delivery.notes import Notes

MAX_REFUSALS = 1000
"""How many refusals a spool remembers; the oldest are forgotten first."""

MAX_REFUSED_BYTES = 16 * 1024 * 1024
"""How many bytes their bodies are together; the latest is remembered however large it is."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A log Humanloop will never take as it is, kept for someone to look at, resend or discard.

    Attributes:
        reference_id: The log's.
        project: Its project's name, where it has one.
        status: The HTTP status of the answer.
        detail: The server's reason, as text.
        body: What was sent: the JSON of one `LogRequest`, or of an `UpdateLogRequest` for a PATCH.
        at: When it was refused, in epoch seconds.
        method: How it was sent.
    """

    reference_id: str
    project: str | None = None
    status: int
    detail: str
    body: bytes
    at: float
    method: Literal["POST", "PATCH"] = "POST"


class Lot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Spans that came together.

    Attributes:
        entries: Each with about how many bytes it takes (`delivery.size.size_of`).
        body: The request in OTLP of which they are read again as they are, all of them and in this order; None where
            they are not as they came. A spool may write it as it is, instead of the spans.
        media_type: What the request is written in.
    """

    entries: Sequence[tuple[Span, int]]
    body: bytes | None = None
    media_type: str = ""


class Spool(Protocol):
    """What every spool promises.

    - A span that was kept stays until it is released. What outlives the process depends on the spool; what a spool
      that outlives it has kept survives `kill -9` from the moment `keep` returns.
    - Never more than `max_spans` spans or `max_bytes` bytes: past either, `SpoolFull`, and nothing has changed.
    - A key stands for one span of a process: keeping it again replaces the span and its size. Releasing a key that is
      not there does nothing.
    - Refusals do not count against the bound, are listed oldest first, and are remembered up to `MAX_REFUSALS` and
      `MAX_REFUSED_BYTES`. The same reference id refused again by the same method replaces the former.
    - Only `keep`, `keep_many` and `keep_lots` fail for want of room. `release`, `refuse` and `close` do not raise when
      a spool cannot be written to: they say so in the log, and what is released late is at worst sent twice.
    - Several threads may use a spool at once. `spans` and `bytes` cost nothing; of a spool that processes share they
      are what it held when this one last changed it or asked for what waits.
    - After `close` nothing can be kept; closing twice does no harm.
    """

    @property
    def durable(self) -> bool:
        """What it keeps outlives the process."""
        ...

    @property
    def spans(self) -> int:
        """How many spans are kept."""
        ...

    @property
    def bytes(self) -> int:
        """The sum of their sizes."""
        ...

    def keep(self, span: Span, size: int) -> None:
        """Keeps a span of about `size` bytes (`delivery.size.size_of`).

        Raises:
            SpoolFull: There is no room for it, or the spool cannot be written to now.
        """
        ...

    def keep_many(self, entries: Sequence[tuple[Span, int]]) -> None:
        """Keeps all of them, at the cost of one; or none, and raises `SpoolFull`."""
        ...

    def keep_lots(self, lots: Sequence[Lot]) -> None:
        """The same of all spans of all lots."""
        ...

    def release(self, keys: Iterable[SpanKey]) -> None:
        """Forgets spans whose log was acknowledged, or was knowingly left out."""
        ...

    def refuse(self, refusal: Refusal) -> None:
        """Remembers a refusal. The span it was made of is released by itself."""
        ...

    def refused(self) -> Sequence[Refusal]:
        """The refusals remembered, oldest first."""
        ...

    def forget(self, refusals: Iterable[Refusal]) -> None:
        """Forgets refusals that were resent or discarded."""
        ...

    def waiting(self) -> Iterable[Span]:
        """The spans a process that is no more has left, in the order it last kept them.

        From now on they are this one's: a span is given once, to one process.
        """
        ...

    def notes(self) -> Notes | None:
        """Where a process writes what the next one must know besides; None where nothing outlives it.

        Raises:
            SettingsError: What is there is damaged.
        """
        ...

    def close(self) -> None:
        """Lets go of what the spool holds open. What it keeps stays kept, where it outlives the process."""
        ...


def open_spool(url: str, *, max_spans: int, max_bytes: int) -> Spool:
    """The spool a URL names.

    Raises:
        SettingsError: There is no such spool, or it cannot be opened.
    """
    scheme, colon, _ = url.partition(":")
    known = sorted(module.name for module in pkgutil.iter_modules(__path__))
    if not colon or scheme.lower() not in known:
        there_is = ", ".join(f"`{name}:`" for name in known)
        raise SettingsError(f"HUMANLOOP_SPOOL is `{url}`, but a spool must be one of {there_is}")
    module = import_module(f"{__name__}.{scheme.lower()}")
    spool: Spool = module.open_at(url, max_spans=max_spans, max_bytes=max_bytes)
    return spool

"""Attachments on their way to a server that keeps them: each once, after its log, and never at its log's cost.

Whether the server is one that keeps them is found out once, when there is something to bring. To one that is not, no
bytes go, and it is not asked again. What cannot be brought is let go: its log says what it was, by size and hash.
"""

from __future__ import annotations

import random as random_numbers
from collections import OrderedDict
from collections.abc import Callable, Iterable

from otel_humanloop.attachments import MAX_SIZE, Attachment
from otel_humanloop.delivery import retry
from otel_humanloop.delivery.client import Client
from otel_humanloop.errors import DeliveryError, Refused, Unavailable

MAX_WAITING = 64 * 1024 * 1024
"""Bytes that wait at most; what comes on top is let go."""

_PATIENCE = 3
"""How often one attachment is tried."""

_REMEMBERED = 10_000
_FOR = 600.0
"""How many hashes are remembered as settled, and for how many seconds: a server may delete what no log names."""


class Uploads:
    """What waits to be brought. Never sleeps, and never raises a `DeliveryError`."""

    def __init__(self, client: Client, *, random: Callable[[], float] = random_numbers.random) -> None:
        self._client = client
        self._random = random
        self._waiting: OrderedDict[str, Attachment] = OrderedDict()
        self._bytes = 0
        self._settled: OrderedDict[str, float] = OrderedDict()
        self._failures = 0
        self._not_before = 0.0
        self._refused_all = False
        self._trouble: str | None = None

    @property
    def waiting(self) -> int:
        """How many attachments wait."""
        return len(self._waiting)

    @property
    def due(self) -> float | None:
        """The monotonic time, in seconds, before which `attempt` does nothing; None where nothing waits."""
        return self._not_before if self._waiting else None

    def wanted(self, hashes: Iterable[str], now: float) -> set[str]:
        """Those that are worth offering: not brought a while ago, nor waiting. `now` in monotonic seconds."""
        if self._refused_all:
            return set()
        while self._settled and (len(self._settled) > _REMEMBERED or next(iter(self._settled.values())) < now - _FOR):
            self._settled.popitem(last=False)
        return {each for each in hashes if each not in self._settled and each not in self._waiting}

    def offer(self, attachments: Iterable[Attachment]) -> None:
        """Lines attachments up that are `wanted`."""
        for each in attachments:
            size = len(each.content)
            if size > MAX_SIZE:
                self._trouble = f"it has {size} bytes, and {MAX_SIZE} are the most"
            elif self._bytes + size > MAX_WAITING:
                self._trouble = f"{len(self._waiting)} others wait"
            elif each.sha256 not in self._waiting:
                self._waiting[each.sha256] = each
                self._bytes += size

    def trouble(self) -> str | None:
        """Why the latest attachment that was let go could not be brought; None where none was since last asked."""
        trouble, self._trouble = self._trouble, None
        return trouble

    def attempt(self, now: float, *, timeout: float) -> None:
        """Brings the attachment that waits longest, if it is due. Takes two requests, of so many seconds together."""
        if not self._waiting or now < self._not_before or timeout <= 0:
            return
        each = next(iter(self._waiting.values()))
        try:
            asked = self._client.asks_for(each.sha256, timeout=timeout / 2)
            if asked is None:
                self._give_up()
                return
            if asked:
                self._client.put_attachment(each, timeout=timeout / 2)
        except Unavailable as error:
            self._failed(error, each, now)
        except Refused as error:
            self._let_go(error, each, now)
        else:
            self._settle(each, now)

    def _failed(self, error: Unavailable, each: Attachment, now: float) -> None:
        self._failures += 1
        self._not_before = now + retry.wait(self._failures, jitter=self._random(), retry_after=error.retry_after)
        if self._failures >= _PATIENCE:
            self._let_go(error, each, now)

    def _let_go(self, error: DeliveryError, each: Attachment, now: float) -> None:
        self._trouble = str(error)
        self._settle(each, now)

    def _settle(self, each: Attachment, now: float) -> None:
        self._failures = 0
        self._settled[each.sha256] = now
        del self._waiting[each.sha256]
        self._bytes -= len(each.content)

    def _give_up(self) -> None:
        """The server keeps no attachments."""
        self._refused_all = True
        self._waiting.clear()
        self._bytes = 0

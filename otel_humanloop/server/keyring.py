"""The keys that open the door: those the server was started with, and those that the store holds."""

from __future__ import annotations

import hmac
import time
from collections.abc import Collection

from starlette.concurrency import run_in_threadpool

from otel_humanloop.server.store import Store, keys

_FRESH = 1.0
"""Seconds what the store holds is believed: a key that is revoked elsewhere opens for no longer."""


class Keyring:
    """Knows keys by their digests.

    Args:
        given: Keys the server was started with, besides those in the store.
    """

    def __init__(self, store: Store, given: Collection[str]) -> None:
        self._store = store
        self._given = [digest_of(key) for key in given]
        self._stored: list[bytes] = []
        self._read_at: float | None = None
        self.locked = bool(given)

    async def refresh(self) -> None:
        """Reads what the store holds, unless that was done a moment ago."""
        if not self._is_fresh:
            await run_in_threadpool(self._read)

    def admits(self, key: str) -> bool:
        """May the bearer of this key come in now? Anyone may where there has never been a key. Blocks for a moment."""
        if not self._is_fresh:
            self._read()
        return not self.locked or self.opens(key)

    @property
    def _is_fresh(self) -> bool:
        return self._read_at is not None and time.monotonic() - self._read_at < _FRESH

    def _read(self) -> None:
        now = time.monotonic()
        known = self._store.read(keys.known)
        self._stored = [bytes.fromhex(digest) for digest in known.digests]
        self.locked = bool(self._given) or known.any  # also where all that were made have been revoked
        self._read_at = now

    def digests(self) -> list[bytes]:
        """SHA-256 of every key that opens."""
        return [*self._given, *self._stored]

    def opens(self, key: str) -> bool:
        """Does this key open? Takes as long for a wrong key as for a right one."""
        shown = digest_of(key)
        return any([hmac.compare_digest(shown, digest) for digest in self.digests()])  # noqa: C419 - all, every time


def digest_of(key: str) -> bytes:
    """SHA-256 of a key: what is kept of it."""
    return bytes.fromhex(keys.digest(key))

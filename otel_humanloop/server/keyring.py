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
        now = time.monotonic()
        if self._read_at is None or now - self._read_at >= _FRESH:
            known = await run_in_threadpool(self._store.read, keys.known)
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

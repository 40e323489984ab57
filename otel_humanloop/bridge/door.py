"""What every receiver does alike: who may come in, what is in the bytes, and what the sender is told.

A sender of OTLP acts on the answer's code alone: what is answered as a failure of its own is dropped there, what is
answered as a shortage here is sent again. So whatever goes wrong on this side is a shortage.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager
from enum import Enum

import msgspec

from otel_humanloop.bridge import bodies
from otel_humanloop.bridge.keeper import Keeper, NeverFits
from otel_humanloop.bridge.metrics import Metrics
from otel_humanloop.errors import DecodeError, SpoolFull
from otel_humanloop.notices import Notices
from otel_humanloop.spans import LogRecord, Span, otlp

MAX_IN_FLIGHT = 64 * 1024 * 1024
"""Bytes of requests that are being read and decoded at once; whoever comes on top is asked to come again."""

RETRY_FULL = 5.0
RETRY_BUSY = 1.0
"""Seconds after which to come again: when a spool is full, and when it is only busy."""


class Code(Enum):
    """What became of a request."""

    OK = "ok"
    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    FULL = "full"
    UNAVAILABLE = "unavailable"


class Signal(Enum):
    """What a request carries."""

    TRACES = "traces"
    LOGS = "logs"
    METRICS = "metrics"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a sender is told.

    Attributes:
        message: Why, for a person.
        rejected: Of a request that is OK, how many of its items will never be taken.
        retry_after: Seconds after which the same request may be taken; None where it never will.
    """

    code: Code
    message: str = ""
    rejected: int = 0
    retry_after: float | None = None


BUSY = Verdict(code=Code.FULL, message="too many requests at once", retry_after=RETRY_BUSY)


class Door:
    """Lets requests in, or not. Used by all receivers at once, from any thread.

    Args:
        keeper: Where spans are put.
        tokens: Whoever shows one may come in; held only as hashes. Without any, everyone.
        opens: Says instead whether the bearer of a token may come in; asked with an empty one about who shows none.
    """

    def __init__(
        self,
        keeper: Keeper,
        metrics: Metrics,
        *,
        tokens: Collection[str] = (),
        opens: Callable[[str], bool] | None = None,
    ) -> None:
        self._keeper = keeper
        self._metrics = metrics
        self._digests = [_digest(token) for token in tokens]
        self._opens = opens or self._knows
        self._in_flight = 0
        self._lock = threading.Lock()
        self._notices = Notices()
        self.closing = False

    def admits(self, authorization: str | None) -> bool:
        """May someone with this `Authorization` come in? A Collector drops what it sent to someone who says no."""
        scheme, _, token = (authorization or "").partition(" ")
        if self._opens(token.strip() if scheme.lower() == "bearer" else ""):
            return True
        self._notices.warn("token", "a sender without a known token was turned away; what it sent is lost")
        return False

    def _knows(self, token: str) -> bool:
        if not self._digests:
            return True
        digest = _digest(token)
        # Every one is compared, so that the time taken does not tell which was near.
        known = [hmac.compare_digest(digest, each) for each in self._digests]
        return bool(token) and any(known)

    @contextmanager
    def room(self, size: int) -> Generator[bool, None, None]:
        """Room for so many bytes while they are dealt with; False where there is none. One request always has some."""
        with self._lock:
            has_room = not self._in_flight or self._in_flight + size <= MAX_IN_FLIGHT
            if has_room:
                self._in_flight += size
        try:
            yield has_room
        finally:
            if has_room:
                with self._lock:
                    self._in_flight -= size

    def receive(self, receiver: str, signal: Signal, body: bytes, *, media_type: str, encoding: str) -> Verdict:
        """Takes one request in, and returns when what it brings is kept. Blocks; raises nothing.

        Args:
            receiver: Which receiver it came to, for the metrics.
            encoding: The body's `Content-Encoding`, one of `bodies.ENCODINGS`.
        """
        try:
            return self._receive(receiver, signal, body, media_type, encoding)
        except Exception:  # noqa: BLE001
            # An error of ours must not make a sender drop what it sent.
            self._notices.warn("receive", "a request could not be taken in", trace=True)
            return Verdict(code=Code.UNAVAILABLE, message="an error of the bridge", retry_after=RETRY_FULL)

    def serves(self, receiver: str) -> None:
        """That receiver lets its senders come here."""
        self._metrics.expect(receiver, [signal.value for signal in Signal], [code.value for code in Code])

    def answered(self, receiver: str, signal: Signal, verdict: Verdict) -> None:
        """A sender was told so, wherever that was decided."""
        self._metrics.request(receiver, signal.value, verdict.code.value)

    def _receive(self, receiver: str, signal: Signal, body: bytes, media_type: str, encoding: str) -> Verdict:
        if self.closing:
            return Verdict(code=Code.UNAVAILABLE, message="the bridge is ending", retry_after=RETRY_BUSY)
        if signal is Signal.METRICS:
            return Verdict(code=Code.OK)
        try:
            plain = bodies.decompress(body, encoding)
            if signal is Signal.LOGS:
                return self._logs(otlp.sift_logs(plain, media_type))
            return self._traces(receiver, otlp.sift(plain, media_type), plain, media_type)
        except (bodies.TooLong, NeverFits) as error:
            return Verdict(code=Code.TOO_LARGE, message=str(error))
        except DecodeError as error:
            return Verdict(code=Code.INVALID, message=str(error))
        except SpoolFull as error:
            self._notices.warn("full", f"{error.message}; senders are asked to come again later")
            return Verdict(code=Code.FULL, message=error.message, retry_after=RETRY_FULL)

    def _traces(self, receiver: str, sifted: otlp.Sifted[Span], body: bytes, media_type: str) -> Verdict:
        self._keeper.keep(sifted.items, body=body if not sifted.errors else None, media_type=media_type)
        self._metrics.received(receiver, len(sifted.items), len(sifted.errors))
        return _accepted(sifted.errors)

    def _logs(self, sifted: otlp.Sifted[LogRecord]) -> Verdict:
        self._keeper.keep_records(sifted.items)
        return _accepted(sifted.errors)


def _accepted(errors: Sequence[DecodeError]) -> Verdict:
    return Verdict(code=Code.OK, rejected=len(errors), message=errors[0].message if errors else "")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()

"""From a line of encoded logs to requests, one at a time: packed, tried again, halved.

The line is first in, first out. A body that could not be delivered for now stays first, and nothing overtakes it, so
what was put earlier is always settled earlier, except that the siblings of a refused log go on without it.
"""

from __future__ import annotations

import random as random_numbers
from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from otel_humanloop.delivery import retry
from otel_humanloop.delivery.client import Client
from otel_humanloop.errors import DeliveryError, Refused, Unavailable
from otel_humanloop.spans import SpanKey

OF_ONE_LOG = frozenset({400, 409, 413, 422})
"""Refusals that may be for one log of a body, whose siblings would be taken: such a body is halved.

Any other (401, 403, 404, 405, 415 ...) speaks of the request, and would be said of each half again.
"""


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """A log to create.

    Attributes:
        key: The span it was made of; given back in the `Outcome`.
        body: The JSON of one `LogRequest`.
    """

    key: SpanKey
    reference_id: str
    body: bytes


class Patch(msgspec.Struct, frozen=True, kw_only=True):
    """What a log that was created before is given: `body` is the JSON of an `UpdateLogRequest`."""

    key: SpanKey
    reference_id: str
    body: bytes


Outgoing = Post | Patch


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of something put in line: acknowledged, or `refused` for ever."""

    outgoing: Outgoing
    refused: Refused | None = None


class Sender:
    """Delivers what it is given, in order. Never sleeps: it says when it is `due`, and `attempt` is called then.

    Args:
        max_logs: How many logs one body holds at most.
        max_bytes: How long, in bytes before compression, a body of several logs is at most.
        random: Gives numbers in [0, 1), for the jitter of the waits.

    Attributes:
        last_error: What kept the latest attempt from being acknowledged; None once one was.
        requests: How many requests were made.
        retried: How many of them failed for now, so that their body is sent again.
        acknowledged: How many posts and patches Humanloop has taken.
        refused: How many it never will.
    """

    def __init__(
        self,
        client: Client,
        *,
        max_logs: int = 500,
        max_bytes: int = 4 * 1024 * 1024,
        random: Callable[[], float] = random_numbers.random,
    ) -> None:
        self._client = client
        self._max_logs = max_logs
        self._max_bytes = max_bytes
        self._random = random
        self._line: deque[tuple[Post, ...] | Patch] = deque()
        self._waiting = 0
        self._failures = 0
        self._failed_at = 0.0
        self._wait = 0.0
        self.last_error: DeliveryError | None = None
        self.requests = 0
        self.retried = 0
        self.acknowledged = 0
        self.refused = 0

    @property
    def waiting(self) -> int:
        """How many posts and patches are not settled yet."""
        return self._waiting

    @property
    def due(self) -> float | None:
        """The monotonic time, in seconds, before which `attempt` does nothing; None when nothing waits."""
        return self._failed_at + self._wait if self._line else None

    def put(self, outgoing: Iterable[Outgoing]) -> None:
        """Puts a wave in line. Logs of one wave may share a body; those of two waves never do."""
        packed: list[Post] = []
        size = 0
        for item in outgoing:
            self._waiting += 1
            if isinstance(item, Patch):
                self._close(packed)
                self._line.append(item)
                continue
            # An array is two brackets, and a comma between each two logs: one byte more for each log, and one over.
            if len(packed) == self._max_logs or (packed and size + len(item.body) + 1 > self._max_bytes):
                self._close(packed)
            size = size + len(item.body) + 1 if packed else len(item.body) + 2
            packed.append(item)
        self._close(packed)

    def attempt(self, now: float, *, timeout: float) -> list[Outcome]:
        """Makes at most one request, for the first body in line, and tells what was settled by it.

        Never raises a `DeliveryError`: `last_error` has it.

        Args:
            now: Monotonic seconds.
            timeout: Seconds the request may take.
        """
        if not self._line:
            return []
        self._failed_at = min(self._failed_at, now)  # a clock that went back must not make the wait longer
        if now < self._failed_at + self._wait:
            return []
        first = self._line[0]
        self.requests += 1
        try:
            self._send(first, timeout)
        except Unavailable as error:
            self._failures += 1
            self._failed_at = now
            self._wait = retry.wait(self._failures, jitter=self._random(), retry_after=error.retry_after)
            self.last_error = error
            self.retried += 1
            return []
        except Refused as error:
            self._answered()
            self.last_error = error
            if isinstance(first, tuple) and len(first) > 1 and error.status in OF_ONE_LOG:
                middle = len(first) // 2
                self._line.popleft()
                self._line.extendleft((first[middle:], first[:middle]))
                return []
            return self._settle(error)
        self._answered()
        self.last_error = None
        return self._settle(None)

    def _send(self, body: tuple[Post, ...] | Patch, timeout: float) -> None:
        if isinstance(body, Patch):
            self._client.patch_log(body.reference_id, body.body, timeout=timeout)
        else:
            array = b"[" + b",".join(post.body for post in body) + b"]"
            self._client.post_logs(array, timeout=timeout, count=len(body))

    def _answered(self) -> None:
        """Humanloop is there: the next body goes at once, and the next failure waits as if it were the first."""
        self._failures = 0
        self._wait = 0.0

    def _settle(self, refused: Refused | None) -> list[Outcome]:
        first = self._line.popleft()
        settled = (first,) if isinstance(first, Patch) else first
        self._waiting -= len(settled)
        if refused is None:
            self.acknowledged += len(settled)
        else:
            self.refused += len(settled)
        return [Outcome(outgoing=item, refused=refused) for item in settled]

    def _close(self, packed: list[Post]) -> None:
        if packed:
            self._line.append(tuple(packed))
            packed.clear()

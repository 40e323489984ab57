"""From a line of encoded logs to requests, one at a time: packed, tried again, halved, set aside.

The line is first in, first out. A body that could not be delivered for now stays first, and nothing overtakes it, so
what was put earlier is always settled earlier, with two exceptions:

- The siblings of a refused log go on without it.
- A log that makes the server fail (5xx, every time) must not hold the rest up for ever. A body answered so
  `PATIENCE` times is halved, until the log stands alone; that one is set aside, and tried again now and then. It is
  refused once the server has failed on it `PATIENCE` times more while it took others in between: an outage proves
  nothing against a log.

A server that turns a request away without a look at its logs (a key it does not know, a redirect, another service at
that address) proves nothing against a log either. Where logs can be kept until someone has mended that, the sender
`insists`: they stay in line, as in an outage.
"""

from __future__ import annotations

import random as random_numbers
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence

import msgspec

from otel_humanloop.delivery import retry
from otel_humanloop.delivery.client import Client
from otel_humanloop.errors import DeliveryError, Refused, Unavailable
from otel_humanloop.spans import SpanKey

OF_ONE_LOG = frozenset({400, 409, 413, 422})
"""Refusals that may be for one log of a body, whose siblings would be taken: such a body is halved.

Any other (401, 403, 404, 405, 415 ...) speaks of the request, and would be said of each half again.
"""

OF_ONE_PATCH = OF_ONE_LOG | {404, 405, 410}
"""The same of a patch: the log it is for may not be there, or the server may know no updates."""

PATIENCE = 3
"""How many answers of 5xx to one body are put down to the server alone."""


class Post(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A log to create.

    Attributes:
        key: The span it was made of, for whoever is given it back in the `Outcome`.
        project: The name of its project, where it says one.
        body: The JSON of one `LogRequest`.
    """

    key: SpanKey
    reference_id: str
    project: str | None = None
    body: bytes


class Patch(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a log that was created before is given: `body` is the JSON of an `UpdateLogRequest`."""

    key: SpanKey
    reference_id: str
    body: bytes


Outgoing = Post | Patch


class Outcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of the posts of one body, or of a patch: acknowledged, or `refused` for ever."""

    content: tuple[Post, ...] | Patch
    refused: Refused | None = None


class _Body:
    """One request to make.

    Attributes:
        failures: How often the server has failed on it, or on what it is a half of.
        due: When it is to be tried again, where it is set aside.
        acknowledged: How many the server had taken altogether when it last failed on this.
        proven: How often it failed on this while it took others in between.
    """

    __slots__ = ("acknowledged", "content", "due", "failures", "proven")

    def __init__(self, content: tuple[Post, ...] | Patch, *, failures: int = 0) -> None:
        self.content = content
        self.failures = failures
        self.due = 0.0
        self.acknowledged = 0
        self.proven = 0

    def __len__(self) -> int:
        return 1 if isinstance(self.content, Patch) else len(self.content)

    def halves(self, failures: int) -> tuple[_Body, _Body]:
        """Two bodies of a part of the logs each. Only of a body of several."""
        assert isinstance(self.content, tuple)
        middle = len(self.content) // 2
        return _Body(self.content[:middle], failures=failures), _Body(self.content[middle:], failures=failures)


class Sender:
    """Delivers what it is given, in order. Never sleeps: it says when it is `due`, and `attempt` is called then.

    Args:
        max_logs: How many logs one body holds at most.
        max_bytes: How long, in bytes before compression, a body of several logs is at most.
        insists: What is turned away unread is tried again, instead of being refused.
        random: Gives numbers in [0, 1), for the jitter of the waits.

    Attributes:
        last_error: What kept the latest attempt from being acknowledged; None once one was.
        requests: How many requests were made.
        last_duration: Seconds the latest request took.
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
        insists: bool = False,
        random: Callable[[], float] = random_numbers.random,
    ) -> None:
        self._client = client
        self._max_logs = max_logs
        self._max_bytes = max_bytes
        self._insists = insists
        self._random = random
        self._line: deque[_Body] = deque()
        self._aside: deque[_Body] = deque()
        self._waiting = 0
        self._failures = 0
        self._failed_at = 0.0
        self._wait = 0.0
        self.last_error: DeliveryError | None = None
        self.requests = 0
        self.last_duration = 0.0
        self.retried = 0
        self.acknowledged = 0
        self.refused = 0

    @property
    def waiting(self) -> int:
        """How many posts and patches are not settled yet."""
        return self._waiting

    @property
    def clear(self) -> bool:
        """Nothing is in line but what was set aside: there is room for the next wave."""
        return not self._line

    @property
    def due(self) -> float | None:
        """The monotonic time, in seconds, before which `attempt` does nothing; None when nothing waits."""
        if self._line:
            return self._failed_at + self._wait
        return min((max(body.due, self._failed_at + self._wait) for body in self._aside), default=None)

    def put(self, outgoing: Iterable[Outgoing]) -> None:
        """Puts a wave in line. Logs of one wave may share a body; those of two waves never do."""
        packed: list[Post] = []
        # An array is two brackets, and a comma between each two logs: one byte more for each log, and one over.
        size = 1
        for item in outgoing:
            if isinstance(item, Patch):
                self._close(packed)
                packed, size = [], 1
                self._put(item)
                continue
            size += len(item.body) + 1
            if packed and (size > self._max_bytes or len(packed) == self._max_logs):
                self._close(packed)
                packed, size = [], len(item.body) + 2
            packed.append(item)
        self._close(packed)

    def attempt(self, now: float, *, timeout: float) -> Outcome | None:
        """Makes at most one request, for the first body that is due, and tells what was settled by it, if anything.

        Never raises a `DeliveryError`: `last_error` has it.

        Args:
            now: Monotonic seconds.
            timeout: Seconds the request may take.
        """
        self._failed_at = min(self._failed_at, now)  # a clock that went back must not make the wait longer
        if now < self._failed_at + self._wait:
            return None
        line = self._aside if self._aside and self._aside[0].due <= now else self._line
        if not line:
            return None
        body = line[0]
        self.requests += 1
        try:
            self._send(body.content, timeout)
        except Unavailable as error:
            line.popleft()
            self.last_error = error
            self.retried += 1
            return self._failed(body, error, now, aside=line is self._aside)
        except Refused as error:
            line.popleft()
            if self._insists and _is_unread(body, error):
                self.last_error = Unavailable(error.message, status=error.status, hint=error.hint)
                self.retried += 1
                return self._failed(body, self.last_error, now, aside=line is self._aside)
            self._answered()
            self.last_error = error
            if len(body) > 1 and error.status in OF_ONE_LOG:
                self._line.extendleft(reversed(body.halves(body.failures)))
                return None
            return self._settle(body, error)
        line.popleft()
        self._answered()
        self.last_error = None
        return self._settle(body, None)

    def _failed(self, body: _Body, error: Unavailable, now: float, *, aside: bool) -> Outcome | None:
        """The server did not take a body for now: where it goes, and when the next attempt may be made."""
        blamable = error.status is not None and error.status >= 500 and error.retry_after is None
        body.failures += blamable
        if aside and blamable:
            body.proven += self.acknowledged > body.acknowledged
            if body.proven >= PATIENCE:
                assert error.status is not None
                return self._settle(body, Refused(error.status, f"{error.message}, each of {body.failures} times"))
        else:
            self._failures += 1
        self._failed_at = now
        self._wait = retry.wait(max(self._failures, 1), jitter=self._random(), retry_after=error.retry_after)
        if aside or (blamable and body.failures >= PATIENCE and len(body) == 1):
            body.acknowledged = self.acknowledged
            body.due = now + retry.wait(body.failures, jitter=self._random(), retry_after=error.retry_after)
            self._aside.append(body)
        elif blamable and body.failures >= PATIENCE:
            self._failures = min(self._failures, PATIENCE)
            # What has a part in the blame is halved again at once, should the server fail on it too.
            self._line.extendleft(reversed(body.halves(PATIENCE - 1)))
        else:
            self._line.appendleft(body)
        return None

    def _send(self, content: tuple[Post, ...] | Patch, timeout: float) -> None:
        began = time.perf_counter()
        try:
            if isinstance(content, Patch):
                self._client.patch_log(content.reference_id, content.body, timeout=timeout)
            else:
                self._client.post_logs(_array(content), timeout=timeout, count=len(content))
        finally:
            self.last_duration = time.perf_counter() - began

    def _answered(self) -> None:
        """Humanloop is there: the next body goes at once, and the next failure waits as if it were the first."""
        self._failures = 0
        self._wait = 0.0

    def _settle(self, body: _Body, refused: Refused | None) -> Outcome:
        self._waiting -= len(body)
        if refused is None:
            self.acknowledged += len(body)
        else:
            self.refused += len(body)
        return Outcome(content=body.content, refused=refused)

    def _close(self, packed: Sequence[Post]) -> None:
        if packed:
            self._put(tuple(packed))

    def _put(self, content: tuple[Post, ...] | Patch) -> None:
        body = _Body(content)
        self._line.append(body)
        self._waiting += len(body)


def _is_unread(body: _Body, error: Refused) -> bool:
    """The server turned the request away, whatever logs were in it."""
    return error.status not in (OF_ONE_PATCH if isinstance(body.content, Patch) else OF_ONE_LOG)


def _array(posts: Sequence[Post]) -> bytes:
    """The JSON array of their bodies. Megabytes are copied once: the brackets go to the first and the last before."""
    bodies = [post.body for post in posts]
    bodies[0] = b"[" + bodies[0]
    bodies[-1] += b"]"
    return b",".join(bodies)

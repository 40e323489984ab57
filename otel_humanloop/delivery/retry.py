"""How long to wait before trying again.

The rule is the one OTLP asks of its clients ("exponential backoff strategy ... with randomization", OTLP
specification, "Failures") with the ceiling of the Collector's exporterhelper (`max_interval` 30 s), and the spread
known as equal jitter: a wait is between half and the whole of an interval that doubles. So no wait is shorter than
0.5 s or longer than 30 s, and clients that failed together do not come back together. What the server asked for in
`Retry-After` is a floor under it.
"""

from __future__ import annotations

FIRST = 1.0
"""Seconds: the interval after the first failure."""

LONGEST = 30.0
"""Seconds: the interval stops doubling here."""

MOST_ASKED = 3600.0
"""Seconds: a server that asks for a longer pause than this (often two clocks that differ) is asked again after it."""

_DOUBLINGS = 5  # 1 s doubled five times is past 30 s; a larger power would only cost time to compute


def wait(failures: int, *, jitter: float, retry_after: float | None = None) -> float:
    """Seconds to wait before the next attempt.

    Args:
        failures: How many attempts have failed in a row; 1 or more.
        jitter: A random number in [0, 1).
        retry_after: Seconds the server asked to wait, when it said so.
    """
    interval: float = min(LONGEST, FIRST * 2 ** min(failures - 1, _DOUBLINGS))
    backoff = interval / 2 * (1 + jitter)
    if retry_after is None:
        return backoff
    return max(backoff, min(retry_after, MOST_ASKED))

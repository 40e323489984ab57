"""A bridge that is measured, and what is asked of it."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.environments import environment
from benchmarks.processes import Server, free_port, server

DELAY = "0.1"  # seconds spans gather

_BUCKET = re.compile(r'otel_humanloop_delivery_seconds_bucket\{le="([^"]+)"\} (\S+)')


@contextmanager
def bridge(
    place: Path, humanloop: str, *receive: str, spool: str | None = None
) -> Generator[tuple[Server, str], None, None]:
    """A bridge that is ready, and the address of its HTTP.

    Args:
        place: A folder of its own.
        humanloop: Where it delivers to, `/v4` included.
        receive: What it takes in from besides.
        spool: By default in the folder.
    """
    place.mkdir(exist_ok=True)
    base = f"http://127.0.0.1:{free_port()}"
    command = [
        environment("ours").script("otel-humanloop"),
        *("bridge", "--spool", spool or f"sqlite:///{place / 'spool.db'}"),
        *(word for each in (base, *receive) for word in ("--receive", each)),
    ]
    variables = {"HUMANLOOP_BASE_URL": humanloop, "HUMANLOOP_API_KEY": "key", "HUMANLOOP_DELAY": DELAY}
    with server(command, place, **variables) as running:
        running.wait_for(f"{base}/readyz")
        yield running, base


def acknowledged(base: str) -> dict[str, float]:
    """How many spans' logs were acknowledged so far within so many seconds; `+Inf` has them all."""
    with urllib.request.urlopen(f"{base}/metrics", timeout=60) as answer:
        return {bound: float(count) for bound, count in _BUCKET.findall(answer.read().decode())}

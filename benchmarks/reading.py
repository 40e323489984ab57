"""`python -m benchmarks.reading`: what it costs to read a span, with all conventions and with the few it takes.

Reading is to cost no more with every convention than with three, for a span whose scope decides who speaks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

from otel_humanloop import settings
from otel_humanloop.logs.build import build_log
from otel_humanloop.logs.draft import draft
from otel_humanloop.logs.encode import encode
from otel_humanloop.logs.moves import Create
from otel_humanloop.reading import conventions
from otel_humanloop.reading.catalogue import Catalogue
from otel_humanloop.reading.convention import discover
from otel_humanloop.spans import Span
from otel_humanloop.spans.otlp import JSON, decode

CORPUS = Path(__file__).parents[1] / "tests" / "corpus"
SPANS = {
    "vercel-ai-6.0.326/generateText_chat": {"humanloop", "otel_genai", "vercel_ai"},
    "traceloop-openai-0.62.4/chat": {"humanloop", "otel_genai", "openllmetry"},
    "openinference-openai-0.1.66/async_chat": {"humanloop", "otel_genai", "openinference"},
    "pydantic-ai-2.68.0/default/agent_plain": {"humanloop", "otel_genai", "pydantic_ai"},
}
"""Captures whose first span is read, and the three conventions it takes."""

_SETTINGS = settings.load({"prices": "none"}, environ={})
_ROUNDS, _TIMES = 15, 400


def times(*works: Callable[[], object]) -> list[float]:
    """Microseconds that each takes: the median of rounds, in which they take turns."""
    rounds: list[list[float]] = [[] for _ in works]
    for _ in range(_ROUNDS):
        for work, taken in zip(works, rounds, strict=True):
            began = process_time()
            for _ in range(_TIMES):
                work()
            taken.append((process_time() - began) / _TIMES * 1e6)
    return [median(taken) for taken in rounds]


def span_of(name: str) -> Span:
    """The first span of a capture."""
    return decode((CORPUS / f"{name}.json").read_bytes(), JSON)[0]


def whole(span: Span) -> bytes:
    """The body of the log a span becomes."""
    each = draft(span)
    return encode(build_log(Create(key=each.key, draft=each, parent=None, session="s", user=None), _SETTINGS))


def main() -> None:
    """Prints a line for each span."""
    known = discover(conventions)
    every = Catalogue(known)
    sys.stdout.write(f"microseconds; {len(known)} conventions\n")
    for name, few in SPANS.items():
        span = span_of(name)
        three = Catalogue(convention for convention in known if convention.name in few)
        with_three, with_all, to_body = times(
            lambda span=span, three=three: three.read(span),
            lambda span=span: every.read(span),
            lambda span=span: whole(span),
        )
        sys.stdout.write(
            f"{name}, {len(span.attributes)} attributes: read {with_all:.1f}, with three {with_three:.1f}"
            f" ({with_all / with_three:.2f}x); read, built and encoded {to_body:.1f}\n"
        )


if __name__ == "__main__":
    main()

"""`python -m benchmarks.reading`: what it costs to read a span, with all conventions and with the few it takes, and to
build and encode its log.

Reading is to cost no more with every convention than with three. Spans come in few shapes: each is read here as one
of a shape that was met before. What its texts came to is not: two spans that say the same, each in words of its own,
are read in turn.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from statistics import median
from time import process_time

import msgspec

from benchmarks.load import Load
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
from otel_humanloop.spans.sdk import from_readable

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
    """Microseconds of CPU that each takes: the median of rounds, in which they take turns."""
    rounds: list[list[float]] = [[] for _ in works]
    for _ in range(_ROUNDS):
        for work, taken in zip(works, rounds, strict=True):
            began = process_time()
            for _ in range(_TIMES):
                work()
            taken.append((process_time() - began) / _TIMES * 1e6)
    return [median(taken) for taken in rounds]


def spans() -> dict[str, tuple[Span, set[str]]]:
    """The spans that are read, and the conventions each takes: a chat of the load, and the first of each capture."""
    chat = from_readable(Load(1).finished(1)[0])
    captured = {name: (decode((CORPUS / f"{name}.json").read_bytes(), JSON)[0], few) for name, few in SPANS.items()}
    return {"the load's chat": (chat, {"humanloop", "otel_genai", "openllmetry"}), **captured}


def _alike(span: Span) -> Iterator[Span]:
    """The span and another that says the same, in turn."""
    copied = {
        key: str(value.encode(), "utf-8") if isinstance(value, str) else value for key, value in span.attributes.items()
    }
    return cycle((span, msgspec.structs.replace(span, attributes=copied)))


def main() -> None:
    """Prints a line for each span."""
    known = discover(conventions)
    every = Catalogue(known)
    sys.stdout.write(f"CPU microseconds; {len(known)} conventions\n")
    for name, (span, few) in spans().items():
        three = Catalogue(convention for convention in known if convention.name in few)
        each = draft(span)
        create = Create(key=each.key, draft=each, parent=None, session="s", user=None)
        log = build_log(create, _SETTINGS)
        alike = _alike(span)
        with_three, with_all, drafted, built, encoded = times(
            lambda alike=alike, three=three: three.read(next(alike)),
            lambda alike=alike: every.read(next(alike)),
            lambda alike=alike: draft(next(alike)),
            lambda create=create: build_log(create, _SETTINGS),
            lambda log=log: encode(log),
        )
        sys.stdout.write(
            f"{name}, {len(span.attributes)} attributes: read {with_all:.1f}, with three {with_three:.1f}"
            f" ({with_all / with_three:.2f}x); drafted, built and encoded {drafted + built + encoded:.1f}"
            f" ({drafted:.1f} + {built:.1f} + {encoded:.1f})\n"
        )


if __name__ == "__main__":
    main()

"""What a span processor costs the application's thread."""

from __future__ import annotations

from benchmarks.contest import Spread, contest, per_span, ratios
from benchmarks.finding import Figures, Finding, Table, Target, spread
from benchmarks.processes import sink
from benchmarks.scale import Scale

ENVIRONMENTS = ("ours",)

_NAMES = {"ours": "HumanloopSpanProcessor", "batch": "BatchSpanProcessor, exporting nowhere"}


def measure(scale: Scale) -> Figures:
    """What either spent on 400 spans, round by round."""
    with sink() as taker:
        return contest(
            {name: ("ours", "on_end", name, taker.url) for name in _NAMES},
            rounds=scale.rounds * 5,  # they are short
            asked={name: {"spans": 400} for name in _NAMES},
        )


def find(figures: Figures) -> Finding:
    """CPU time per span of the thread that ends it."""
    ours, batch = (per_span(figures[name]) for name in _NAMES)
    return Finding(
        title="On the application's thread",
        how=(
            "`on_start` of 400 spans, then `on_end` of each, on one thread, whose CPU time alone is counted: fewer "
            "than those at which either wakes its own thread, which would then compete for the interpreter. "
            "`BatchSpanProcessor` does nothing when a span starts; ours remembers it, so that a span which runs for "
            "long can be logged before it ends."
        ),
        targets=[
            Target.most("`on_end` on the application's thread, against BatchSpanProcessor", ratios(ours, batch), 1.2)
        ],
        tables=[
            Table(
                ["processor", "on_end, CPU µs", "on_start and on_end, CPU µs"],
                [
                    [
                        label,
                        spread(Spread.of(per_span(figures[name]))),
                        spread(Spread.of(per_span(figures[name], "both"))),
                    ]
                    for name, label in _NAMES.items()
                ],
            )
        ],
    )

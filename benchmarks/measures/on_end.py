"""What a span processor costs the application's thread."""

from __future__ import annotations

from benchmarks.contest import Spread, contest, per_span, ratios
from benchmarks.finding import Finding, Table, Target, spread
from benchmarks.processes import sink
from benchmarks.scale import Scale


def measure(scale: Scale) -> Finding:
    """CPU time per span of the thread that ends it."""
    names = {"ours": "HumanloopSpanProcessor", "batch": "BatchSpanProcessor, exporting nowhere"}
    with sink() as url:
        answers = contest(
            {name: ("ours", "on_end", name, url) for name in names},
            rounds=scale.rounds * 5,  # they are short
            asked={name: {"spans": 400} for name in names},
        )
    ours, batch = (per_span(answers[name]) for name in names)
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
        limits=(
            "Both append to a deque after the same checks; ours asks besides whether the spool has room, which is the "
            "difference."
        ),
        tables=[
            Table(
                ["processor", "on_end, CPU µs", "on_start and on_end, CPU µs"],
                [
                    [
                        label,
                        spread(Spread.of(per_span(answers[name]))),
                        spread(Spread.of(per_span(answers[name], "both"))),
                    ]
                    for name, label in names.items()
                ],
            )
        ],
    )

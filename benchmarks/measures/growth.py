"""Whether cost grows as its cause does: what a span costs when there is ten times as much of something."""

from __future__ import annotations

from benchmarks.contest import Spread, contest, per_span
from benchmarks.finding import Finding, Table, Target, spread
from benchmarks.plot import plot
from benchmarks.processes import sink
from benchmarks.report import HERE
from benchmarks.scale import Scale

_STEPS = (1, 3, 10)


def measure(scale: Scale) -> Finding:
    """CPU per span (of conversations: per message) of the whole exporter, at once, three and ten times as much."""
    few = max(scale.traces // 16, 8)
    # What grows -> how much of it there is at each step.
    shapes: dict[str, dict[int, dict[str, int]]] = {
        "traces at once": {step: {"traces": few * step, "chats": 3} for step in _STEPS},
        "spans in a trace": {step: {"traces": max(few // step, 1), "chats": 4 * step} for step in _STEPS},
        "depth of a trace": {step: {"traces": few, "chats": 30, "depth": 3 * step} for step in _STEPS},
        "length of a conversation": {step: {"traces": few, "chats": 3, "turns": 2 * step} for step in _STEPS},
    }
    columns: list[list[str]] = []
    targets: list[Target] = []
    curves: dict[str, list[tuple[float, float]]] = {}
    for what, steps in shapes.items():
        with sink() as url:
            answers = contest(
                {str(step): ("installed-base", "exporter", "ours", url) for step in steps},
                rounds=scale.rounds,
                asked={str(step): asked for step, asked in steps.items()},
            )
        costs = {
            step: [_share(what, asked) * cost for cost in per_span(answers[str(step)])] for step, asked in steps.items()
        }
        growth = Spread.of([ten / one for ten, one in zip(costs[10], costs[1], strict=True)])
        targets.append(Target.most(f"cost at ten times the {what}", growth, 1.3))
        columns.append([what, *(spread(Spread.of(costs[step])) for step in _STEPS), spread(growth, "x")])
        least = Spread.of(costs[1]).median
        curves[what] = [(step, Spread.of(costs[step]).median / least) for step in _STEPS]
    if not scale.quick:
        (HERE / "growth.svg").write_text(plot(curves, limit=1.3, across="times as much", up="cost of one, against 1x"))
    return Finding(
        title="Growth",
        how=(
            "The exporter again, with ten times as much of one thing at a time. What is told is CPU µs per span; of "
            "longer conversations per message in them, for they are that much more to send.\n\n"
            "![Cost of one span as there is more of something](growth.svg)"
        ),
        targets=targets,
        limits=(
            "A log may only leave when its parent's was acknowledged, so a chain of thirty is thirty requests, each "
            "with a part of the logs: what grows with depth is the number of requests, and not what a span costs."
        ),
        tables=[Table(["", *(f"{step}x" for step in _STEPS), "10x against 1x"], columns)],
    )


def _share(what: str, asked: dict[str, int]) -> float:
    """What makes the cost of a span the cost of what grows."""
    # A conversation of n questions has 2n messages beside the system's, the last answer among them.
    return 1 / (2 * asked["turns"] + 1) if what.startswith("length") else 1.0

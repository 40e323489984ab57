"""Whether cost grows as its cause does: what a span costs when there is ten times as much of something."""

from __future__ import annotations

from benchmarks.contest import Spread, contest, per_span, ratios
from benchmarks.contestants.names import EXPORTERS
from benchmarks.finding import Figures, Finding, Table, Target, spread
from benchmarks.plot import plot
from benchmarks.processes import sink
from benchmarks.scale import Scale

ENVIRONMENTS = ("ours",)

_STEPS = (1, 3, 10)


def measure(scale: Scale) -> Figures:
    """What the whole exporter spent, at once, three and ten times as much of each thing, round by round."""
    few = max(scale.traces // 16, 8)
    taken: Figures = {}
    for what, steps in _shapes(few).items():
        with sink() as taker:
            answers = contest(
                {str(step): (EXPORTERS["ours"], "exporter", "ours", taker.url) for step in steps},
                rounds=scale.rounds,
                asked={str(step): asked for step, asked in steps.items()},
            )
        taken[what] = {
            str(step): [_share(what, asked) * cost for cost in per_span(answers[str(step)])]
            for step, asked in steps.items()
        }
    return taken


def find(figures: Figures) -> Finding:
    """CPU per span (of conversations: per message), and how it grows."""
    rows: list[list[str]] = []
    targets: list[Target] = []
    curves: dict[str, list[tuple[float, float]]] = {}
    for what, costs in figures.items():
        spreads = {step: Spread.of(costs[str(step)]) for step in _STEPS}
        growth = ratios(costs["10"], costs["1"])
        targets.append(Target.most(f"cost at ten times the {what}", growth, 1.3))
        rows.append([what, *(spread(spreads[step]) for step in _STEPS), spread(growth, "x")])
        curves[what] = [(step, spreads[step].median / spreads[1].median) for step in _STEPS]
    plotted = plot(curves, limit=1.3, across="times as much", up="cost of one, against 1x", logarithmic=True)
    return Finding(
        title="Growth",
        how=(
            "The exporter again, with ten times as much of one thing at a time. What is told is CPU µs per span; of "
            "longer conversations per message in them, for they are that much more to send.\n\n"
            "![Cost of one span as there is more of something](growth.svg)"
        ),
        targets=targets,
        tables=[Table(["", *(f"{step}x" for step in _STEPS), "10x against 1x"], rows)],
        plots={"growth.svg": plotted},
    )


def _shapes(few: int) -> dict[str, dict[int, dict[str, int]]]:
    """What grows -> step -> how the load is asked for."""
    return {
        "traces at once": {step: {"traces": few * step, "chats": 3} for step in _STEPS},
        # As many spans each time, in one batch: what a request costs is to be shared by as many.
        "spans in a trace": {step: {"traces": 6 * few // step, "chats": 4 * step} for step in _STEPS},
        "depth of a trace": {step: {"traces": few, "chats": 30, "depth": 3 * step} for step in _STEPS},
        "length of a conversation": {step: {"traces": few, "chats": 3, "turns": 2 * step} for step in _STEPS},
    }


def _share(what: str, asked: dict[str, int]) -> float:
    """What makes the cost of a span the cost of what grows."""
    # A conversation of n questions has 2n messages beside the system's, the last answer among them.
    return 1 / (2 * asked["turns"] + 1) if what.startswith("length") else 1.0

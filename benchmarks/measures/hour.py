"""The bridge for an hour: whether its memory stays as it is."""

from __future__ import annotations

import statistics
import sys

from benchmarks.bridges import bridge
from benchmarks.contest import Spread, contestant
from benchmarks.finding import Figures, Finding, Table, Target, number
from benchmarks.plot import plot
from benchmarks.processes import folder, sink
from benchmarks.scale import Scale

ENVIRONMENTS = ("ours", "otlp")

_RATE = 300  # spans a second: far from what it can do, so that an hour can be spent beside other work
_REQUEST = 60  # spans, so that five requests come each second
_EVERY = 10.0  # seconds between two looks


def measure(scale: Scale) -> Figures:
    """Memory every ten seconds, and what went through."""
    memory: list[int] = []
    sent = 0
    with folder() as place, sink() as taker, bridge(place, f"{taker.url}/v4") as (running, base):
        with contestant("steady", "otlp", "steady", base) as sender:
            began = running.cpu()
            for look in range(int(scale.hour // _EVERY)):
                sent += sender.round(rate=_RATE, seconds=_EVERY, size=_REQUEST)["spans"]
                memory.append(running.memory())
                if look % 30 == 29:
                    sys.stderr.write(f"  {look // 6 + 1} minutes, {memory[-1] / 1e6:,.0f} MB\n")
        taker.wait_for(sent)
        spent = running.cpu() - began
    return {"every": _EVERY, "memory": memory, "spans": sent, "cpu": spent, "rate": _RATE}


def find(figures: Figures) -> Finding:
    """Flat is what the last sixth is against the second: in the first it fills what it remembers traces in."""
    memory: list[int] = figures["memory"]
    sixth = max(len(memory) // 6, 1)
    parts = [statistics.median(memory[start : start + sixth]) for start in range(0, sixth * 6, sixth) if memory[start:]]
    early, late = parts[min(1, len(parts) - 1)], parts[-1]
    minutes = len(memory) * figures["every"] / 60
    ratio = late / early
    points = [(index * figures["every"] / 60, each / 1e6) for index, each in enumerate(memory, 1)]
    return Finding(
        title=f"Bridge: {minutes:.0f} minutes",
        how=(
            f"`otel-humanloop bridge` as above, given {figures['rate']} spans a second in requests of {_REQUEST} for "
            f"{minutes:.0f} minutes, {figures['spans']:,} spans in all, each of which was acknowledged by the sink. "
            f"Memory (proportional set size) was read every {figures['every']:.0f} s; compared are the medians of the "
            "second and of the last sixth of the time, for finished traces are remembered for five minutes.\n\n"
            "![Memory of the bridge over the time](hour.svg)"
        ),
        targets=[
            Target.most(
                f"memory of the bridge over {minutes:.0f} minutes, its end against its beginning", _one(ratio), 1.05
            )
        ],
        tables=[
            Table(
                ["", *(f"{(part + 1) * minutes / len(parts):.0f} min" for part in range(len(parts)))],
                [["MB, median", *(number(part / 1e6) for part in parts)]],
            ),
            Table(
                ["CPU µs/span", "spans"], [[number(figures["cpu"] / figures["spans"] * 1e6), f"{figures['spans']:,}"]]
            ),
        ],
        plots={"hour.svg": plot({"memory": points}, across="minutes", up="MB")},
    )


def _one(value: float) -> Spread:
    return Spread(value, value, value)

"""When each log was at work: a waterfall, and the critical path through it.

The critical path is what a session waited for: going back from its end, at every moment the work whose end let the
next step begin. Shortening a log on it shortens the session; shortening one beside it does not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from otel_humanloop.server.viewer.entries import Entry
from otel_humanloop.server.viewer.text import duration
from otel_humanloop.server.viewer.tree import Tree

_TICKS = 6
_SECOND = 1_000_000


class Stretch(msgspec.Struct, frozen=True):
    """Part of a line of time, in microseconds since the epoch."""

    start: int
    end: int


class Tick(msgspec.Struct, frozen=True):
    """A mark on the axis: where (per cent of its width), and how long after the session's start."""

    at: float
    label: str


class Axis(msgspec.Struct, frozen=True, kw_only=True):
    """The stretch of time a waterfall shows."""

    start: int
    end: int

    def place(self, moment: int) -> float:
        """Where a moment is, in per cent of the axis; to a second where that is a month long."""
        return round(100 * (moment - self.start) / (self.end - self.start), 5)

    def ticks(self) -> list[Tick]:
        """Marks at round times after its start."""
        span = (self.end - self.start) / _SECOND
        step = _round_step(span / _TICKS)
        last = math.floor(span / step)
        return [
            Tick(self.place(self.start + round(number * step * _SECOND)), _label(number * step, step))
            for number in range(last + 1)
        ]


def axis_of(entries: Sequence[Entry]) -> Axis:
    """From the start of the first to the end of the last; of some length even where they have none."""
    start = min((entry.started_at for entry in entries), default=0)
    end = max((entry.ended_at for entry in entries), default=0)
    return Axis(start=start, end=max(end, start + 1_000))


def critical_path(tree: Tree) -> dict[int, list[Stretch]]:
    """For each log on the critical path, by key, the stretches of its own time that are on it."""
    path: dict[int, list[Stretch]] = {}
    roots = tree.below.get(None, [])
    todo: list[tuple[Entry | None, int]] = [(None, max((entry.ended_at for entry in roots), default=0))]
    while todo:
        entry, until = todo.pop()
        begins = 0 if entry is None else entry.started_at
        children = tree.below.get(None if entry is None else entry.key, [])
        moment = until
        # work that outlives what asked for it counts only as long as that lasted
        ends = [(min(child.ended_at, until), child.started_at, child) for child in children]
        for ended, started, child in sorted(ends, key=lambda end: end[:2], reverse=True):
            if ended > moment or ended <= max(started, begins):
                continue
            if entry is not None and ended < moment:
                path.setdefault(entry.key, []).append(Stretch(ended, moment))
            todo.append((child, ended))
            moment = max(started, begins)
        if entry is not None and moment > begins:
            path.setdefault(entry.key, []).append(Stretch(begins, moment))
    return {key: stretches[::-1] for key, stretches in path.items()}


def _round_step(least: float) -> float:
    """1, 2 or 5 times a power of ten, at least `least`; above a minute, round in minutes and hours."""
    for step in (60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400):
        if 20 < least <= step:
            return step
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * 0.999)


def _label(seconds: float, step: float) -> str:
    if seconds == 0:
        return "0"
    if step >= 60:
        return f"{seconds / 3600:g} h" if seconds % 3600 == 0 else f"{seconds / 60:g} min"
    if step >= 1 and 1 <= seconds < 60:
        return f"{seconds:.0f} s"
    if step < 1 <= seconds < 60:
        return f"{seconds:.{min(3, max(1, -math.floor(math.log10(step))))}f} s"
    return duration(seconds)

"""What a project's logs cost, how long they took and how often they failed: over time, and by version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, select

from otel_humanloop.server.store.schema import configs, logs
from otel_humanloop.server.viewer.entries import Made, made_of

MOST = 50_000
"""Logs that are looked at, the newest; a page says so where there are more."""

PERIODS = {"1h": 3_600, "24h": 86_400, "7d": 7 * 86_400, "30d": 30 * 86_400, "all": None}
"""Names of periods, and how many seconds each is long."""

_PARTS = 48
"""Bars of a chart, at most."""

_STEPS = (60, 300, 600, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 7 * 86_400, 28 * 86_400)
"""Seconds a bar may stand for."""

_SECOND = 1_000_000


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over some logs: cost in dollars, durations in seconds (None where none is known).

    Attributes:
        priced: How many of them state a cost.
    """

    logs: int
    errors: int
    prompt_tokens: int
    output_tokens: int
    cost: float | None
    priced: int
    p50: float | None
    p95: float | None

    @property
    def error_rate(self) -> float:
        """The part that failed, 0 to 1."""
        return self.errors / self.logs if self.logs else 0.0

    @property
    def mean_cost(self) -> float | None:
        """Dollars a log, of those that state any."""
        return None if self.cost is None else self.cost / self.priced


class Part(msgspec.Struct, frozen=True):
    """A stretch of time, by its start in microseconds since the epoch, and what was used in it."""

    start: int
    usage: Usage


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a project's config. `logs` counts all that were made with it, `usage` those of the period."""

    made: Made
    logs: int
    last_used: int
    created_at: int
    usage: Usage


class ProjectUsage(msgspec.Struct, frozen=True, kw_only=True):
    """A project over a period.

    Attributes:
        step: Seconds each of `parts` is long.
        capped: There were more logs than are looked at.
    """

    total: Usage
    parts: list[Part]
    step: int
    versions: list[Version]
    capped: bool


_COLUMNS: tuple[ColumnElement[Any], ...] = (
    logs.c.created_at,
    logs.c.config,
    logs.c.duration,
    logs.c.prompt_tokens,
    logs.c.output_tokens,
    logs.c.prompt_cost,
    logs.c.output_cost,
    logs.c.failed,
)


def usage_of(tx: Connection, project: int, *, period: str, now: int) -> ProjectUsage:
    """A project (by key) over the period of that name, up to now."""
    seconds = PERIODS[period]
    statement = select(*_COLUMNS).where(logs.c.project == project)
    if seconds is not None:
        statement = statement.where(logs.c.created_at >= now - seconds * _SECOND)
    newest_first = statement.order_by(logs.c.created_at.desc(), logs.c.key.desc()).limit(MOST + 1)
    rows: Sequence[Row[Any]] = tx.execute(newest_first).all()
    capped, rows = len(rows) > MOST, rows[:MOST]
    step, parts = _over_time(rows, seconds, now)
    return ProjectUsage(
        total=_sum(rows), parts=parts, step=step, versions=_by_version(tx, project, rows), capped=capped
    )


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that `share` of `values` do not exceed, by the nearest rank; None of none."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[max(0, -int(-share * len(ranked) // 1) - 1)]


def _over_time(rows: Sequence[Row[Any]], seconds: int | None, now: int) -> tuple[int, list[Part]]:
    if seconds is None:
        if not rows:
            return _STEPS[0], []
        first, last = rows[-1].created_at, rows[0].created_at
    else:
        first, last = now - seconds * _SECOND, now
    span = (last - first) / _SECOND
    step = next((step for step in _STEPS if span / step <= _PARTS - 1), max(_STEPS[-1], int(span / (_PARTS - 1)) + 1))
    size = step * _SECOND
    within: dict[int, list[Row[Any]]] = {}
    for row in rows:
        within.setdefault(row.created_at // size, []).append(row)
    numbers = range(first // size, last // size + 1)
    return step, [Part(number * size, _sum(within.get(number, ()))) for number in numbers]


def _by_version(tx: Connection, project: int, rows: Sequence[Row[Any]]) -> list[Version]:
    within: dict[int, list[Row[Any]]] = {}
    for row in rows:
        within.setdefault(row.config, []).append(row)
    found = tx.execute(
        select(configs).where(configs.c.project == project).order_by(configs.c.last_used.desc(), configs.c.key.desc())
    )
    return [
        Version(
            made=made_of(row.id, row.name, row.body),
            logs=row.logs,
            last_used=row.last_used,
            created_at=row.created_at,
            usage=_sum(within.get(row.key, ())),
        )
        for row in found
    ]


def _sum(rows: Sequence[Row[Any]]) -> Usage:
    durations = [row.duration for row in rows if row.duration is not None]
    costs = [
        (row.prompt_cost or 0) + (row.output_cost or 0)
        for row in rows
        if row.prompt_cost is not None or row.output_cost is not None
    ]
    return Usage(
        logs=len(rows),
        errors=sum(row.failed for row in rows),
        prompt_tokens=sum(row.prompt_tokens or 0 for row in rows),
        output_tokens=sum(row.output_tokens or 0 for row in rows),
        cost=sum(costs) if costs else None,
        priced=len(costs),
        p50=percentile(durations, 0.5),
        p95=percentile(durations, 0.95),
    )

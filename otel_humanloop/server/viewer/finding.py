"""Finding sessions: a page of those that filters leave, by keyset.

A page begins where the last one ended (`WHERE (value, key) < ...`), so the thousandth costs what the first does.
Nothing is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, exists, select

from otel_humanloop.server.store import glimpses
from otel_humanloop.server.store.schema import configs, logs, projects, session_projects, sessions
from otel_humanloop.server.viewer import seeking
from otel_humanloop.server.viewer.filters import SIZE, Cursor, Filters
from otel_humanloop.server.viewer.seeking import Order

_SORTED: dict[str, ColumnElement[Any]] = {
    "start": sessions.c.started_at,
    "duration": sessions.c.duration,
    "logs": sessions.c.logs,
    "tokens": sessions.c.tokens,
    "cost": sessions.c.cost,
}

_MOST_MODELS = 500
"""Models one can choose from."""


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project as a list shows it. `type` is that of its first config; None before its first log."""

    id: str
    name: str
    type: str | None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A session with its totals. Times in microseconds since the epoch, duration in seconds, cost in dollars.

    Attributes:
        prompt_tokens, output_tokens, cost: None where no log states any.
        projects: By the start of their first log.
        inputs: Of the log that started first, each cut to a glimpse.
        output, error: Of the log that ended last, cut to a glimpse; None while there is none.
    """

    key: int
    id: str
    reference_id: str | None
    logs: int
    started_at: int
    ended_at: int
    duration: float
    prompt_tokens: int | None
    output_tokens: int | None
    cost: float | None
    errors: int
    updated_at: int
    projects: list[Project]
    inputs: list[tuple[str, str]]
    output: str | None
    error: str | None

    @property
    def tokens(self) -> int | None:
        """Prompt and output together; None where no log states any."""
        if self.prompt_tokens is None or self.output_tokens is None:
            return None
        return self.prompt_tokens + self.output_tokens


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A page of sessions, and where the pages beside it begin; None where there is none."""

    sessions: list[Summary]
    newer: Cursor | None
    older: Cursor | None


def find(tx: Connection, filters: Filters) -> Found:
    """The page of sessions that `filters` ask for."""
    value = _SORTED[filters.sort]
    if filters.project is not None and filters.sort == "start":
        value = session_projects.c.started_at  # of the project's own logs, as its index has it
    statement = _narrowed(tx, select(sessions, value.label("value")), filters)
    backwards = filters.before is not None
    order = Order(value=value, descending=filters.ascending == backwards)
    cursor = filters.before or filters.after
    if cursor is not None:
        statement = statement.where(order.after(cursor.value, cursor.key))
    asked = seeking.questions(tx, filters)
    rows = seeking.rows(tx, statement, order, asked, SIZE + 1, by_time=filters.sort == "start")
    more, rows = len(rows) > SIZE, rows[:SIZE]
    if backwards:
        rows = rows[::-1]
    first, last = (_cursor(rows[0]), _cursor(rows[-1])) if rows else (None, None)
    return Found(
        sessions=_summaries(tx, rows),
        newer=first if (more if backwards else filters.after is not None) else None,
        older=last if (backwards or more) else None,
    )


def one(tx: Connection, id: str) -> Summary | None:
    """The session with this id."""
    rows = tx.execute(select(sessions).where(sessions.c.id == id)).all()
    return _summaries(tx, rows)[0] if rows else None


def all_projects(tx: Connection) -> list[Project]:
    """Every project that has logs, by name."""
    rows = tx.execute(select(projects).where(projects.c.logs > 0).order_by(projects.c.name))
    return [Project(id=row.id, name=row.name, type=row.config_type) for row in rows]


def all_models(tx: Connection) -> list[str]:
    """Every model that logs were made with, by name."""
    named = select(configs.c.model).where(configs.c.model.is_not(None)).distinct().order_by(configs.c.model)
    return list(tx.execute(named.limit(_MOST_MODELS)).scalars())


def _cursor(row: Row[Any]) -> Cursor:
    return Cursor(int(row.value), row.key)


def _narrowed(tx: Connection, statement: Select[Any], filters: Filters) -> Select[Any]:
    where: list[ColumnElement[bool]] = []
    if filters.project is not None:
        mine = select(projects.c.key).where(projects.c.id == filters.project).scalar_subquery()
        statement = statement.join(session_projects, session_projects.c.session == sessions.c.key)
        where.append(session_projects.c.project == mine)
    if filters.errors:
        where.append(sessions.c.errors > 0)
    if filters.since is not None:
        where.append(sessions.c.started_at >= filters.since)
    if filters.until is not None:
        where.append(sessions.c.started_at < filters.until)
    if filters.min_duration is not None:
        where.append(_SORTED["duration"] >= round(filters.min_duration * 1e6))
    if filters.min_cost is not None:
        where.append(sessions.c.cost >= round(filters.min_cost * 1e12))
    if filters.model is not None:
        made = logs.c.config.in_(_made_with(tx, filters.model))
        keys = select(logs.c.key).where(made)
        few = seeking.are_few(tx, keys)
        gathered = sessions.c.key.in_(seeking.sessions_of(keys))
        where.append(gathered if few else exists().where(logs.c.session == sessions.c.key, made))
    return statement.where(*where)


def _made_with(tx: Connection, model: str) -> Sequence[int]:
    return tx.execute(select(configs.c.key).where(configs.c.model == model)).scalars().all()


def _summaries(tx: Connection, rows: Sequence[Row[Any]]) -> list[Summary]:
    ends = {key for row in rows for key in (row.first_log, row.last_log) if key is not None}
    found = tx.execute(select(logs.c.key, logs.c.glimpse).where(logs.c.key.in_(ends)))
    seen = {key: glimpses.decode(glimpse) for key, glimpse in found}
    nothing = glimpses.Glimpse()
    members: dict[int, list[Project]] = {row.key: [] for row in rows}
    for member in tx.execute(
        select(session_projects.c.session, projects.c.id, projects.c.name, projects.c.config_type)
        .join(projects, projects.c.key == session_projects.c.project)
        .where(session_projects.c.session.in_(members))
        .order_by(session_projects.c.started_at, projects.c.key)
    ):
        members[member.session].append(Project(id=member.id, name=member.name, type=member.config_type))
    return [
        Summary(
            key=row.key,
            id=row.id,
            reference_id=row.reference_id,
            logs=row.logs,
            started_at=row.started_at,
            ended_at=row.ended_at,
            duration=(row.ended_at - row.started_at) / 1e6,
            prompt_tokens=row.prompt_tokens if row.counted else None,
            output_tokens=row.output_tokens if row.counted else None,
            cost=row.cost / 1e12 if row.priced else None,
            errors=row.errors,
            updated_at=row.updated_at,
            projects=members[row.key],
            inputs=seen.get(row.first_log, nothing).inputs,
            output=seen.get(row.last_log, nothing).output,
            error=seen.get(row.last_log, nothing).error,
        )
        for row in rows
    ]

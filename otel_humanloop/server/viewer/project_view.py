"""The pages of projects: the list of them, and one with its versions and charts."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from otel_humanloop.server.failures import NotFound
from otel_humanloop.server.store.schema import configs, logs, projects, sessions
from otel_humanloop.server.viewer.charts import charts_of
from otel_humanloop.server.viewer.entries import Entry, entries_of
from otel_humanloop.server.viewer.showing import now
from otel_humanloop.server.viewer.usage import PERIODS, usage_of

_LATEST = 20


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A project in the list. Times in microseconds since the epoch."""

    id: str
    name: str
    kind: str | None
    logs: int
    versions: int
    created_at: int
    updated_at: int


class Latest(msgspec.Struct, frozen=True):
    """A log, and the address it is read at."""

    entry: Entry
    address: str


def project_list(tx: Connection) -> list[Listed]:
    """Every project, the last used first."""
    versions: dict[int, int] = {
        row.project: row.number
        for row in tx.execute(select(configs.c.project, func.count().label("number")).group_by(configs.c.project))
    }
    rows = tx.execute(select(projects).order_by(projects.c.updated_at.desc(), projects.c.key.desc()))
    return [
        Listed(
            id=row.id,
            name=row.name,
            kind=row.config_type,
            logs=row.logs,
            versions=versions.get(row.key, 0),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in rows
    ]


def project_values(tx: Connection, id: str, query: Any) -> dict[str, Any]:
    """What the template of a project's page is given. `query` may name a `period`.

    Raises:
        NotFound: There is no such project.
    """
    project = tx.execute(select(projects).where(projects.c.id == id)).one_or_none()
    if project is None:
        raise NotFound("project", id)
    asked = query.get("period", "7d")
    period = asked if asked in PERIODS else "7d"
    usage = usage_of(tx, project.key, period=period, now=now())
    active = tx.execute(select(configs.c.id).where(configs.c.key == project.active_config)).scalar_one_or_none()
    return {
        "project": project,
        "period": period,
        "periods": list(PERIODS),
        "usage": usage,
        "charts": charts_of(usage),
        "active": active,
        "latest": _latest(tx, project.key),
    }


def _latest(tx: Connection, project: int) -> list[Latest]:
    entries = entries_of(tx, logs.c.project == project, newest=_LATEST)
    keys = [entry.key for entry in entries]
    found = tx.execute(
        select(logs.c.key, sessions.c.id).join(sessions, sessions.c.key == logs.c.session).where(logs.c.key.in_(keys))
    )
    session: dict[int, str] = {row.key: row.id for row in found}
    return [
        Latest(
            entry, f"/sessions/{session[entry.key]}/logs/{entry.id}" if entry.key in session else f"/logs/{entry.id}"
        )
        for entry in entries
    ]

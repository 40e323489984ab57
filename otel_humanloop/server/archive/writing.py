"""Everything a store holds as JSON lines: a backup that reads as text and fits any database.

Each line is an object with one name, which says what it is: `project`, `version`, `deployment`, `session`, `log` or
`attachment`, in that order. Ids stay what they were. API keys are not part of it. `shapes` says what a line holds, and
`restoring` reads the lines back.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from otel_humanloop.server.store import Store, attachments, feedback
from otel_humanloop.server.store.packing import unpack
from otel_humanloop.server.store.reading import logs_with
from otel_humanloop.server.store.schema import configs, deployments, environments, logs, projects, sessions

PIECE = 500
"""Lines that are read at once."""


_PLAIN = ("id", "reference_id", "parent_reference_id", *(
    "created_at", "started_at", "ended_at", "updated_at", "duration", "prompt_tokens", "output_tokens",
    "prompt_cost", "output_cost", "failed", "saved", "source", "environment",
))  # fmt: skip


def written(store: Store) -> Iterator[bytes]:
    """The lines, each with its end."""
    for work in (_projects, _versions, _deployments, _sessions, _logs):
        after = 0
        while True:
            found, last = store.read(partial(work, after=after))
            yield from (msgspec.json.encode(line) + b"\n" for line in found)
            if last is None:
                break
            after = last
    for sha256 in store.read(attachments.hashes):
        kept = store.read(partial(attachments.find, sha256=sha256))
        if kept is not None:
            fields = {"id": sha256, "media_type": kept.media_type, "base64": kept.content}
            yield msgspec.json.encode({"attachment": fields}) + b"\n"


def _projects(tx: Connection, after: int) -> tuple[list[Any], int | None]:
    active = configs.alias("active")
    statement = select(projects, active.c.id.label("active_id")).outerjoin(
        active, active.c.key == projects.c.active_config
    )
    rows = tx.execute(statement.where(projects.c.key > after).order_by(projects.c.key).limit(PIECE)).all()
    fields = ("id", "name", "directory_id", "config_type", "created_at", "updated_at")
    lines = [
        {"project": {**{field: getattr(row, field) for field in fields}, "active_config_id": row.active_id}}
        for row in rows
    ]
    return lines, rows[-1].key if rows else None


def _versions(tx: Connection, after: int) -> tuple[list[Any], int | None]:
    statement = select(configs, projects.c.id.label("project_id")).join(projects, projects.c.key == configs.c.project)
    rows = tx.execute(statement.where(configs.c.key > after).order_by(configs.c.key).limit(PIECE)).all()
    fields = ("id", "project_id", "hash", "type", "name", "status", "created_at", "updated_at", "last_used")
    lines = [
        {"version": {**{field: getattr(row, field) for field in fields}, "config": msgspec.Raw(row.body)}}
        for row in rows
    ]
    return lines, rows[-1].key if rows else None


def _deployments(tx: Connection, after: int) -> tuple[list[Any], int | None]:
    """All at once, for they are few; in the default environment a project has its active config instead."""
    _ = after
    ids = (projects.c.id.label("project_id"), configs.c.id.label("config_id"))
    rows = tx.execute(
        select(environments.c.id, environments.c.name, *ids)
        .join(deployments, deployments.c.environment == environments.c.key)
        .join(projects, projects.c.key == deployments.c.project)
        .join(configs, configs.c.key == deployments.c.config)
        .order_by(environments.c.key, projects.c.key)
    )
    fields = ("id", "project_id", "config_id")
    lines = [
        {"deployment": {**{field: getattr(row, field) for field in fields}, "environment": row.name}} for row in rows
    ]
    return lines, None


def _sessions(tx: Connection, after: int) -> tuple[list[Any], int | None]:
    rows = tx.execute(select(sessions).where(sessions.c.key > after).order_by(sessions.c.key).limit(PIECE)).all()
    fields = ("id", "reference_id", "created_at", "updated_at")
    lines = [{"session": {field: getattr(row, field) for field in fields}} for row in rows]
    return lines, rows[-1].key if rows else None


def _logs(tx: Connection, after: int) -> tuple[list[Any], int | None]:
    statement = logs_with().where(logs.c.key > after).order_by(logs.c.key).limit(PIECE)
    rows = tx.execute(statement).all()
    said = feedback.of_logs(tx, {row.key: row.id for row in rows})
    fields = (*_PLAIN, "project_id", "config_id", "session_id", "parent_id")
    lines = [
        {
            "log": {
                **{field: getattr(row, field) for field in fields},
                "content": msgspec.Raw(unpack(row.content)),
                "feedback": said.get(row.key, []),
            }
        }
        for row in rows
    ]
    return lines, rows[-1].key if rows else None

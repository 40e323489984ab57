"""Changes to what is there: a log patched or deleted, a session opened, a project made, changed or deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select

from otel_humanloop.server.failures import Invalid, NotFound
from otel_humanloop.server.store.making import add_project, add_session
from otel_humanloop.server.store.posting import rewrite
from otel_humanloop.server.store.records import Content
from otel_humanloop.server.store.schema import configs, logs, projects, sessions
from otel_humanloop.server.store.workspace import Workspace

SLICE = 1_000
"""Logs that one write deletes at most."""


def patch_log(
    tx: Connection, id: str | None, reference_id: str | None, content: Content, duration: float | None, *, now: int
) -> int:
    """Gives a log, named by id or by reference, what `content` says and a duration in seconds; returns its key.

    Raises:
        NotFound: There is no such log.
    """
    rows = Workspace(tx)
    log = rows.logs.find(id=id) if id is not None else rows.newest_log(reference_id or "")
    if log is None:
        raise NotFound("log", id or f"with the reference_id {reference_id}")
    rewrite(rows, log, {} if duration is None else {"duration": duration}, content, now=now)
    rows.flush(now=now)
    return log.key


def delete_logs(tx: Connection, *, ids: Sequence[str], now: int) -> None:
    """Deletes logs. Those below become roots."""
    rows = Workspace(tx)
    for log in rows.expect_logs(ids):
        for child in rows.children(log):
            rows.put_log(msgspec.structs.replace(child, parent=None, updated_at=now))
        rows.remove_log(rows.logs.get(log.key))
    rows.flush(now=now)


def open_session(tx: Connection, *, now: int) -> str:
    """A new session without logs; returns its id."""
    rows = Workspace(tx).sessions
    session = add_session(rows, None, now=now)
    rows.flush()
    return session.id


def make_project(tx: Connection, name: str, directory_id: str | None, *, now: int) -> str:
    """A new project; returns its id.

    Raises:
        Invalid: There is one of that name.
    """
    rows = Workspace(tx).projects
    if rows.find(name=name) is not None:
        raise Invalid(("body", "name"), f"there is a project named `{name}` already")
    project = add_project(rows, name, directory_id, now=now)
    rows.flush()
    return project.id


def change_project(
    tx: Connection,
    id: str,
    name: str | None,
    active_config_id: str | None,
    directory_id: str | None,
    *,
    now: int,
) -> None:
    """Changes what is given of a project.

    Raises:
        NotFound: There is no such project or config.
        Invalid: The name is another project's, or the config is.
    """
    rows = Workspace(tx)
    project = rows.projects.find(id=id)
    if project is None:
        raise NotFound("project", id)
    changes: dict[str, Any] = {}
    if name is not None:
        other = rows.projects.find(name=name)
        if other is not None and other.key != project.key:
            raise Invalid(("body", "name"), f"there is a project named `{name}` already")
        changes["name"] = name
    if active_config_id is not None:
        config = rows.configs.find(id=active_config_id)
        if config is None:
            raise NotFound("config", active_config_id)
        if config.project != project.key:
            raise Invalid(("body", "active_config_id"), f"`{active_config_id}` is a config of another project")
        changes["active_config"] = config.key
        rows.configs.put(msgspec.structs.replace(config, status="committed"))
    if directory_id is not None:
        changes["directory_id"] = directory_id
    rows.projects.put(msgspec.structs.replace(project, **changes, updated_at=now))
    rows.projects.flush()
    rows.configs.flush()


def delete_project(tx: Connection, *, id: str, now: int) -> bool:
    """Deletes a project with its configs and logs; logs of other projects below those become roots.

    A large project goes piece by piece, so that the writer has time for others.

    Returns:
        Whether it is gone. If not, a part of its logs is, and this is to be called again.

    Raises:
        NotFound: There is no such project.
    """
    key = tx.execute(select(projects.c.key).where(projects.c.id == id)).scalar_one_or_none()
    if key is None:
        raise NotFound("project", id)
    ids = tx.execute(select(logs.c.id).where(logs.c.project == key).limit(SLICE)).scalars().all()
    delete_logs(tx, ids=ids, now=now)
    if len(ids) == SLICE:
        return False
    tx.execute(delete(configs).where(configs.c.project == key))
    tx.execute(delete(projects).where(projects.c.key == key))
    return True


def delete_old(tx: Connection, *, before: int, now: int) -> int:
    """Deletes some of the logs that ended before that moment, and sessions that were left without any.

    Returns:
        How many logs; fewer than `SLICE` when there are no more.
    """
    old = select(logs.c.id).where(logs.c.created_at < before, logs.c.ended_at < before).limit(SLICE)
    ids = tx.execute(old).scalars().all()
    delete_logs(tx, ids=ids, now=now)
    tx.execute(delete(sessions).where(sessions.c.logs == 0, sessions.c.created_at < before))
    return len(ids)

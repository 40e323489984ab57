"""Everything a store holds as JSON lines, and back: a backup that reads as text and fits any database.

Each line is an object with one name, which says what it is: `project`, `version`, `session`, `log`, `attachment`, in
that order.
Ids stay what they were. What is there already is left alone, so an archive may be read again, or into a store in use.
API keys are not part of it.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, cast

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, ProgrammingError

from otel_humanloop import v4
from otel_humanloop.attachments import Attachment, attachment
from otel_humanloop.errors import DecodeError
from otel_humanloop.server import moments
from otel_humanloop.server.failures import RequestFailed
from otel_humanloop.server.feedback import feedback_draft
from otel_humanloop.server.store import Store, attachments, feedback
from otel_humanloop.server.store.records import (
    CONTENT,
    ConfigRow,
    Content,
    FeedbackDraft,
    LogRow,
    ProjectRow,
    SessionRow,
)
from otel_humanloop.server.store.schema import configs, logs, projects, sessions
from otel_humanloop.server.store.workspace import Workspace

PIECE = 500
"""Lines that are read or written at once."""
_LARGE = 8 * 1024 * 1024
"""Bytes of lines after which no more are read at once."""


_PLAIN = ("id", "reference_id", "parent_reference_id", *(
    "created_at", "started_at", "ended_at", "updated_at", "duration", "prompt_tokens", "output_tokens",
    "prompt_cost", "output_cost", "failed", "saved", "source", "environment",
))  # fmt: skip
_KINDS: tuple[str, ...] = ("project", "version", "session", "log", "attachment")
_parent = logs.alias("parent")


def written(store: Store) -> Iterator[bytes]:
    """The lines, each with its end."""
    for work in (_projects, _versions, _sessions, _logs):
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


def read(store: Store, lines: Iterable[bytes]) -> dict[str, int]:
    """Puts lines into a store; returns how many of each kind were new.

    Raises:
        DecodeError: A line is not of this form. What stood before it is in the store.
    """
    count = dict.fromkeys(_KINDS, 0)
    below: dict[str, str] = {}
    for piece in _pieces(lines):
        try:
            made = store.write(partial(_take, lines=piece, below=below))
        except (DataError, IntegrityError, InterfaceError, ProgrammingError) as error:
            raise DecodeError(f"a field of the archive is of another type: {error.orig}") from error
        for kind, number in made.items():
            count[kind] += number
    pairs = list(below.items())
    for start in range(0, len(pairs), PIECE):
        store.write(partial(_hang, pairs=pairs[start : start + PIECE]))
    return count


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


def _sessions(tx: Connection, after: int) -> tuple[list[Any], int | None]:
    rows = tx.execute(select(sessions).where(sessions.c.key > after).order_by(sessions.c.key).limit(PIECE)).all()
    fields = ("id", "reference_id", "created_at", "updated_at")
    lines = [{"session": {field: getattr(row, field) for field in fields}} for row in rows]
    return lines, rows[-1].key if rows else None


def _logs(tx: Connection, after: int) -> tuple[list[Any], int | None]:
    statement = (
        select(
            logs,
            projects.c.id.label("project_id"),
            configs.c.id.label("config_id"),
            sessions.c.id.label("session_id"),
            _parent.c.id.label("parent_id"),
        )
        .join(projects, projects.c.key == logs.c.project)
        .join(configs, configs.c.key == logs.c.config)
        .outerjoin(sessions, sessions.c.key == logs.c.session)
        .outerjoin(_parent, _parent.c.key == logs.c.parent)
        .where(logs.c.key > after)
        .order_by(logs.c.key)
        .limit(PIECE)
    )
    rows = tx.execute(statement).all()
    said = feedback.of_logs(tx, {row.key: row.id for row in rows})
    fields = (*_PLAIN, "project_id", "config_id", "session_id", "parent_id")
    lines = [
        {
            "log": {
                **{field: getattr(row, field) for field in fields},
                "content": msgspec.Raw(row.content),
                "feedback": said.get(row.key, []),
            }
        }
        for row in rows
    ]
    return lines, rows[-1].key if rows else None


def _pieces(lines: Iterable[bytes]) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    piece: list[tuple[str, dict[str, Any]]] = []
    size = 0
    for number, line in enumerate(lines, 1):
        if line.strip():
            piece.append(_line(line, number))
            size += len(line)
        if len(piece) == PIECE or size > _LARGE:
            yield piece
            piece, size = [], 0
    yield piece


def _line(line: bytes, number: int) -> tuple[str, dict[str, Any]]:
    try:
        said: Any = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        raise DecodeError(f"line {number} is not JSON: {error}") from error
    if isinstance(said, dict) and len(cast("dict[str, Any]", said)) == 1:
        ((kind, value),) = cast("dict[str, Any]", said).items()
        known = kind in _KINDS and isinstance(value, dict)
        if known and isinstance(cast("dict[str, Any]", value).get("id"), str):
            return kind, cast("dict[str, Any]", value)
    raise DecodeError(
        f"line {number} is not of an archive: it must hold one {', '.join(_KINDS[:-1])} or {_KINDS[-1]} with an id"
    )


def _take(tx: Connection, lines: list[tuple[str, dict[str, Any]]], below: dict[str, str]) -> dict[str, int]:
    rows = Workspace(tx)
    taking = {"project": _take_project, "version": _take_version, "session": _take_session, "log": _take_log}
    count = dict.fromkeys(_KINDS, 0)
    said: list[tuple[str, LogRow, list[dict[str, Any]]]] = []
    now = moments.now()
    for kind, value in lines:
        try:
            if kind == "attachment":
                count[kind] += attachments.keep(tx, _attachment(value), now=now)
                continue
            made = taking[kind](rows, value)
        except (KeyError, TypeError, ValueError) as error:  # msgspec's are among them
            raise DecodeError(f"a {kind} of the archive cannot be read: {error!r}") from error
        count[kind] += made is not None
        if isinstance(made, LogRow):
            said.append((made.id, made, value.get("feedback", [])))
            if value.get("parent_id") is not None:
                below[made.id] = value["parent_id"]
    rows.flush(now=now)
    given = [(id, log.key, _feedback(each)) for id, log, all_said in said for each in all_said]
    if given:
        feedback.give(tx, given, now=now)
    return count


def _feedback(said: dict[str, Any]) -> FeedbackDraft:
    return msgspec.structs.replace(feedback_draft(msgspec.convert(said, v4.Feedback), ("feedback",)), id=said["id"])


def _attachment(said: dict[str, Any]) -> Attachment:
    made = attachment(b64decode(said["base64"], validate=True), str(said["media_type"]))
    if made.sha256 != said["id"]:
        raise ValueError(f"the bytes of {said['id']} have another hash")
    return made


def _take_project(rows: Workspace, said: dict[str, Any]) -> ProjectRow | None:
    if rows.projects.find(id=said["id"]) is not None or rows.projects.find(name=said["name"]) is not None:
        return None
    fields = ("id", "name", "directory_id", "config_type", "created_at", "updated_at")
    row = {field: said[field] for field in fields}
    return rows.projects.put(ProjectRow(key=rows.projects.new_key(), active_config=None, logs=0, **row))


def _take_version(rows: Workspace, said: dict[str, Any]) -> ConfigRow | None:
    project = rows.projects.find(id=said["project_id"])
    if project is None:
        raise RequestFailed(422, f"the archive's project `{said['project_id']}` is here under another id")
    if rows.configs.find(id=said["id"]) or rows.configs.find(project=project.key, hash=said["hash"]):
        return None
    fields = ("id", "hash", "type", "name", "status", "created_at", "updated_at", "last_used")
    made = ConfigRow(
        key=rows.configs.new_key(),
        project=project.key,
        model=said["config"].get("model"),
        body=msgspec.json.encode(said["config"]),
        logs=0,
        **{field: said[field] for field in fields},
    )
    if project.active_config is None and made.type == "model" and made.status == "committed":
        rows.projects.put(msgspec.structs.replace(project, active_config=made.key))
    return rows.configs.put(made)


def _take_session(rows: Workspace, said: dict[str, Any]) -> SessionRow | None:
    reference = said["reference_id"]
    if rows.sessions.find(id=said["id"]) or (reference and rows.sessions.find(reference_id=reference)):
        return None
    created_at: int = said["created_at"]
    return rows.sessions.put(
        SessionRow(
            key=rows.sessions.new_key(),
            id=said["id"],
            reference_id=reference,
            logs=0,
            first_log=None,
            last_log=None,
            started_at=created_at,
            ended_at=created_at,
            prompt_tokens=0,
            output_tokens=0,
            cost=0,
            errors=0,
            created_at=created_at,
            updated_at=said["updated_at"],
        )
    )


def _take_log(rows: Workspace, said: dict[str, Any]) -> LogRow | None:
    if rows.logs.find(id=said["id"]) is not None:
        return None
    project, config = rows.projects.find(id=said["project_id"]), rows.configs.find(id=said["config_id"])
    session = None if said["session_id"] is None else rows.sessions.find(id=said["session_id"])
    if project is None or config is None or (session is None and said["session_id"] is not None):
        raise RequestFailed(422, f"the project, version or session of `{said['id']}` is here under another id")
    log = LogRow(
        key=rows.logs.new_key(),
        project=project.key,
        config=config.key,
        session=None if session is None else session.key,
        parent=None,
        **{field: said[field] for field in _PLAIN},
    )
    content = {name: msgspec.Raw(msgspec.json.encode(v)) for name, v in said["content"].items() if name in CONTENT}
    return rows.put_log(log, Content(**content))


def _hang(tx: Connection, pairs: list[tuple[str, str]]) -> None:
    """Puts logs below their parents, now that all are there."""
    rows = Workspace(tx)
    rows.expect_logs([id for pair in pairs for id in pair])
    for child_id, parent_id in pairs:
        child, parent = rows.logs.find(id=child_id), rows.logs.find(id=parent_id)
        if child is not None and parent is not None:
            rows.put_log(msgspec.structs.replace(child, parent=parent.key))
    rows.flush(now=moments.now())

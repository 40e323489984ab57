"""An archive's lines into a store. What is there already is left alone, so lines may be read again.

A store in use may hold the same under another id: a project of the same name, a version of the same hash, a session or
a log of the same reference. Then the archive's is taken to be that one, and what belongs to it goes there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from otel_humanloop import v4
from otel_humanloop.attachments import attachment
from otel_humanloop.errors import HumanloopError
from otel_humanloop.server import moments
from otel_humanloop.server.archive.shapes import Attachment, Deployment, Log, Project, Session, Version, held_in
from otel_humanloop.server.contract import EnvironmentRequest
from otel_humanloop.server.failures import RequestFailed
from otel_humanloop.server.feedback import feedback_draft
from otel_humanloop.server.store import Store, attachments, feedback, versions
from otel_humanloop.server.store.making import add_session
from otel_humanloop.server.store.records import ConfigRow, FeedbackDraft, LogRow, ProjectRow
from otel_humanloop.server.store.rows import Rows
from otel_humanloop.server.store.workspace import Workspace
from otel_humanloop.server.tally import Tally

_PIECE = 500
"""Lines that are written at once."""
_LARGE = 8 * 1024 * 1024
"""Bytes of lines after which no more are written at once."""

_ROW = tuple(field for field in LogRow.__struct_fields__ if field in Log.__struct_fields__)
"""Fields that a log's line and its row have in common."""


class _Known(msgspec.Struct, kw_only=True):
    """What was found out on the way, by the archive's ids.

    Attributes:
        projects, versions, sessions, logs: Those that are here under another id: which.
        active: By version, the project that has it deployed.
        below: By log, its parent.
    """

    projects: dict[str, str] = {}
    versions: dict[str, str] = {}
    sessions: dict[str, str] = {}
    logs: dict[str, str] = {}
    active: dict[str, str] = {}
    below: dict[str, str] = {}


def read(store: Store, lines: Iterable[bytes]) -> Tally:
    """Puts lines into a store. One that cannot be taken is refused by its number; the others are taken."""
    tally, known = Tally(), _Known()
    for piece in _pieces(lines, tally):
        _put(store, piece, known, tally)
    pairs = [(child, known.logs.get(parent, parent)) for child, parent in known.below.items()]
    for start in range(0, len(pairs), _PIECE):
        store.write(partial(_hang, pairs=pairs[start : start + _PIECE]))
    return tally


_Numbered = tuple[int, str, Any]


def _pieces(lines: Iterable[bytes], tally: Tally) -> Iterator[list[_Numbered]]:
    piece: list[_Numbered] = []
    size = 0
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                piece.append((number, *held_in(line)))
            except (ValueError, UnicodeDecodeError, RecursionError) as error:
                tally.refuse(f"line {number}", f"not of an archive: {error}")
            size += len(line)
        if len(piece) == _PIECE or size > _LARGE:
            yield piece
            piece, size = [], 0
    yield piece


def _put(store: Store, piece: list[_Numbered], known: _Known, tally: Tally) -> None:
    """Writes a piece; where the database refuses that, line by line, so that only what it refuses is lost."""
    try:
        taken = store.write(partial(_take, piece=piece, known=known))
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        if len(piece) == 1:
            tally.refuse(f"line {piece[0][0]}", f"the database does not take it: {error.orig}")
            return
        for line in piece:
            _put(store, [line], known, tally)
        return
    for kind, count in taken.made.items():
        tally.take(kind, count)
    for number, reason in taken.refused:
        tally.refuse(f"line {number}", reason)
    for note in taken.notes:
        tally.note(note)


class _Taken(msgspec.Struct, kw_only=True):
    """What came of a piece."""

    made: Counter[str]
    refused: list[tuple[int, str]] = []
    notes: list[str] = []


def _take(tx: Connection, piece: list[_Numbered], known: _Known) -> _Taken:
    rows = Workspace(tx)
    taken = _Taken(made=Counter())
    tables: dict[str, Rows[Any]] = {
        "project": rows.projects,
        "version": rows.configs,
        "session": rows.sessions,
        "log": rows.logs,
    }
    for kind, table in tables.items():
        table.expect("id", [held.id for _, of, held in piece if of == kind])
    now = moments.now()
    takers: dict[str, Callable[[Workspace, Any, _Known, _Taken], int | None]] = {
        "project": _project,
        "version": _version,
        "session": _session,
        "log": _log,
    }
    later: list[tuple[int, str, Any]] = []
    said: list[tuple[str, int, FeedbackDraft]] = []
    for number, kind, held in piece:
        if kind not in takers:
            later.append((number, kind, held))
            continue
        try:
            words = [_feedback(word) for word in held.feedback] if kind == "log" else []
            key = takers[kind](rows, held, known, taken)
        except (HumanloopError, msgspec.ValidationError, KeyError) as error:
            taken.refused.append((number, f"the {kind} cannot be taken: {error}"))
            continue
        if key is not None:
            taken.made[kind] += 1
            said.extend((held.id, key, word) for word in words)
    rows.flush(now=now)
    if said:
        feedback.give(tx, said, now=now)
    for number, kind, held in later:
        try:
            taken.made[kind] += (_deployment if kind == "deployment" else _attachment)(tx, held, known, now)
        except HumanloopError as error:
            taken.refused.append((number, f"the {kind} cannot be taken: {error}"))
    return taken


def _feedback(said: dict[str, Any]) -> FeedbackDraft:
    made = feedback_draft(msgspec.convert(said, v4.Feedback), ("feedback",))
    return msgspec.structs.replace(made, id=str(said["id"]))


def _project(rows: Workspace, held: Project, known: _Known, taken: _Taken) -> int | None:
    if held.active_config_id is not None:
        known.active[held.active_config_id] = held.id
    if rows.projects.find(id=held.id) is not None:
        return None
    same = rows.projects.find(name=held.name)
    if same is not None:
        known.projects[held.id] = same.id
        taken.notes.append(f"the project `{held.name}` is here as {same.id}: what is new of it was put there")
        return None
    row = ProjectRow(
        key=rows.projects.new_key(),
        id=held.id,
        name=held.name,
        directory_id=held.directory_id,
        config_type=held.config_type,
        active_config=None,
        logs=0,
        created_at=held.created_at,
        updated_at=held.updated_at,
    )
    return rows.projects.put(row).key


def _version(rows: Workspace, held: Version, known: _Known, _: _Taken) -> int | None:
    project = rows.projects.find(id=known.projects.get(held.project_id, held.project_id))
    if project is None:
        raise RequestFailed(422, f"its project `{held.project_id}` is neither in the archive nor here")
    if rows.configs.find(id=held.id) is not None:
        return None
    same = rows.configs.find(project=project.key, hash=held.hash)
    if same is not None:
        known.versions[held.id] = same.id
        return None
    model: Any = held.config.get("model")
    made = rows.configs.put(
        ConfigRow(
            key=rows.configs.new_key(),
            id=held.id,
            project=project.key,
            hash=held.hash,
            type=held.type,
            name=held.name,
            model=model if held.type == "model" and isinstance(model, str) else None,
            status=held.status,
            body=msgspec.json.encode(held.config),
            logs=0,
            created_at=held.created_at,
            updated_at=held.updated_at,
            last_used=held.last_used,
        )
    )
    if project.active_config is None and known.active.get(held.id) == project.id:
        rows.projects.put(msgspec.structs.replace(project, active_config=made.key))
    return made.key


def _session(rows: Workspace, held: Session, known: _Known, _: _Taken) -> int | None:
    if rows.sessions.find(id=held.id) is not None:
        return None
    same = None if held.reference_id is None else rows.sessions.find(reference_id=held.reference_id)
    if same is not None:
        known.sessions[held.id] = same.id
        return None
    made = add_session(rows.sessions, held.reference_id, now=held.created_at)
    return rows.sessions.put(msgspec.structs.replace(made, id=held.id, updated_at=held.updated_at)).key


def _log(rows: Workspace, held: Log, known: _Known, _: _Taken) -> int | None:
    if rows.logs.find(id=held.id) is not None:
        return None
    project = rows.projects.find(id=known.projects.get(held.project_id, held.project_id))
    config = rows.configs.find(id=known.versions.get(held.config_id, held.config_id))
    session = None
    if held.session_id is not None:
        session = rows.sessions.find(id=known.sessions.get(held.session_id, held.session_id))
    if project is None or config is None or (session is None and held.session_id is not None):
        raise RequestFailed(422, "its project, version or session is neither in the archive nor here")
    if session is not None and held.reference_id is not None:
        same = rows.log_in(session.key, held.reference_id)
        if same is not None:
            known.logs[held.id] = same.id
            return None
    if held.parent_id is not None:
        known.below[held.id] = held.parent_id
    fields: dict[str, Any] = {field: getattr(held, field) for field in _ROW}
    keys: dict[str, Any] = {
        "project": project.key,
        "config": config.key,
        "session": None if session is None else session.key,
    }
    made = LogRow(key=rows.logs.new_key(), parent=None, **{**fields, **keys})
    return rows.put_log(made, held.content).key


def _deployment(tx: Connection, held: Deployment, known: _Known, now: int) -> bool:
    """Puts a version into an environment other than the default one, unless the project has one there."""
    project = known.projects.get(held.project_id, held.project_id)
    there = {each.environment_name: each.model_config_id for each in versions.deployments_of(tx, project)}
    if there.get(held.environment) is not None:
        return False
    place = EnvironmentRequest(id=held.id, name=held.environment)
    versions.deploy(tx, project, known.versions.get(held.config_id, held.config_id), [place], now=now)
    return True


def _attachment(tx: Connection, held: Attachment, _: _Known, now: int) -> bool:
    made = attachment(held.base64, held.media_type)
    if made.sha256 != held.id:
        raise RequestFailed(422, f"the bytes of {held.id} have another hash")
    return bool(attachments.keep(tx, made, now=now))


def _hang(tx: Connection, pairs: list[tuple[str, str]]) -> None:
    """Puts logs below their parents, now that all are there."""
    rows = Workspace(tx)
    rows.expect_logs([id for pair in pairs for id in pair])
    for child_id, parent_id in pairs:
        child, parent = rows.logs.find(id=child_id), rows.logs.find(id=parent_id)
        if child is not None and parent is not None:
            rows.put_log(msgspec.structs.replace(child, parent=parent.key))
    rows.flush(now=moments.now())

"""What stands in the store, as the contract answers it. Lists never count rows: counts are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from otel_humanloop import v4
from otel_humanloop.server.store import feedback
from otel_humanloop.server.store.packing import unpack
from otel_humanloop.server.store.records import CONTENT, Content
from otel_humanloop.server.store.schema import configs, contents, logs, projects, session_projects, sessions

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_CONTENT = msgspec.json.Decoder(Content)
_NO_INPUTS = msgspec.Raw(b"{}")

TEAM_ID = "tm_otelhumanloopserver00"
"""Everybody who reaches this server is one team."""

FEEDBACK_TYPES: list[dict[str, Any]] = [
    {
        "type": "rating",
        "values": [{"value": "good", "sentiment": "positive"}, {"value": "bad", "sentiment": "negative"}],
    },
    {"type": "action", "values": []},
    {"type": "issue", "values": []},
    {"type": "correction"},
    {"type": "comment"},
]
"""The feedback every project takes."""

_FILE_TYPES = {"model": "prompt", "tool": "tool", "evaluator": "evaluator"}


def timestamp(microseconds: int) -> str:
    """ISO 8601 in UTC, to the microsecond."""
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat()


class Window(msgspec.Struct, frozen=True):
    """Which part of a list: `size` records after `offset`; `page` is the number that was asked for."""

    page: int
    size: int
    offset: int


def content_of(kept: bytes) -> Content:
    """A content as the store keeps it."""
    return _CONTENT.decode(unpack(kept))


# Logs

_parent = logs.alias("parent")


def logs_with(*columns: ColumnElement[Any]) -> Select[Any]:
    """Logs with their contents and the ids of their project, config, session and parent; and with columns of these."""
    return (
        select(
            logs,
            projects.c.id.label("project_id"),
            configs.c.id.label("config_id"),
            sessions.c.id.label("session_id"),
            _parent.c.id.label("parent_id"),
            contents.c.content,
            *columns,
        )
        .join(contents, contents.c.log == logs.c.key)
        .join(projects, projects.c.key == logs.c.project)
        .join(configs, configs.c.key == logs.c.config)
        .outerjoin(sessions, sessions.c.key == logs.c.session)
        .outerjoin(_parent, _parent.c.key == logs.c.parent)
    )


def _log_statement() -> Select[Any]:
    return logs_with(
        projects.c.name.label("project_name"),
        configs.c.body.label("config_body"),
        sessions.c.reference_id.label("session_reference_id"),
    )


def log(tx: Connection, *, id: str | None = None, key: int | None = None) -> v4.LogResponse | None:
    """One log, by id or key."""
    where = logs.c.id == id if id is not None else logs.c.key == key
    rows = tx.execute(_log_statement().where(where)).all()
    return _log_responses(tx, rows)[0] if rows else None


def logs_of_session(tx: Connection, session: ColumnElement[bool], window: Window) -> v4.Page[v4.LogResponse] | None:
    """A session's logs in the order they started; None if there is no such session."""
    row = tx.execute(select(sessions.c.key, sessions.c.logs).where(session)).one_or_none()
    if row is None:
        return None
    return log_page(tx, logs.c.session == row.key, (logs.c.started_at, logs.c.key), window, row.logs)


def log_page(
    tx: Connection, where: ColumnElement[bool], order: Sequence[ColumnElement[Any]], window: Window, total: int
) -> v4.Page[v4.LogResponse]:
    """A page of the logs that `where` leaves; `total` of them there are."""
    statement = _log_statement().where(where).order_by(*order).limit(window.size).offset(window.offset)
    records = _log_responses(tx, tx.execute(statement).all())
    return v4.Page(records=records, page=window.page, size=window.size, total=total)


def _log_responses(tx: Connection, rows: Sequence[Row[Any]]) -> list[v4.LogResponse]:
    said = feedback.of_logs(tx, {row.key: row.id for row in rows})
    return [_log_response(row, said.get(row.key)) for row in rows]


def _log_response(row: Row[Any], said: list[v4.FeedbackResponse] | None) -> v4.LogResponse:
    content = content_of(row.content)
    fields: dict[str, Any] = {field: getattr(content, field) for field in CONTENT}
    if row.saved and content.inputs is msgspec.UNSET:
        fields["inputs"] = _NO_INPUTS
    counted = row.prompt_tokens is not None or row.output_tokens is not None
    return v4.LogResponse(
        id=row.id,
        config=msgspec.Raw(row.config_body),
        evaluation_results=[],
        observability_status="completed",
        updated_at=timestamp(row.updated_at),
        project=row.project_name,
        project_id=row.project_id,
        config_id=row.config_id,
        created_at=timestamp(row.created_at),
        started_at=timestamp(row.started_at),
        session_id=row.session_id,
        session_reference_id=row.session_reference_id,
        parent_id=row.parent_id,
        parent_reference_id=row.parent_reference_id,
        reference_id=row.reference_id,
        duration=row.duration,
        source=row.source,
        environment=row.environment,
        save=row.saved,
        prompt_tokens=row.prompt_tokens,
        output_tokens=row.output_tokens,
        tokens=(row.prompt_tokens or 0) + (row.output_tokens or 0) if counted else None,
        prompt_cost=row.prompt_cost,
        output_cost=row.output_cost,
        feedback=said,
        **fields,
    )


# Sessions


def session(tx: Connection, id: str) -> v4.SessionResponse | None:
    """One session, by id."""
    rows = tx.execute(select(sessions).where(sessions.c.id == id)).all()
    return _session_responses(tx, rows)[0] if rows else None


def session_list(
    tx: Connection, window: Window, *, project_id: str | None = None, reference_id: str | None = None
) -> v4.Page[v4.SessionResponse] | None:
    """Sessions, the last to start first; None if there is no such project."""
    statement = select(sessions)
    count = select(func.count()).select_from(sessions)
    order = (sessions.c.started_at.desc(), sessions.c.key.desc())
    if project_id is not None:
        project = tx.execute(select(projects.c.key).where(projects.c.id == project_id)).scalar_one_or_none()
        if project is None:
            return None
        members = session_projects.c
        statement = statement.join(session_projects, members.session == sessions.c.key).where(
            members.project == project
        )
        count = select(func.count()).select_from(session_projects).where(members.project == project)
        order = (members.started_at.desc(), members.session.desc())
    if reference_id is not None:
        statement = statement.where(sessions.c.reference_id == reference_id)
        count = select(func.count()).select_from(statement.subquery())
    total = tx.execute(count).scalar_one()
    rows = tx.execute(statement.order_by(*order).limit(window.size).offset(window.offset)).all()
    return v4.Page(records=_session_responses(tx, rows), page=window.page, size=window.size, total=total)


def _session_responses(tx: Connection, rows: Sequence[Row[Any]]) -> list[v4.SessionResponse]:
    ends = {key for row in rows for key in (row.first_log, row.last_log) if key is not None}
    ended = tx.execute(select(contents.c.log, contents.c.content).where(contents.c.log.in_(ends)))
    said = {key: content_of(kept) for key, kept in ended}
    members: dict[int, list[v4.SessionProjectResponse]] = {row.key: [] for row in rows}
    for member in tx.execute(
        select(session_projects.c.session, projects.c.id, projects.c.name, projects.c.config_type)
        .join(projects, projects.c.key == session_projects.c.project)
        .where(session_projects.c.session.in_(members))
        .order_by(session_projects.c.started_at, projects.c.key)
    ):
        kind = _FILE_TYPES.get(member.config_type, "flow")
        members[member.session].append(v4.SessionProjectResponse(id=member.id, name=member.name, type=kind))
    return [_session_response(row, members[row.key], said) for row in rows]


def _session_response(
    row: Row[Any], members: list[v4.SessionProjectResponse], said: dict[int, Content]
) -> v4.SessionResponse:
    first, last = said.get(row.first_log), said.get(row.last_log)
    return v4.SessionResponse(
        id=row.id,
        projects=members,
        datapoints_count=row.logs,
        created_at=timestamp(row.created_at),
        updated_at=timestamp(row.updated_at),
        reference_id=row.reference_id,
        first_inputs=first.inputs if first is not None else msgspec.UNSET,
        last_output=last.output if last is not None else msgspec.UNSET,
        started_at=timestamp(row.started_at),
        ended_at=timestamp(row.ended_at),
        prompt_tokens=row.prompt_tokens if row.counted else None,
        output_tokens=row.output_tokens if row.counted else None,
        cost=row.cost / 1e12 if row.priced else None,
        errors_count=row.errors,
    )


# Projects


def project(tx: Connection, id: str) -> v4.ProjectResponse | None:
    """One project, by id."""
    row = tx.execute(_project_statement().where(projects.c.id == id)).one_or_none()
    return None if row is None else _project_response(row)


def project_list(
    tx: Connection, window: Window, *, name: str | None, sort_by: str, descending: bool
) -> v4.Page[v4.ProjectResponse]:
    """Projects whose name contains `name`, in any case, by `created_at`, `updated_at` or `name`."""
    columns = (projects.c[sort_by], projects.c.key)
    order = [column.desc() if descending else column.asc() for column in columns]
    statement = _project_statement().order_by(*order)
    if name is None:
        total = tx.execute(select(func.count()).select_from(projects)).scalar_one()
        statement = statement.limit(window.size).offset(window.offset)
    else:
        # of letters beyond ASCII a database may not know which is the small one
        all_names = tx.execute(select(projects.c.key, projects.c.name).order_by(*order))
        found = [key for key, other in all_names if name.casefold() in other.casefold()]
        total = len(found)
        statement = statement.where(projects.c.key.in_(found[window.offset : window.offset + window.size]))
    records = [_project_response(row) for row in tx.execute(statement)]
    return v4.Page(records=records, page=window.page, size=window.size, total=total)


def _project_statement() -> Select[Any]:
    version = [
        column.label(f"config_{column.name}")
        for column in (configs.c.body, configs.c.logs, configs.c.created_at, configs.c.updated_at, configs.c.last_used)
    ]
    return select(projects, *version).outerjoin(configs, configs.c.key == projects.c.active_config)


def _project_response(row: Row[Any]) -> v4.ProjectResponse:
    active = None
    if row.config_body is not None:
        active = v4.ProjectConfigResponse(
            project_id=row.id,
            project_name=row.name,
            created_at=timestamp(row.config_created_at),
            updated_at=timestamp(row.config_updated_at),
            last_used=timestamp(row.config_last_used),
            config=msgspec.Raw(row.config_body),
            num_datapoints=row.config_logs,
        )
    return v4.ProjectResponse(
        id=row.id,
        name=row.name,
        users=[],
        data_count=row.logs,
        feedback_types=FEEDBACK_TYPES,
        team_id=TEAM_ID,
        created_at=timestamp(row.created_at),
        updated_at=timestamp(row.updated_at),
        config_type=row.config_type,
        active_config=active,
        directory_id=row.directory_id,
    )

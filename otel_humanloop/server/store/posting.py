"""What it means to log: the rules of sessions, parents and retries, applied to a whole body or not at all.

- A log is named by its reference within its session. Posting the name again changes that log: what is given replaces
  what is kept, so every retry is safe.
- A parent named by reference may come later: the log waits, at the top of its session, and is hung up when it comes.
- A log without a session is in its parent's.
- The start of a log is set when it is posted, and a patch does not move it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from otel_humanloop.server.failures import Invalid, Loc, NotFound
from otel_humanloop.server.store.ids import new_id
from otel_humanloop.server.store.records import (
    ConfigDraft,
    ConfigRow,
    Content,
    LogDraft,
    LogRow,
    Posted,
    ProjectRow,
    SessionRow,
)
from otel_humanloop.server.store.workspace import Workspace

_KEPT = ("duration", "source", "environment", "prompt_tokens", "output_tokens", "prompt_cost", "output_cost")
"""Fields that a draft and a row have in common, under one name."""


def post(
    tx: Connection, drafts: Sequence[LogDraft], *, now: int, strict_parents: bool = False, single: bool = False
) -> list[Posted]:
    """Logs a body of drafts, in order.

    Args:
        now: Microseconds since the epoch.
        strict_parents: A parent that does not exist is an error.
        single: The body was one object, not an array; only errors show the difference.

    Raises:
        Invalid: A draft contradicts what is kept, or says too little.
        NotFound: It names a project, session, config or parent by an id that does not exist.
    """
    posting = _Posting(Workspace(tx), now)
    posting.rows.expect(drafts)
    keys: list[int] = []
    for index, draft in enumerate(drafts):
        try:
            keys.append(posting.take(draft).key)
        except Invalid as error:
            raise error.within(_loc(index, single)) from error
    if strict_parents:
        for index, (draft, key) in enumerate(zip(drafts, keys, strict=True)):
            if draft.parent_reference_id is not None and posting.rows.logs.get(key).parent is None:
                message = f"no log has the reference_id `{draft.parent_reference_id}`"
                raise Invalid((*_loc(index, single), "parent_reference_id"), message)
    posting.rows.flush(now=now)
    return [posting.posted(key) for key in keys]


def _loc(index: int, single: bool) -> Loc:
    return ("body",) if single else ("body", index)


class _Posting:
    """One body on its way in."""

    def __init__(self, rows: Workspace, now: int) -> None:
        self.rows = rows
        self._now = now

    def posted(self, key: int) -> Posted:
        log = self.rows.logs.get(key)
        session = None if log.session is None else self.rows.sessions.get(log.session).id
        return Posted(id=log.id, project_id=self.rows.projects.get(log.project).id, session_id=session)

    def take(self, draft: LogDraft) -> LogRow:
        """Adds or changes one log, and puts it in its place."""
        stated = self._session(draft)
        parent = self._parent(draft, stated)
        session = stated if stated is not None else parent.session if parent is not None else None
        log = self._named(draft, session, stated)
        if log is None:
            log = self._add(draft, session)
        else:
            log = self._change(log, draft)
            if log.session != session and session is not None:
                log = self._enter(log, session)
        if draft.parent_id is not None or draft.parent_reference_id is not None:
            log = self._hang(log, parent, draft.parent_reference_id)
        self._gather(log)
        return self.rows.logs.get(log.key)

    # Where it belongs

    def _session(self, draft: LogDraft) -> int | None:
        if draft.session_id is not None:
            session = self.rows.sessions.find(id=draft.session_id)
            if session is None:
                raise NotFound("session", draft.session_id)
            return session.key
        if draft.session_reference_id is not None:
            session = self.rows.sessions.find(reference_id=draft.session_reference_id)
            return (session or self._new_session(draft.session_reference_id)).key
        return None

    def _new_session(self, reference: str) -> SessionRow:
        return self.rows.sessions.put(new_session(self.rows.sessions.new_key(), reference, now=self._now))

    def _parent(self, draft: LogDraft, session: int | None) -> LogRow | None:
        if draft.parent_id is not None:
            parent = self.rows.logs.find(id=draft.parent_id)
            if parent is None:
                raise NotFound("log", draft.parent_id)
            if session is not None and parent.session != session:
                raise Invalid(("parent_id",), f"`{draft.parent_id}` is not in the session this log is posted to")
            return parent
        if draft.parent_reference_id is not None:
            if draft.parent_reference_id == draft.reference_id:
                raise Invalid(("parent_reference_id",), "a log cannot be its own parent")
            if session is None:
                return self.rows.newest_log(draft.parent_reference_id)
            return self.rows.log_in(session, draft.parent_reference_id)
        return None

    def _named(self, draft: LogDraft, session: int | None, stated: int | None) -> LogRow | None:
        """The log this draft is about, if it is there already."""
        if draft.reference_id is None:
            return None
        log = self.rows.log_in(session, draft.reference_id)
        if log is None and stated is None and session is not None:
            return self.rows.log_in(None, draft.reference_id)  # posted before its parent was known
        return log

    # What it says

    def _add(self, draft: LogDraft, session: int | None) -> LogRow:
        project = self._project(draft)
        if project is None:
            raise Invalid(("project",), "either `project` or `project_id` must be provided", kind="value_error.missing")
        config = self._config(draft, project)
        if config is None:
            raise Invalid(("config",), "field required unless `config_id` is provided", kind="value_error.missing")
        created_at = self._now if draft.created_at is None else draft.created_at
        started_at = created_at - _microseconds(draft.duration)
        saved = draft.save is not False
        log = LogRow(
            key=self.rows.logs.new_key(),
            id=new_id("data"),
            project=project.key,
            config=config.key,
            session=session,
            reference_id=draft.reference_id,
            parent=None,
            parent_reference_id=None,
            created_at=created_at,
            started_at=started_at,
            ended_at=created_at,
            updated_at=self._now,
            failed=draft.content.error is not msgspec.UNSET,
            saved=saved,
            **{field: getattr(draft, field) for field in _KEPT},
        )
        return self.rows.put_log(log, draft.content if saved else draft.content.without_payload())

    def _change(self, log: LogRow, draft: LogDraft) -> LogRow:
        changes: dict[str, Any] = {field: value for field in _KEPT if (value := getattr(draft, field)) is not None}
        project = self._project(draft) or self.rows.projects.get(log.project)
        config = self._config(draft, project)
        if config is not None:
            changes.update(project=project.key, config=config.key)
        elif project.key != log.project:
            moved = self._version(project, config_draft(self.rows.configs.get(log.config)))
            changes.update(project=project.key, config=moved.key)
        if draft.created_at is not None:
            changes.update(created_at=draft.created_at, started_at=draft.created_at - _microseconds(draft.duration))
        if draft.save is not None:
            changes.update(saved=draft.save)
        return rewrite(self.rows, log, changes, draft.content, now=self._now)

    def _project(self, draft: LogDraft) -> ProjectRow | None:
        if draft.project_id is not None:
            project = self.rows.projects.find(id=draft.project_id)
            if project is None:
                raise NotFound("project", draft.project_id)
            return project
        if draft.project is None:
            return None
        project = self.rows.projects.find(name=draft.project)
        return project or self.rows.projects.put(
            new_project(self.rows.projects.new_key(), draft.project, None, now=self._now)
        )

    def _config(self, draft: LogDraft, project: ProjectRow) -> ConfigRow | None:
        if draft.config_id is not None:
            config = self.rows.configs.find(id=draft.config_id)
            if config is None:
                raise NotFound("config", draft.config_id)
            if config.project != project.key:
                raise Invalid(("config_id",), f"`{draft.config_id}` is a config of another project")
            return config
        return None if draft.config is None else self._version(project, draft.config)

    def _version(self, project: ProjectRow, draft: ConfigDraft) -> ConfigRow:
        config = self.rows.configs.find(project=project.key, hash=draft.hash)
        if config is not None:
            return config
        id = new_id("config")
        config = self.rows.configs.put(
            ConfigRow(
                key=self.rows.configs.new_key(),
                id=id,
                project=project.key,
                hash=draft.hash,
                type=draft.type,
                name=draft.name,
                body=msgspec.json.encode({"id": id, **draft.body}),
                logs=0,
                created_at=self._now,
                updated_at=self._now,
                last_used=self._now,
            )
        )
        first = project.active_config is None and draft.type == "model"
        if first or project.config_type is None:
            self.rows.projects.put(
                msgspec.structs.replace(
                    self.rows.projects.get(project.key),
                    active_config=config.key if first else project.active_config,
                    config_type=project.config_type or draft.type,
                )
            )
        return config

    # Its place in the tree

    def _hang(self, log: LogRow, parent: LogRow | None, reference: str | None) -> LogRow:
        if parent is not None and log.key in self._line(parent):
            raise Invalid(
                ("parent_id" if reference is None else "parent_reference_id",),
                "the parent is a descendant of this log",
            )
        parent_key = None if parent is None else parent.key
        if (log.parent, log.parent_reference_id) == (parent_key, reference):
            return log
        return self.rows.put_log(
            msgspec.structs.replace(log, parent=parent_key, parent_reference_id=reference, updated_at=self._now)
        )

    def _line(self, log: LogRow) -> set[int]:
        """Keys of the log and of all above it."""
        keys = {log.key}
        while log.parent is not None:
            log = self.rows.logs.get(log.parent)
            keys.add(log.key)
        return keys

    def _gather(self, log: LogRow) -> None:
        """Hangs up the logs that have waited for this one, which brings those without a session into its session."""
        waiting = self.rows.waiting_for(log)
        if not waiting:
            return
        line = self._line(log)
        for child in waiting:
            if child.key in line:
                raise Invalid(("parent_reference_id",), "the parent is a descendant of this log")
            if self._collides(child, log.session):
                continue
            self.rows.put_log(msgspec.structs.replace(child, parent=log.key, updated_at=self._now))
            if child.session is None and log.session is not None:
                self._enter(self.rows.logs.get(child.key), log.session)

    def _enter(self, log: LogRow, session: int) -> LogRow:
        """Brings a log that had no session, and all below it, into one."""
        arriving = [log]
        while arriving:
            row = arriving.pop()
            below = [child for child in self.rows.children(row) if child.session is None]
            if self._collides(row, session):
                self.rows.put_log(msgspec.structs.replace(row, parent=None, updated_at=self._now))
                continue
            row = self.rows.put_log(msgspec.structs.replace(row, session=session, updated_at=self._now))
            arriving.extend(below)
            self._gather(row)
        return self.rows.logs.get(log.key)

    def _collides(self, log: LogRow, session: int | None) -> bool:
        """Another log of the session has this log's reference already."""
        if log.reference_id is None or session is None or log.session == session:
            return False
        return self.rows.log_in(session, log.reference_id) is not None


def rewrite(rows: Workspace, log: LogRow, changes: dict[str, Any], content: Content, *, now: int) -> LogRow:
    """Puts changed fields and given content in place of what a log has; its end follows from start and duration."""
    log = msgspec.structs.replace(log, **changes, updated_at=now)
    log = msgspec.structs.replace(
        log,
        ended_at=log.started_at + _microseconds(log.duration),
        failed=log.failed or content.error is not msgspec.UNSET,
    )
    merged = content.over(rows.content(log))
    return rows.put_log(log, merged if log.saved else merged.without_payload())


def config_draft(config: ConfigRow) -> ConfigDraft:
    """The draft a config was made of."""
    body: dict[str, Any] = msgspec.json.decode(config.body)
    del body["id"]
    return ConfigDraft(type=config.type, name=config.name, hash=config.hash, body=body)


def new_session(key: int, reference: str | None, *, now: int) -> SessionRow:
    """A session without logs."""
    return SessionRow(
        key=key,
        id=new_id("sesh"),
        reference_id=reference,
        logs=0,
        first_log=None,
        last_log=None,
        started_at=now,
        ended_at=now,
        prompt_tokens=0,
        output_tokens=0,
        cost=0,
        errors=0,
        created_at=now,
        updated_at=now,
    )


def new_project(key: int, name: str, directory_id: str | None, *, now: int) -> ProjectRow:
    """A project without logs."""
    return ProjectRow(
        key=key,
        id=new_id("pr"),
        name=name,
        directory_id=directory_id,
        config_type=None,
        active_config=None,
        logs=0,
        created_at=now,
        updated_at=now,
    )


def _microseconds(seconds: float | None) -> int:
    return 0 if seconds is None else round(seconds * 1_000_000)

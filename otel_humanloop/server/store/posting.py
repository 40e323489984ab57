"""What it means to log: the rules of sessions, parents and retries, applied to a whole body or not at all.

- A log is named by its reference within its session. Posting the name again changes that log: what is given replaces
  what is kept, so every retry is safe.
- A parent named by reference may come later: the log waits, at the top of its session, and is hung up when it comes.
- An empty parent reference means none: it puts a log that was posted below another at the top of its session.
- A log without a session is in its parent's.
- The start of a log is set when it is posted, and a patch does not move it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from otel_humanloop.server.failures import Invalid, Loc, NotFound
from otel_humanloop.server.store.feedback import give
from otel_humanloop.server.store.ids import timely_id
from otel_humanloop.server.store.making import add_project, add_session, draft_of, version_of
from otel_humanloop.server.store.placing import enter, gather, hang
from otel_humanloop.server.store.records import (
    ConfigRow,
    Content,
    LogDraft,
    LogRow,
    Posted,
    ProjectRow,
)
from otel_humanloop.server.store.workspace import Workspace

NO_PARENT = ""
"""The `parent_reference_id` of a log that is to have no parent, whatever was said of it before."""

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
            named = draft.parent_reference_id not in (None, NO_PARENT)
            if named and posting.rows.logs.get(key).parent is None:
                message = f"no log has the reference_id `{draft.parent_reference_id}`"
                raise Invalid((*_loc(index, single), "parent_reference_id"), message)
    posting.rows.flush(now=now)
    posted = [posting.posted(key) for key in keys]
    said = [
        (log.id, key, word) for log, key, draft in zip(posted, keys, drafts, strict=True) for word in draft.feedback
    ]
    if said:
        give(tx, said, now=now)
    return posted


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
        reference = None if draft.parent_reference_id == NO_PARENT else draft.parent_reference_id
        log = self._named(draft, session, stated)
        if log is None:
            log = self._add(draft, session, parent, reference)
        else:
            log = self._change(log, draft)
            if log.session is None and session is not None:
                enter(self.rows, log, session, now=self._now)
                log = self.rows.logs.get(log.key)
            if draft.parent_id is not None or draft.parent_reference_id is not None:
                log = hang(self.rows, log, parent, reference, now=self._now)
        gather(self.rows, log, now=self._now)
        return log

    # Where it belongs

    def _session(self, draft: LogDraft) -> int | None:
        if draft.session_id is not None:
            session = self.rows.sessions.find(id=draft.session_id)
            if session is None:
                raise NotFound("session", draft.session_id)
            return session.key
        if draft.session_reference_id is not None:
            session = self.rows.sessions.at(("reference_id",), draft.session_reference_id)
            if session is None:
                session = add_session(self.rows.sessions, draft.session_reference_id, now=self._now)
            return session.key
        return None

    def _parent(self, draft: LogDraft, session: int | None) -> LogRow | None:
        if draft.parent_id is not None:
            parent = self.rows.logs.find(id=draft.parent_id)
            if parent is None:
                raise NotFound("log", draft.parent_id)
            if session is not None and parent.session != session:
                raise Invalid(("parent_id",), f"`{draft.parent_id}` is not in the session this log is posted to")
            return parent
        if draft.parent_reference_id is not None and draft.parent_reference_id != NO_PARENT:
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

    def _add(self, draft: LogDraft, session: int | None, parent: LogRow | None, reference: str | None) -> LogRow:
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
            id=timely_id("data"),
            project=project.key,
            config=config.key,
            session=session,
            reference_id=draft.reference_id,
            parent=None if parent is None else parent.key,
            parent_reference_id=reference,
            created_at=created_at,
            started_at=started_at,
            ended_at=created_at,
            updated_at=self._now,
            failed=draft.content.error is not msgspec.UNSET,
            saved=saved,
            duration=draft.duration,
            source=draft.source,
            environment=draft.environment,
            prompt_tokens=draft.prompt_tokens,
            output_tokens=draft.output_tokens,
            prompt_cost=draft.prompt_cost,
            output_cost=draft.output_cost,
        )
        return self.rows.put_log(log, draft.content if saved else draft.content.without_payload())

    def _change(self, log: LogRow, draft: LogDraft) -> LogRow:
        changes: dict[str, Any] = {field: value for field in _KEPT if (value := getattr(draft, field)) is not None}
        project = self._project(draft) or self.rows.projects.get(log.project)
        config = self._config(draft, project)
        if config is not None:
            changes.update(project=project.key, config=config.key)
        elif project.key != log.project:
            moved = version_of(self.rows, project, draft_of(self.rows.configs.get(log.config)), now=self._now)
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
        project = self.rows.projects.at(("name",), draft.project)
        return project or add_project(self.rows.projects, draft.project, None, now=self._now)

    def _config(self, draft: LogDraft, project: ProjectRow) -> ConfigRow | None:
        if draft.config_id is not None:
            config = self.rows.configs.find(id=draft.config_id)
            if config is None:
                raise NotFound("config", draft.config_id)
            if config.project != project.key:
                raise Invalid(("config_id",), f"`{draft.config_id}` is a config of another project")
            return config
        return None if draft.config is None else version_of(self.rows, project, draft.config, now=self._now)


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


def _microseconds(seconds: float | None) -> int:
    return 0 if seconds is None else round(seconds * 1_000_000)

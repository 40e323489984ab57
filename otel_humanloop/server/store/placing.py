"""A log's place: below its parent, in its parent's session, above the logs that waited for it."""

from __future__ import annotations

import msgspec

from otel_humanloop.server.failures import Invalid
from otel_humanloop.server.store.records import LogRow
from otel_humanloop.server.store.workspace import Workspace


def hang(rows: Workspace, log: LogRow, parent: LogRow | None, reference: str | None, *, now: int) -> LogRow:
    """Puts a log below `parent`, or lets it wait for the parent that has `reference`.

    Raises:
        Invalid: The parent is the log itself or below it.
    """
    key = None if parent is None else parent.key
    if (log.parent, log.parent_reference_id) == (key, reference):
        return log
    if parent is not None and (parent.key == log.key or (rows.children(log) and log.key in _line(rows, parent))):
        field = "parent_id" if reference is None else "parent_reference_id"
        raise Invalid((field,), "the parent is this log itself, or below it")
    return rows.put_log(msgspec.structs.replace(log, parent=key, parent_reference_id=reference, updated_at=now))


def gather(rows: Workspace, log: LogRow, *, now: int) -> None:
    """Puts the logs that have waited for this one below it. Those without a session come into its session.

    Raises:
        Invalid: One of them is above it.
    """
    for child in rows.waiting_for(log):
        if child.key == rows.root(log).key:
            raise Invalid(("parent_reference_id",), "the parent is this log itself, or below it")
        if not _taken(rows, child, log.session):
            child = rows.put_log(msgspec.structs.replace(child, parent=log.key, updated_at=now))
            if child.session is None and log.session is not None:
                enter(rows, child, log.session, now=now)


def enter(rows: Workspace, log: LogRow, session: int, *, now: int) -> None:
    """Brings a log that had no session, and all below it, into one."""
    arriving = [log]
    while arriving:
        row = arriving.pop()
        if _taken(rows, row, session):
            rows.put_log(msgspec.structs.replace(row, parent=None, updated_at=now))
            continue
        arriving.extend(child for child in rows.children(row) if child.session is None)
        gather(rows, rows.put_log(msgspec.structs.replace(row, session=session, updated_at=now)), now=now)


def _line(rows: Workspace, log: LogRow) -> set[int]:
    """Keys of a log and of all above it."""
    keys = {log.key}
    while log.parent is not None:
        log = rows.logs.get(log.parent)
        keys.add(log.key)
    return keys


def _taken(rows: Workspace, log: LogRow, session: int | None) -> bool:
    """Would the log meet another of the same reference in that session?"""
    if log.reference_id is None or session is None or log.session == session:
        return False
    return rows.log_in(session, log.reference_id) is not None

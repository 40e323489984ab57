"""What sessions, projects and configs say about their logs, kept up to date by what each write changes.

Sums move by the difference. First and last move by comparison, and are looked up again only when the log that held the
place has left it. So a list of sessions never counts anything, and the order in which logs arrive leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from otel_humanloop.server.store.records import Change, LogRow, SessionRow
from otel_humanloop.server.store.schema import configs, logs, projects, session_projects

_MOST = 2**63 - 1


class _Moves(msgspec.Struct, frozen=True):
    """The logs that left something and those that came, each as it was or is."""

    gone: list[LogRow]
    come: list[LogRow]


def of_session(tx: Connection, session: SessionRow, changes: Sequence[Change], *, now: int) -> SessionRow:
    """The session's row after `changes`, which are in the table already."""
    moves = _moves(changes, session.key)
    count = session.logs + len(moves.come) - len(moves.gone)
    if count == 0:
        first, started_at, last, ended_at = None, session.created_at, None, session.created_at
    else:
        first, started_at = _first(tx, session, moves)
        last, ended_at = _last(tx, session, moves)
    return msgspec.structs.replace(
        session,
        logs=count,
        first_log=first,
        started_at=started_at,
        last_log=last,
        ended_at=ended_at,
        prompt_tokens=_sum(session.prompt_tokens, moves, lambda log: log.prompt_tokens or 0),
        output_tokens=_sum(session.output_tokens, moves, lambda log: log.output_tokens or 0),
        cost=_sum(session.cost, moves, _cost),
        errors=_sum(session.errors, moves, lambda log: int(log.failed)),
        updated_at=now,
    )


def of_session_projects(tx: Connection, sessions: Iterable[int], changes: Sequence[Change]) -> None:
    """Which projects have logs in each of `sessions` (keys), how many, and since when."""
    table = session_projects
    rows = tx.execute(select(table).where(table.c.session.in_(sorted(sessions)))).all()
    known = {(row.session, row.project): (row.logs, row.started_at) for row in rows}
    touched = {
        (log.session, log.project)
        for change in changes
        for log in (change.before, change.after)
        if log is not None and log.session is not None
    }
    for session, project in sorted(touched):
        of_session = _moves(changes, session)
        moves = _Moves(
            [log for log in of_session.gone if log.project == project],
            [log for log in of_session.come if log.project == project],
        )
        there = (table.c.session == session) & (table.c.project == project)
        if (session, project) not in known:
            if moves.come:
                started_at = min(log.started_at for log in moves.come)
                values = {"session": session, "project": project, "logs": len(moves.come), "started_at": started_at}
                tx.execute(insert(table), values)
            continue
        count, started_at = known[session, project]
        count += len(moves.come) - len(moves.gone)
        if count == 0:
            tx.execute(delete(table).where(there))
            continue
        started_at = min([started_at, *(log.started_at for log in moves.come)])
        if any(log.started_at <= started_at for log in moves.gone):
            mine = (logs.c.session == session) & (logs.c.project == project)
            started_at = tx.execute(select(func.min(logs.c.started_at)).where(mine)).scalar_one()
        tx.execute(update(table).where(there).values(logs=count, started_at=started_at))


def of_projects_and_configs(tx: Connection, changes: Sequence[Change], *, now: int) -> None:
    """How many logs each project and config has, and when it was last used."""
    by_project: dict[int, int] = {}
    by_config: dict[int, int] = {}
    used: set[int] = set()
    for change in changes:
        for log, step in ((change.before, -1), (change.after, +1)):
            if log is not None:
                by_project[log.project] = by_project.get(log.project, 0) + step
                by_config[log.config] = by_config.get(log.config, 0) + step
        if change.before is None and change.after is not None:
            used.add(change.after.config)
    project_steps = [{"at": key, "step": step, "now": now} for key, step in sorted(by_project.items()) if step != 0]
    if project_steps:
        tx.execute(
            update(projects)
            .where(projects.c.key == bindparam("at"))
            .values(logs=projects.c.logs + bindparam("step"), updated_at=bindparam("now")),
            project_steps,
        )
    config_steps = [{"at": key, "step": step} for key, step in sorted(by_config.items()) if step != 0]
    if config_steps:
        tx.execute(
            update(configs).where(configs.c.key == bindparam("at")).values(logs=configs.c.logs + bindparam("step")),
            config_steps,
        )
    if used:
        tx.execute(update(configs).where(configs.c.key.in_(sorted(used))).values(last_used=now))


def _moves(changes: Sequence[Change], session: int | None) -> _Moves:
    return _Moves(
        [change.before for change in changes if change.before is not None and change.before.session == session],
        [change.after for change in changes if change.after is not None and change.after.session == session],
    )


def _first(tx: Connection, session: SessionRow, moves: _Moves) -> tuple[int | None, int]:
    best = min(moves.come, key=lambda log: (log.started_at, log.key), default=None)
    if session.logs == 0 and best is not None:
        return best.key, best.started_at
    if best is not None and best.started_at < session.started_at:
        return best.key, best.started_at
    if all(log.key != session.first_log for log in moves.gone) and (
        best is None or best.started_at > session.started_at
    ):
        return session.first_log, session.started_at
    mine = select(logs.c.key, logs.c.started_at).where(logs.c.session == session.key)
    key, started_at = tx.execute(mine.order_by(logs.c.started_at, logs.c.key).limit(1)).one()
    return key, started_at


def _last(tx: Connection, session: SessionRow, moves: _Moves) -> tuple[int | None, int]:
    """Of several that end at the same moment, the one that started first (it holds the others), then the newest."""
    best = max(moves.come, key=lambda log: (log.ended_at, -log.started_at, log.key), default=None)
    if best is not None and (session.logs == 0 or best.ended_at > session.ended_at):
        return best.key, best.ended_at
    if all(log.key != session.last_log for log in moves.gone) and (best is None or best.ended_at < session.ended_at):
        return session.last_log, session.ended_at
    mine = select(logs.c.key, logs.c.ended_at).where(logs.c.session == session.key)
    last_first = (logs.c.ended_at.desc(), logs.c.started_at, logs.c.key.desc())
    key, ended_at = tx.execute(mine.order_by(*last_first).limit(1)).one()
    return key, ended_at


def _sum(total: int, moves: _Moves, of: Callable[[LogRow], int]) -> int:
    total += sum(map(of, moves.come)) - sum(map(of, moves.gone))
    return max(-_MOST, min(total, _MOST))


def _cost(log: LogRow) -> int:
    return round(((log.prompt_cost or 0) + (log.output_cost or 0)) * 1e12)

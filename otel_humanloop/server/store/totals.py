"""What sessions, projects and configs say about their logs, kept up to date by what each write changes.

Sums move by the difference. First and last move by comparison, and are looked up again only when the log that held the
place has left it. So a list of sessions never counts anything, and the order in which logs arrive leaves no trace.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, bindparam, delete, func, select

from otel_humanloop.server.store.records import Change, LogRow, SessionRow
from otel_humanloop.server.store.schema import logs, session_projects
from otel_humanloop.server.store.statements import add_to_rows, insert_rows, one_of_given, update_rows, values

_MOST = 2**63 - 1


class Moves(msgspec.Struct, frozen=True, gc=False):
    """The logs that left something and those that came, each as it was or is. A changed log does both."""

    gone: list[LogRow]
    come: list[LogRow]


def moves_by_session(changes: Sequence[Change]) -> dict[int, Moves]:
    """The moves out of and into each session, by its key; a log without one moves nowhere."""
    moves: dict[int, Moves] = {}
    for change in changes:
        before, after = change.before, change.after
        if before is not None and before.session is not None:
            _at(moves, before.session).gone.append(before)
        if after is not None and after.session is not None:
            _at(moves, after.session).come.append(after)
    return moves


def _moves_by_project(moves: Moves) -> dict[int, Moves]:
    """The same moves, by key of the project."""
    apart: dict[int, Moves] = {}
    for log in moves.gone:
        _at(apart, log.project).gone.append(log)
    for log in moves.come:
        _at(apart, log.project).come.append(log)
    return apart


def _at(moves: dict[int, Moves], place: int) -> Moves:
    here = moves.get(place)
    if here is None:
        here = moves[place] = Moves([], [])
    return here


def of_session(tx: Connection, session: SessionRow, moves: Moves, *, now: int) -> SessionRow:
    """The session's row after `moves`, which are in the table of logs already."""
    count = session.logs + len(moves.come) - len(moves.gone)
    if count == 0:
        first, started_at, last, ended_at = None, session.created_at, None, session.created_at
    else:
        first, started_at = _first(tx, session, moves)
        last, ended_at = _last(tx, session, moves)
    prompt_tokens, output_tokens, cost = session.prompt_tokens, session.output_tokens, session.cost
    errors, counted, priced = session.errors, session.counted, session.priced
    for step, moved in ((1, moves.come), (-1, moves.gone)):
        for log in moved:
            if log.failed:
                errors += step
            if log.prompt_tokens is not None or log.output_tokens is not None:
                prompt_tokens += step * (log.prompt_tokens or 0)
                output_tokens += step * (log.output_tokens or 0)
                counted += step
            if log.prompt_cost is not None or log.output_cost is not None:
                cost += step * round(((log.prompt_cost or 0) + (log.output_cost or 0)) * 1e12)
                priced += step
    return msgspec.structs.replace(
        session,
        logs=count,
        first_log=first,
        started_at=started_at,
        last_log=last,
        ended_at=ended_at,
        duration=ended_at - started_at,
        prompt_tokens=_kept(prompt_tokens),
        output_tokens=_kept(output_tokens),
        tokens=_kept(_kept(prompt_tokens) + _kept(output_tokens)),
        cost=_kept(cost),
        errors=errors,
        counted=counted,
        priced=priced,
        updated_at=now,
    )


def of_session_projects(tx: Connection, moved: Sequence[tuple[int, Moves]], new: Set[int]) -> None:
    """Which projects have logs in each session, how many, and since when.

    Args:
        moved: Keys of sessions and their moves, in order.
        new: Sessions that had no logs before.
    """
    table = session_projects
    known: dict[tuple[int, int], tuple[int, int]] = {}
    old = [session for session, _ in moved if session not in new]
    if old:
        for row in tx.execute(_known(tx.dialect.name), {"old": values(tx, old)}):
            known[row.session, row.project] = row.logs, row.started_at
    moves = [
        ((session, project), here)
        for session, moves in moved
        for project, here in sorted(_moves_by_project(moves).items())
    ]
    added: list[tuple[int, int, int, int]] = []
    altered: list[tuple[int, int, int, int]] = []
    emptied: list[dict[str, int]] = []
    for (session, project), here in moves:
        before, started_at = known.get((session, project), (0, _MOST))
        count = before + len(here.come) - len(here.gone)
        for log in here.come:
            started_at = min(started_at, log.started_at)
        if count == 0:
            emptied.append({"in": session, "of": project})
        elif before == 0:
            added.append((count, started_at, session, project))
        else:
            if any(log.started_at <= started_at for log in here.gone):
                mine = (logs.c.session == session) & (logs.c.project == project)
                started_at = tx.execute(select(func.min(logs.c.started_at)).where(mine)).scalar_one()
            altered.append((count, started_at, session, project))
    said, place = ("logs", "started_at"), ("session", "project")
    insert_rows(tx, table.name, (*said, *place), added)
    update_rows(tx, table.name, said, place, altered)
    if emptied:
        tx.execute(delete(table).where(table.c.session == bindparam("in"), table.c.project == bindparam("of")), emptied)


def of_projects_and_configs(tx: Connection, changes: Sequence[Change], *, now: int) -> None:
    """How many logs each project and config has, and when it was last used."""
    in_projects: Counter[int] = Counter()
    in_configs: Counter[int] = Counter()
    used: set[int] = set()
    for change in changes:
        for log, step in ((change.before, -1), (change.after, 1)):
            if log is not None:
                in_projects[log.project] += step
                in_configs[log.config] += step
        if change.before is None and change.after is not None:
            used.add(change.after.config)
    add_to_rows(
        tx, "projects", "logs", ("updated_at",), [(step, now, key) for key, step in sorted(in_projects.items())]
    )
    add_to_rows(tx, "configs", "logs", ("last_used",), [(in_configs[key], now, key) for key in sorted(used)])
    moved = [(step, key) for key, step in sorted(in_configs.items()) if step != 0 and key not in used]
    add_to_rows(tx, "configs", "logs", (), moved)


@lru_cache
def _known(dialect: str) -> Select[Any]:
    columns = session_projects.c
    wanted = [columns[name] for name in ("session", "project", "logs", "started_at")]
    return select(*wanted).where(one_of_given(dialect, columns.session, "old"))


def _first(tx: Connection, session: SessionRow, moves: Moves) -> tuple[int | None, int]:
    best = None if not moves.come else min(moves.come, key=_start)
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


def _last(tx: Connection, session: SessionRow, moves: Moves) -> tuple[int | None, int]:
    """Of several that end at the same moment, the one that started first (it holds the others), then the newest."""
    best = None if not moves.come else max(moves.come, key=_end)
    if best is not None and (session.logs == 0 or best.ended_at > session.ended_at):
        return best.key, best.ended_at
    if all(log.key != session.last_log for log in moves.gone) and (best is None or best.ended_at < session.ended_at):
        return session.last_log, session.ended_at
    mine = select(logs.c.key, logs.c.ended_at).where(logs.c.session == session.key)
    last_first = (logs.c.ended_at.desc(), logs.c.started_at, logs.c.key.desc())
    key, ended_at = tx.execute(mine.order_by(*last_first).limit(1)).one()
    return key, ended_at


def _start(log: LogRow) -> tuple[int, int]:
    return log.started_at, log.key


def _end(log: LogRow) -> tuple[int, int, int]:
    return log.ended_at, -log.started_at, log.key


def _kept(total: int) -> int:
    """As much of a sum as a column holds."""
    return max(-_MOST, min(total, _MOST))

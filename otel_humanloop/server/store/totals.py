"""What sessions, projects and configs say about their logs, kept up to date by what each write changes.

Sums move by the difference. First and last move by comparison, and are looked up again only when the log that held the
place has left it. So a list of sessions never counts anything, and the order in which logs arrive leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from otel_humanloop.server.store.records import Change, LogRow, SessionRow
from otel_humanloop.server.store.rows import chunks
from otel_humanloop.server.store.schema import configs, logs, projects, session_projects

_MOST = 2**63 - 1


class Moves(msgspec.Struct, frozen=True):
    """The logs that left something and those that came, each as it was or is. A changed log does both."""

    gone: list[LogRow]
    come: list[LogRow]


Place = TypeVar("Place")


def moves_by(place_of: Callable[[LogRow], Place | None], changes: Sequence[Change]) -> dict[Place, Moves]:
    """The moves out of and into each place, such as each session; a log whose place is None moves nowhere."""
    moves: dict[Place, Moves] = {}
    for change in changes:
        for log, came in ((change.before, False), (change.after, True)):
            place = None if log is None else place_of(log)
            if log is not None and place is not None:
                here = moves.setdefault(place, Moves([], []))
                (here.come if came else here.gone).append(log)
    return moves


def of_session(tx: Connection, session: SessionRow, moves: Moves, *, now: int) -> SessionRow:
    """The session's row after `moves`, which are in the table of logs already."""
    count = session.logs + len(moves.come) - len(moves.gone)
    if count == 0:
        first, started_at, last, ended_at = None, session.created_at, None, session.created_at
    else:
        first, started_at = _first(tx, session, moves)
        last, ended_at = _last(tx, session, moves)
    prompt_tokens = _sum(session.prompt_tokens, moves, lambda log: log.prompt_tokens or 0)
    output_tokens = _sum(session.output_tokens, moves, lambda log: log.output_tokens or 0)
    return msgspec.structs.replace(
        session,
        logs=count,
        first_log=first,
        started_at=started_at,
        last_log=last,
        ended_at=ended_at,
        duration=ended_at - started_at,
        prompt_tokens=prompt_tokens,
        output_tokens=output_tokens,
        tokens=min(prompt_tokens + output_tokens, _MOST),
        cost=_sum(session.cost, moves, _cost),
        errors=_sum(session.errors, moves, lambda log: int(log.failed)),
        counted=_sum(
            session.counted, moves, lambda log: log.prompt_tokens is not None or log.output_tokens is not None
        ),
        priced=_sum(session.priced, moves, lambda log: log.prompt_cost is not None or log.output_cost is not None),
        updated_at=now,
    )


def of_session_projects(tx: Connection, changes: Sequence[Change], new: Set[int]) -> None:
    """Which projects have logs in each session, how many, and since when. `new` sessions had none before."""
    moves = moves_by(lambda log: None if log.session is None else (log.session, log.project), changes)
    table = session_projects
    known: dict[tuple[int, int], tuple[int, int]] = {}
    for chunk in chunks(sorted({session for session, _ in moves} - new)):
        for row in tx.execute(select(table).where(table.c.session.in_(chunk))):
            known[row.session, row.project] = row.logs, row.started_at
    added: list[dict[str, int]] = []
    altered: list[dict[str, int]] = []
    emptied: list[dict[str, int]] = []
    for (session, project), here in sorted(moves.items(), key=lambda item: item[0]):
        before, started_at = known.get((session, project), (0, _MOST))
        count = before + len(here.come) - len(here.gone)
        started_at = min([started_at, *(log.started_at for log in here.come)])
        if count == 0:
            emptied.append({"in": session, "of": project})
        elif before == 0:
            added.append({"session": session, "project": project, "logs": count, "started_at": started_at})
        else:
            if any(log.started_at <= started_at for log in here.gone):
                mine = (logs.c.session == session) & (logs.c.project == project)
                started_at = tx.execute(select(func.min(logs.c.started_at)).where(mine)).scalar_one()
            altered.append({"in": session, "of": project, "logs": count, "started_at": started_at})
    there = (table.c.session == bindparam("in")) & (table.c.project == bindparam("of"))
    if added:
        tx.execute(insert(table), added)
    if altered:
        tx.execute(update(table).where(there), altered)
    if emptied:
        tx.execute(delete(table).where(there), emptied)


def of_projects_and_configs(tx: Connection, changes: Sequence[Change], *, now: int) -> None:
    """How many logs each project and config has, and when it was last used."""
    for table, moves in (
        (projects, moves_by(lambda log: log.project, changes)),
        (configs, moves_by(lambda log: log.config, changes)),
    ):
        steps = [{"at": key, "step": len(here.come) - len(here.gone)} for key, here in sorted(moves.items())]
        moved = [step for step in steps if step["step"] != 0]
        if moved:
            tx.execute(
                update(table).where(table.c.key == bindparam("at")).values(logs=table.c.logs + bindparam("step")), moved
            )
    used = {change.after.config for change in changes if change.before is None and change.after is not None}
    active = sorted({log.project for change in changes for log in (change.before, change.after) if log is not None})
    tx.execute(update(projects).where(projects.c.key.in_(active)).values(updated_at=now))
    if used:
        tx.execute(update(configs).where(configs.c.key.in_(sorted(used))).values(last_used=now))


def _first(tx: Connection, session: SessionRow, moves: Moves) -> tuple[int | None, int]:
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


def _last(tx: Connection, session: SessionRow, moves: Moves) -> tuple[int | None, int]:
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


def _sum(total: int, moves: Moves, of: Callable[[LogRow], int]) -> int:
    total += sum(map(of, moves.come)) - sum(map(of, moves.gone))
    return max(-_MOST, min(total, _MOST))


def _cost(log: LogRow) -> int:
    return round(((log.prompt_cost or 0) + (log.output_cost or 0)) * 1e12)

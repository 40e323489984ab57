"""What sessions, projects and configs say about their logs, kept up to date by what each write changes.

Sums move by the difference. First and last move by comparison, and are looked up again only when the log that held the
place has left it. So a list of sessions never counts anything, and the order in which logs arrive leaves no trace.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence, Set
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, select

from otel_humanloop.server.store.records import Change, LogRow, SessionRow
from otel_humanloop.server.store.schema import logs, session_projects
from otel_humanloop.server.store.statements import add_to_rows, insert_rows, one_of, update_rows, values

_MOST = 2**63 - 1


class Moves(msgspec.Struct, frozen=True, gc=False):
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
                here = moves.get(place)
                if here is None:
                    here = moves[place] = Moves([], [])
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
    prompt_tokens, output_tokens, cost = session.prompt_tokens, session.output_tokens, session.cost
    errors, counted, priced = session.errors, session.counted, session.priced
    for step, moved in ((1, moves.come), (-1, moves.gone)):
        for log in moved:
            prompt_tokens += step * (log.prompt_tokens or 0)
            output_tokens += step * (log.output_tokens or 0)
            cost += step * _cost(log)
            errors += step * log.failed
            counted += step * (log.prompt_tokens is not None or log.output_tokens is not None)
            priced += step * (log.prompt_cost is not None or log.output_cost is not None)
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


def of_session_projects(tx: Connection, changes: Sequence[Change], new: Set[int]) -> None:
    """Which projects have logs in each session, how many, and since when. `new` sessions had none before."""
    moves = moves_by(lambda log: None if log.session is None else (log.session, log.project), changes)
    table = session_projects
    known: dict[tuple[int, int], tuple[int, int]] = {}
    old = sorted({session for session, _ in moves} - new)
    if old:
        for row in tx.execute(select(table).where(one_of(tx, table.c.session, "old")), {"old": values(tx, old)}):
            known[row.session, row.project] = row.logs, row.started_at
    added: list[tuple[int, int, int, int]] = []
    altered: list[tuple[int, int, int, int]] = []
    emptied: list[dict[str, int]] = []
    for (session, project), here in sorted(moves.items(), key=lambda item: item[0]):
        before, started_at = known.get((session, project), (0, _MOST))
        count = before + len(here.come) - len(here.gone)
        started_at = min([started_at, *[log.started_at for log in here.come]])
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


def _cost(log: LogRow) -> int:
    if log.prompt_cost is None and log.output_cost is None:
        return 0
    return round(((log.prompt_cost or 0) + (log.output_cost or 0)) * 1e12)


def _kept(total: int) -> int:
    """As much of a sum as a column holds."""
    return max(-_MOST, min(total, _MOST))

"""The page of a session: its logs as cards, beside each when it was at work."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from sqlalchemy import Connection

from otel_humanloop.server.failures import NotFound
from otel_humanloop.server.store import reading
from otel_humanloop.server.store.schema import logs
from otel_humanloop.server.viewer import finding
from otel_humanloop.server.viewer.cards import card
from otel_humanloop.server.viewer.drawer import Drawer, drawer_of
from otel_humanloop.server.viewer.entries import Entry, entries_of
from otel_humanloop.server.viewer.finding import Summary
from otel_humanloop.server.viewer.text import short_id
from otel_humanloop.server.viewer.timeline import Axis, Stretch, axis_of, critical_path
from otel_humanloop.server.viewer.tree import Row, rows_of, tree_of

MOST = 2_000
"""Rows of a page; a link leads to all."""

_LEAST = 0.0001
"""Per cent of the axis that a bar is long at least: of one without any length nothing is drawn, its edge neither."""


def session_values(tx: Connection, id: str, query: Any, log: str | None = None) -> dict[str, Any]:
    """What the template of a session's page is given.

    Args:
        query: The page's query string: `fold` (ids whose nested logs are not shown), `all`, and what the drawer reads.
        log: The id of the log whose drawer is open.

    Raises:
        NotFound: There is no such session, or no such log in it.
    """
    session = finding.one(tx, id)
    if session is None:
        raise NotFound("session", id)
    entries = entries_of(tx, logs.c.session == session.key)
    folded = [name for name in query.get("fold", "").split(",") if name]
    tree = tree_of(entries)
    rows = rows_of(tree, folded=folded)
    every = query.get("all") == "1"
    shown = rows if every or len(rows) <= MOST else rows[:MOST]
    axis = axis_of(entries)
    path = critical_path(tree)
    cards = [
        card(
            row,
            session=f"/sessions/{id}",
            fold=_fold_address(id, folded, row, every=every) if row.nested else "",
            bars=bars(row.entry, axis, path.get(row.entry.key, ())),
            current=row.entry.id == log,
        )
        for row in shown
    ]
    drawer = None if log is None else _drawer(tx, session, rows, log, query)
    return {
        "session": session,
        "title": _title(session),
        "shown": len(shown),
        "cards": Markup("".join(cards)),  # each is safe
        "left_out": len(shown) < len(rows),
        "axis": axis,
        "ticks": axis.ticks(),
        "folded": folded,
        "nests": any(row.nested for row in rows),
        "fold_all": _address(
            id, [] if folded else [row.entry.id for row in rows if row.nested and not row.depth], every
        ),
        "drawer": drawer,
    }


def bars(entry: Entry, axis: Axis, critical: Sequence[Stretch]) -> str:
    """A log in the waterfall: its length, and the stretches of it that are on the critical path.

    Places are per cent of the axis in attributes: a style would have to be allowed by the page's policy.
    """
    left = axis.place(entry.started_at)
    parts = [f'<rect class="bar" x="{left:.7g}%" width="{_length(left, axis.place(entry.ended_at))}%"/>']
    for stretch in critical:
        start = axis.place(stretch.start)
        parts.append(f'<rect class="crit" x="{start:.7g}%" width="{_length(start, axis.place(stretch.end))}%"/>')
    return "".join(parts)


def _length(start: float, end: float) -> str:
    return f"{max(end - start, _LEAST):.7g}"


def _title(session: Summary) -> str:
    """What was asked, if the session says so; else its name."""
    if session.inputs and session.inputs[0][1]:
        return session.inputs[0][1]
    return f"Session {short_id(session.id)}"


def _fold_address(session: str, folded: Collection[str], row: Row, *, every: bool) -> str:
    """The session with what is below a row folded, or no longer."""
    name = row.entry.id
    names = [other for other in folded if other != name] if row.folded else [*folded, name]
    return f"{_address(session, names, every)}#{name}"


def _address(session: str, folded: Collection[str], every: bool) -> str:
    asked = {**({"fold": ",".join(folded)} if folded else {}), **({"all": "1"} if every else {})}
    return f"/sessions/{session}{'?' if asked else ''}{urlencode(asked, safe=',')}"


def _drawer(tx: Connection, session: Summary, rows: Sequence[Row], log: str, query: Any) -> Drawer:
    places = {row.entry.id: index for index, row in enumerate(rows)}
    found = reading.log(tx, id=log)
    if found is None or found.session_id != session.id:
        raise NotFound("log", log)
    at = places.get(log)
    return drawer_of(
        tx,
        found,
        query,
        previous=None if at is None or at == 0 else rows[at - 1].entry.id,
        next=None if at is None or at + 1 == len(rows) else rows[at + 1].entry.id,
    )

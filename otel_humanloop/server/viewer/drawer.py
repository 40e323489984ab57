"""The drawer: one log, opened over its session, with an address of its own."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection

from otel_humanloop import v4
from otel_humanloop.server.store.schema import logs
from otel_humanloop.server.viewer.entries import Made, entries_of
from otel_humanloop.server.viewer.logview import LogView, log_view
from otel_humanloop.server.viewer.opinions import Opinions, opinions_of

_TITLES = {
    "messages": "Messages",
    "io": "Inputs and output",
    "config": "Config",
    "metadata": "Metadata",
    "origin": "Origin",
    "raw": "Raw",
}


class Drawer(msgspec.Struct, frozen=True, kw_only=True):
    """What the drawer shows.

    Attributes:
        address: Of what hangs from the log: `/logs/data_...`.
        page: Of the log in its session.
        closed: Of the session; None for a log without one.
        previous, next: Of the logs beside it.
        started_at: Microseconds since the epoch.
        cost: Dollars.
    """

    view: LogView
    opinions: Opinions
    made: Made
    warnings: list[str]
    open: bool
    started_at: int
    cost: float | None
    address: str
    page: str
    closed: str | None
    previous: str | None
    next: str | None
    titles: dict[str, str]


def drawer_of(
    tx: Connection, log: v4.LogResponse, query: Any, *, previous: str | None = None, next: str | None = None
) -> Drawer:
    """The drawer of a log. `query` may name the `tab`, a version (`against`) and the first message (`start`)."""
    (entry,) = entries_of(tx, logs.c.id == log.id)
    session = None if log.session_id is None else f"/sessions/{log.session_id}"
    start = query.get("start", "")
    view = log_view(
        tx,
        log,
        tab=query.get("tab"),
        against=query.get("against"),
        start=int(start) if start.isascii() and start.isdecimal() and len(start) < 10 else None,
    )
    return Drawer(
        view=view,
        opinions=opinions_of(log),
        made=entry.made,
        warnings=entry.warnings,
        open=entry.open,
        started_at=entry.started_at,
        cost=entry.cost,
        address=f"/logs/{log.id}",
        page=f"/logs/{log.id}" if session is None else f"{session}/logs/{log.id}",
        closed=None if session is None else f"{session}#{log.id}",
        previous=None if previous is None else f"{session}/logs/{previous}",
        next=None if next is None else f"{session}/logs/{next}",
        titles=_TITLES,
    )

"""Pages that grow while they are looked at: a stream of server-sent events says that there is something new.

A stream carries no content: the page fetches itself again and takes what has changed. It begins with when the session
last changed, so that a page that shows it as it is need not. Every stream asks the database, so a page sees what any
process wrote to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from sqlalchemy import Connection, func, select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from otel_humanloop.server.failures import NotFound, RequestFailed
from otel_humanloop.server.store import Store
from otel_humanloop.server.store.schema import sessions
from otel_humanloop.server.viewer.showing import HEADERS

_PAUSE = 0.4
"""Seconds between two looks."""

_SIGN_OF_LIFE = 15.0
"""Seconds after which a silent stream says that it is there, so that nothing between takes it for dead."""

_MOST = 256
"""Streams at one time."""

_RECENT = 200
"""Sessions, by start, whose changes the list's stream tells of: the first pages of it."""

Look = Callable[[Connection], Any]


class Live:
    """The streams of one application.

    Args:
        store: What they look at.
        stopping: Says that the server is to stop: a stream would keep it waiting.
    """

    def __init__(self, store: Store, stopping: Callable[[], bool]) -> None:
        self._store = store
        self._stopping = stopping
        self._streams = 0

    async def sessions(self, _: Request) -> Response:
        """`GET /live`: a session began, or one of the latest changed."""
        return await self._answer(_newest, await run_in_threadpool(self._store.read, _newest))

    async def session(self, request: Request) -> Response:
        """`GET /sessions/{id}/live`: a log of the session came, or changed."""
        id = request.path_params["id"]

        def look(tx: Connection) -> Any:
            return tx.execute(select(sessions.c.updated_at).where(sessions.c.id == id)).scalar_one_or_none()

        first = await run_in_threadpool(self._store.read, look)
        if first is None:
            raise NotFound("session", id)
        return await self._answer(look, first, version=str(first))

    async def _answer(self, look: Look, first: Any, *, version: str = "") -> Response:
        if self._streams >= _MOST:
            raise RequestFailed(503, "too many pages are watching", headers={"Retry-After": "60"})
        return StreamingResponse(
            self._changes(look, first, version),
            media_type="text/event-stream",
            headers={**HEADERS, "X-Accel-Buffering": "no"},
        )

    async def _changes(self, look: Look, seen: Any, version: str) -> AsyncIterator[str]:
        self._streams += 1
        try:
            yield f"retry: 2000\nevent: watching\ndata: {version}\n\n"
            silent = 0.0
            while not self._stopping():
                await asyncio.sleep(_PAUSE)
                silent += _PAUSE
                now = await run_in_threadpool(self._store.read, look)
                if now != seen:
                    seen, silent = now, 0.0
                    yield "event: change\ndata:\n\n"
                elif silent >= _SIGN_OF_LIFE:
                    silent = 0.0
                    yield ": still here\n\n"
        finally:
            self._streams -= 1


def _newest(tx: Connection) -> Any:
    recent = (
        select(sessions.c.key, sessions.c.updated_at)
        .order_by(sessions.c.started_at.desc(), sessions.c.key.desc())
        .limit(_RECENT)
        .subquery()
    )
    return tx.execute(select(func.count(), func.max(recent.c.updated_at), func.max(recent.c.key))).one()

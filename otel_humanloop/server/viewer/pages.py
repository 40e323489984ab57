"""The pages, as routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from otel_humanloop.server.failures import NotFound
from otel_humanloop.server.store import Store, reading
from otel_humanloop.server.store.schema import sessions
from otel_humanloop.server.viewer.cards import excerpt, steps, when

_HERE = Path(__file__).parent
_LISTED = 50
_SHOWN = 1_000
"""Logs of one session that a page shows; it says so where there are more."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

_templates = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(when=when, excerpt=excerpt)

Page = Callable[[Request], Awaitable[Response]]


class Render(Protocol):
    """Makes a page of what stands in the store. `path` holds the variables of its route."""

    def __call__(self, tx: Connection, *, path: Mapping[str, str]) -> str: ...


def routes(store: Store) -> list[Route]:
    """The pages of a store."""
    return [
        Route("/", _page(store, _newest)),
        Route("/sessions/{id}", _page(store, _session)),
        Route("/viewer.css", _stylesheet),
    ]


def _page(store: Store, render: Render) -> Page:
    async def serve(request: Request) -> Response:
        html = await run_in_threadpool(store.read, partial(render, path=request.path_params))
        return Response(html, media_type="text/html", headers=_HEADERS)

    return serve


def _newest(tx: Connection, *, path: Mapping[str, str]) -> str:
    _ = path
    page = reading.session_list(tx, reading.Window(1, _LISTED, 0))
    return _render("sessions.html", page=page)


def _session(tx: Connection, *, path: Mapping[str, str]) -> str:
    id = path["id"]
    session = reading.session(tx, id)
    logs = reading.logs_of_session(tx, sessions.c.id == id, reading.Window(0, _SHOWN, 0))
    if session is None or logs is None:
        raise NotFound("session", id)
    return _render("session.html", session=session, steps=steps(logs.records), shown=len(logs.records))


def _render(name: str, **values: Any) -> str:
    return _templates.get_template(name).render(values)


async def _stylesheet(_: Request) -> Response:
    return FileResponse(_HERE / "viewer.css", headers={"X-Content-Type-Options": "nosniff"})

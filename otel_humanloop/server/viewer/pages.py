"""The pages, as routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from otel_humanloop.attachments import PATH, is_digest
from otel_humanloop.server.attachments import served
from otel_humanloop.server.failures import NotFound, RequestFailed, failure_of
from otel_humanloop.server.store import Store, attachments, reading, words
from otel_humanloop.server.viewer import finding, opinions
from otel_humanloop.server.viewer.comparing import compared_values
from otel_humanloop.server.viewer.drawer import drawer_of
from otel_humanloop.server.viewer.filters import filters_of
from otel_humanloop.server.viewer.live import Live
from otel_humanloop.server.viewer.parts import part_of
from otel_humanloop.server.viewer.project_view import project_list, project_values
from otel_humanloop.server.viewer.session_view import session_values
from otel_humanloop.server.viewer.showing import HEADERS, HERE, page, render
from otel_humanloop.server.viewer.sign_in import Desk, Digests

Endpoint = Callable[[Request], Awaitable[Response]]


class Show(Protocol):
    """Makes the answer to a request of what stands in the store."""

    def __call__(self, tx: Connection, *, request: Request) -> Response: ...


class _Files(StaticFiles):
    """Scripts and styles. A browser asks each time whether they have changed, and is told so without the file."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def routes(store: Store, *, digests: Digests = tuple, stopping: Callable[[], bool] = lambda: False) -> list[BaseRoute]:
    """The pages of a store.

    Args:
        digests: Of the API keys that one signs in with.
        stopping: Says that the server is to stop, so that pages watching it let it.
    """
    desk = Desk(digests)
    live = Live(store, stopping)
    shows: tuple[tuple[str, Show], ...] = (
        ("/", _sessions),
        ("/sessions/{id}", _session),
        ("/sessions/{id}/logs/{log}", _session),
        ("/logs/{log}", _log),
        ("/logs/{log}/text", _text),
        ("/logs/{log}/raw.json", _raw),
        (f"/{PATH}/{{sha256}}", _attachment),
        ("/projects", _projects),
        ("/projects/{id}", _project),
        ("/compare", _compare),
        ("/help", _help),
    )
    return [
        *(Route(path, _serving(store, desk, show)) for path, show in shows),
        Route("/logs/{log}/feedback", _saying(store, desk), methods=["POST"]),
        Route("/sign-in", desk.ask, methods=["GET"]),
        Route("/sign-in", desk.sign_in, methods=["POST"]),
        Route("/sign-out", desk.sign_out, methods=["POST"]),
        Route("/live", live.sessions),
        Route("/sessions/{id}/live", live.session),
        Mount("/viewer", _Files(directory=HERE / "static")),
    ]


def problem(request: Request, error: Exception, digests: Digests) -> Response | None:
    """What went wrong, as a page for a browser; None for the API, and for who does not ask for a page."""
    if f"{request.url.path}/".startswith("/v4/") or "text/html" not in request.headers.get("accept", ""):
        return None
    request.state.visitor = Desk(digests).visitor(request)
    failure = failure_of(error)
    shown = _problem(request, failure)
    shown.headers.update(failure.headers)
    return shown


def _serving(store: Store, desk: Desk, show: Show) -> Endpoint:
    async def serve(request: Request) -> Response:
        request.state.visitor = desk.visitor(request)
        try:
            return await run_in_threadpool(_reading(store, request), partial(show, request=request))
        except RequestFailed as error:
            return _problem(request, error)

    return serve


def _reading(store: Store, request: Request) -> Callable[[Callable[[Connection], Response]], Response]:
    """What is looked for by its words is to be found as soon as it was written."""
    return store.search if request.query_params.keys() & {"q", "user"} else store.read


def _saying(store: Store, desk: Desk) -> Endpoint:
    """`POST /logs/{log}/feedback`, of a form in the drawer; back to where it was sent from."""

    async def serve(request: Request) -> Response:
        form = await desk.read_form(request)
        id = request.path_params["log"]
        await run_in_threadpool(store.write, partial(opinions.say, id=id, form=form))
        return RedirectResponse(f"/logs/{id}", 303, headers=HEADERS)

    return serve


def _framed(request: Request, template: str, place: str, *, status: int = 200, **values: Any) -> Response:
    """A page with what surrounds it."""
    return page(
        render(
            template,
            place=place,
            searched=request.query_params.get("q", "") if place == "sessions" else "",
            base_url=str(request.base_url).rstrip("/"),
            visitor=request.state.visitor,
            status=status,
            **values,
        ),
        status,
    )


def _problem(request: Request, error: RequestFailed) -> Response:
    """Why there is no such page, as a page with ways on."""
    title = "Not found" if error.status == 404 else "This page cannot be shown"
    return _framed(request, "problem.html", "", title=title, message=error.message, status=error.status)


def _sessions(tx: Connection, *, request: Request) -> Response:
    filters = filters_of(request.query_params)
    return _framed(
        request,
        "sessions.html",
        "sessions",
        filters=filters,
        found=finding.find(tx, filters),
        projects=finding.all_projects(tx),
        models=finding.all_models(tx),
        until_day=filters.until_day,
        unread=words.waiting(tx) if filters.query or filters.user else 0,
        here=filters.address(),
    )


def _session(tx: Connection, *, request: Request) -> Response:
    id, log = request.path_params["id"], request.path_params.get("log")
    if log is not None and request.query_params.get("part") == "drawer":
        return _drawer_alone(tx, request, log)
    return _framed(request, "session.html", "session", **session_values(tx, id, request.query_params, log))


def _drawer_alone(tx: Connection, request: Request, log: str) -> Response:
    """The drawer without the session around it, for a page that has the session already."""
    found = reading.log(tx, id=log)
    if found is None or found.session_id != request.path_params["id"]:
        raise NotFound("log", log)
    return page(render("drawer.html", drawer=drawer_of(tx, found, request.query_params), visitor=request.state.visitor))


def _log(tx: Connection, *, request: Request) -> Response:
    id = request.path_params["log"]
    found = reading.log(tx, id=id)
    if found is None:
        raise NotFound("log", id)
    if found.session_id is not None:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/sessions/{found.session_id}/logs/{id}{query}", 303)
    return _framed(request, "log.html", "log", drawer=drawer_of(tx, found, request.query_params))


def _text(tx: Connection, *, request: Request) -> Response:
    """Part of a log, whole, as plain text."""
    id = request.path_params["log"]
    found = reading.log(tx, id=id)
    text = None if found is None else part_of(found, request.query_params.get("part", ""))
    if text is None:
        raise NotFound("text of the log", id)
    return Response(text, media_type="text/plain", headers=HEADERS)


def _raw(tx: Connection, *, request: Request) -> Response:
    id = request.path_params["log"]
    found = reading.log(tx, id=id)
    if found is None:
        raise NotFound("log", id)
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{found.id}.json"'}
    body = msgspec.json.format(msgspec.json.encode(found), indent=2)
    return Response(body, media_type="application/json", headers=headers)


def _attachment(tx: Connection, *, request: Request) -> Response:
    sha256 = request.path_params["sha256"]
    found = attachments.find(tx, sha256) if is_digest(sha256) else None
    if found is None:
        raise NotFound("attachment", sha256)
    return served(found)


def _projects(tx: Connection, *, request: Request) -> Response:
    return _framed(request, "projects.html", "projects", projects=project_list(tx))


def _project(tx: Connection, *, request: Request) -> Response:
    return _framed(
        request, "project.html", "projects", **project_values(tx, request.path_params["id"], request.query_params)
    )


def _compare(tx: Connection, *, request: Request) -> Response:
    return _framed(request, "compare.html", "compare", **compared_values(tx, request.query_params.getlist("s")))


def _help(tx: Connection, *, request: Request) -> Response:
    _ = tx
    return _framed(request, "help.html", "help")

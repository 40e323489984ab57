"""`/v4/sessions`: open, list, get."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from otel_humanloop import v4
from otel_humanloop.server import moments
from otel_humanloop.server.answers import json
from otel_humanloop.server.failures import NotFound
from otel_humanloop.server.requests import Call, page_of
from otel_humanloop.server.store import reading
from otel_humanloop.server.store.changing import open_session


def create(call: Call) -> Response:
    """`POST /sessions`. SDKs send no body, or an empty form; whatever comes is not looked at."""
    id = call.store.write(partial(open_session, now=moments.now()))
    return json(v4.CreateSessionResponse(id=id), status=201)


def index(call: Call) -> Response:
    """`GET /sessions`: the last to start first, from page 1 on. Beyond the contract, `project_id` may be left out."""
    window = reading.Window(*page_of(call.query, first=1, size=10))
    project_id = call.query.get("project_id")
    work = partial(
        reading.session_list, window=window, project_id=project_id, reference_id=call.query.get("reference_id")
    )
    page = call.store.read(work)
    if page is None:
        raise NotFound("project", str(project_id))
    return json(page)


def get(call: Call) -> Response:
    """`GET /sessions/{id}`."""
    session = call.store.read(partial(reading.session, id=call.path["id"]))
    if session is None:
        raise NotFound("session", call.path["id"])
    return json(session)

"""`/v4/projects`: make, list, get, change, delete."""

from __future__ import annotations

from functools import partial

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response

from otel_humanloop import v4
from otel_humanloop.server import moments
from otel_humanloop.server.answers import empty, json
from otel_humanloop.server.failures import NotFound
from otel_humanloop.server.requests import Call, check_name, choice, decode, page_of
from otel_humanloop.server.store import reading
from otel_humanloop.server.store.changing import change_project, delete_project, make_project
from otel_humanloop.server.store.versions import undeploy

_CREATE = msgspec.json.Decoder(v4.CreateProjectRequest)
_UPDATE = msgspec.json.Decoder(v4.UpdateProjectRequest)


def create(call: Call) -> Response:
    """`POST /projects`. A name that is taken is refused."""
    request = decode(call.body, _CREATE)
    check_name(request.name, "name", ("body",))
    check_name(request.directory_id, "directory_id", ("body",))
    now = moments.now()

    def work(tx: Connection) -> v4.ProjectResponse | None:
        return reading.project(tx, make_project(tx, request.name, request.directory_id, now=now))

    return json(call.store.write(work), status=201)


def index(call: Call) -> Response:
    """`GET /projects`, from page 0 on. There are no users, so a `user_filter` leaves none out."""
    window = reading.Window(*page_of(call.query, first=0, size=10))
    work = partial(
        reading.project_list,
        window=window,
        name=call.query.get("filter"),
        sort_by=choice(call.query, "sort_by", "created_at", ("created_at", "updated_at", "name")),
        descending=choice(call.query, "order", "desc", ("asc", "desc")) == "desc",
    )
    return json(call.store.read(work))


def get(call: Call) -> Response:
    """`GET /projects/{id}`."""
    project = call.store.read(partial(reading.project, id=call.path["id"]))
    if project is None:
        raise NotFound("project", call.path["id"])
    return json(project)


def update(call: Call) -> Response:
    """`PATCH /projects/{id}`: its name, its active config, its directory."""
    request = decode(call.body, _UPDATE)
    check_name(request.name, "name", ("body",))
    check_name(request.directory_id, "directory_id", ("body",))
    id = call.path["id"]
    now = moments.now()

    def work(tx: Connection) -> v4.ProjectResponse | None:
        change_project(tx, id, request.name, request.active_config_id, request.directory_id, now=now)
        return reading.project(tx, id)

    return json(call.store.write(work))


def deactivate(call: Call) -> Response:
    """`DELETE /projects/{id}/active-config`, of the default environment or of the `environment` of that name."""
    id, environment, now = call.path["id"], call.query.get("environment"), moments.now()

    def work(tx: Connection) -> v4.ProjectResponse | None:
        undeploy(tx, id, environment=environment, now=now)
        return reading.project(tx, id)

    return json(call.store.write(work))


def delete(call: Call) -> Response:
    """`DELETE /projects/{id}`, with its configs and logs."""
    while not call.store.write(partial(delete_project, id=call.path["id"], now=moments.now())):
        pass  # the next piece
    return empty()

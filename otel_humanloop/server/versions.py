"""`/v4/model-configs`, and what of `/v4/projects/{id}` is about versions: register, list, deploy, write as a file."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response

from otel_humanloop.server import moments
from otel_humanloop.server.answers import json
from otel_humanloop.server.configs import config_draft
from otel_humanloop.server.contract import Deployment, DeployRequest, EnvironmentRequest, PromptFile
from otel_humanloop.server.failures import Invalid, NotFound
from otel_humanloop.server.promptfile import parsed, written
from otel_humanloop.server.requests import Call, check_depth, check_name, decode
from otel_humanloop.server.store import versions
from otel_humanloop.server.store.ids import derived_id

_CONFIG = msgspec.json.Decoder(dict[str, Any])
_DEPLOY = msgspec.json.Decoder(DeployRequest)
_FILE = msgspec.json.Decoder(PromptFile)


def register(call: Call) -> Response:
    """`POST /model-configs`: a committed version of a project, which is made if it is not there."""
    given = decode(call.body, _CONFIG)
    check_depth(given, ("body",))
    project, project_id = (given.pop(name, None) for name in ("project", "project_id"))
    for name, value in (("project", project), ("project_id", project_id)):
        if value is not None and not isinstance(value, str):
            raise Invalid(("body", name), "Expected `str`", kind="type_error")
        check_name(value, name, ("body",))
    if project is None and project_id is None:
        raise Invalid(
            ("body", "project"), "either `project` or `project_id` must be provided", kind="value_error.missing"
        )
    draft = config_draft({**given, "type": "model"}, ("body",))
    named = given.get("name") is not None
    work = partial(
        versions.register, project=project, project_id=project_id, draft=draft, named=named, now=moments.now()
    )
    return json(call.store.write(work))


def get(call: Call) -> Response:
    """`GET /model-configs/{id}`."""
    return json(msgspec.Raw(_model(call).body))


def export(call: Call) -> Response:
    """`POST /model-configs/{id}/export`: as a `.prompt` file, in a JSON string."""
    return json(written(msgspec.json.decode(_model(call).body)))


def serialize(call: Call) -> Response:
    """`POST /model-configs/serialize`: a config that is not kept, as a `.prompt` file in a JSON string."""
    given = decode(call.body, _CONFIG)
    check_depth(given, ("body",))
    return json(written(config_draft({**given, "type": "model"}, ("body",)).body))


def deserialize(call: Call) -> Response:
    """`POST /model-configs/deserialize`: what a `.prompt` file says, as a config that is not kept."""
    given = parsed(decode(call.body, _FILE).config)
    check_depth(given, ("body", "config"))
    draft = config_draft({**given, "type": "model"}, ("body", "config"))
    return json({"id": derived_id("config", draft.hash.encode()), **draft.body})


def index(call: Call) -> Response:
    """`GET /projects/{id}/configs`. There are no evaluators, so there is nothing to aggregate."""
    return json(call.store.read(partial(versions.versions, project_id=call.path["id"])))


def active(call: Call) -> Response:
    """`GET /projects/{id}/active-config`, of the default environment or of the `environment` of that name."""
    environment = call.query.get("environment")
    return json(call.store.read(partial(versions.deployed, project_id=call.path["id"], environment=environment)))


def deployments(call: Call) -> Response:
    """`GET /projects/{id}/deployed-configs`."""
    return json(call.store.read(partial(versions.deployments_of, project_id=call.path["id"])))


def deploy(call: Call) -> Response:
    """`PATCH /projects/{id}/deploy-config`; answers what is deployed then."""
    request = decode(call.body, _DEPLOY)
    places = request.environments or [EnvironmentRequest(id=versions.DEFAULT_ID)]
    for index, place in enumerate(places):
        check_name(place.id, "id", ("body", "environments", index))
        check_name(place.name, "name", ("body", "environments", index))
    id, now = call.path["id"], moments.now()

    def work(tx: Connection) -> list[Deployment]:
        versions.deploy(tx, id, request.config_id, places, now=now)
        return versions.deployments_of(tx, id)

    return json(call.store.write(work))


def undeploy(call: Call) -> Response:
    """`DELETE /projects/{id}/deployed-config/{environment_id}`."""
    id, place, now = call.path["id"], call.path["environment_id"], moments.now()
    call.store.write(partial(versions.undeploy, project_id=id, environment=None, id=place, now=now))
    return json({})


def is_model(version: versions.Version | None, id: str) -> versions.Version:
    """The version, which must be a model's.

    Raises:
        NotFound: It is not there, or not a model's.
    """
    if version is None or version.type != "model":
        raise NotFound("model config", id)
    return version


def _model(call: Call) -> versions.Version:
    id = call.path["id"]
    return is_model(call.store.read(partial(versions.version, id=id)), id)

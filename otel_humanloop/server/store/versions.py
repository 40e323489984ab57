"""Versions of a project's config, and where they are deployed.

The default environment's deployment is the project's `active_config`; every other environment has a row of its own.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from otel_humanloop import v4
from otel_humanloop.server.contract import Deployment, EnvironmentRequest
from otel_humanloop.server.failures import Invalid, NotFound
from otel_humanloop.server.store.ids import derived_id, new_id
from otel_humanloop.server.store.making import add_project, version_of
from otel_humanloop.server.store.reading import timestamp
from otel_humanloop.server.store.records import ConfigDraft
from otel_humanloop.server.store.schema import configs, deployments, environments, projects
from otel_humanloop.server.store.workspace import Workspace

DEFAULT = "production"
"""The default environment's name."""
DEFAULT_ID = derived_id("env", DEFAULT.encode())


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A config to work with. `body` is its `ConfigResponse` as JSON."""

    id: str
    project_id: str
    type: str
    body: bytes


def register(
    tx: Connection, project: str | None, project_id: str | None, draft: ConfigDraft, *, named: bool, now: int
) -> v4.ProjectConfigResponse:
    """Makes a config a committed version of a project, which is made if it is only named. `named`: by the caller.

    Raises:
        NotFound: There is no project of that id.
    """
    rows = Workspace(tx)
    found = rows.projects.find(id=project_id) if project_id is not None else rows.projects.find(name=project)
    if found is None and project_id is not None:
        raise NotFound("project", project_id)
    if found is None:
        found = add_project(rows.projects, project or "", None, now=now)
    config = version_of(rows, found, draft, now=now)
    changes: dict[str, Any] = {"status": "committed", "updated_at": now}
    if named and config.name != draft.name:
        changes.update(name=draft.name, body=msgspec.json.encode({"id": config.id, **draft.body}))
    rows.configs.put(msgspec.structs.replace(config, **changes))
    rows.projects.flush()
    rows.configs.flush()
    row = tx.execute(_statement().where(configs.c.key == config.key)).one()
    return _response(row)


def versions(tx: Connection, project_id: str) -> list[v4.ProjectConfigResponse]:
    """A project's versions, the newest first.

    Raises:
        NotFound: There is no such project.
    """
    project = _project(tx, project_id)
    rows = tx.execute(_statement().where(configs.c.project == project.key).order_by(configs.c.key.desc()))
    return [_response(row) for row in rows]


def version(tx: Connection, id: str) -> Version | None:
    """The version with this id."""
    statement = select(configs.c.id, configs.c.type, configs.c.body, projects.c.id.label("project_id"))
    row = tx.execute(statement.join(projects).where(configs.c.id == id)).one_or_none()
    return None if row is None else Version(id=row.id, project_id=row.project_id, type=row.type, body=row.body)


def deployed(tx: Connection, project_id: str, environment: str | None) -> v4.ProjectConfigResponse:
    """The version in an environment of that name; without one, in the default environment.

    Raises:
        NotFound: There is no such project or environment, or nothing is deployed there.
    """
    project = _project(tx, project_id)
    key, id = project.active_config, DEFAULT_ID
    if environment not in (None, DEFAULT):
        place = _environment(tx, name=environment)
        id = place.id
        there = (deployments.c.project == project.key) & (deployments.c.environment == place.key)
        key = tx.execute(select(deployments.c.config).where(there)).scalar_one_or_none()
    if key is None:
        raise NotFound("active config in", f"{project_id}, environment {environment or DEFAULT}")
    row = tx.execute(_statement().where(configs.c.key == key)).one()
    return msgspec.structs.replace(_response(row), environment_id=id)


def deployed_by_name(tx: Connection, project: str, environment: str | None) -> v4.ProjectConfigResponse:
    """As `deployed`, of the project of that name."""
    id = tx.execute(select(projects.c.id).where(projects.c.name == project)).scalar_one_or_none()
    if id is None:
        raise NotFound("project", project)
    return deployed(tx, id, environment)


def deployments_of(tx: Connection, project_id: str) -> list[Deployment]:
    """Every environment with what a project has deployed there, the default one first.

    Raises:
        NotFound: There is no such project.
    """
    project = _project(tx, project_id)
    there = (deployments.c.environment == environments.c.key) & (deployments.c.project == project.key)
    columns = (configs.c.id.label("config_id"), configs.c.name.label("config_name"))
    others = (
        select(environments.c.id, environments.c.name, *columns)
        .outerjoin(deployments, there)
        .outerjoin(configs, configs.c.key == deployments.c.config)
        .order_by(environments.c.key)
    )
    active = tx.execute(select(*columns).where(configs.c.key == project.active_config)).one_or_none()
    config_id, config_name = (None, None) if active is None else active
    found = [(DEFAULT_ID, DEFAULT, "default", config_id, config_name)]
    found.extend((row.id, row.name, "other", row.config_id, row.config_name) for row in tx.execute(others))
    return [
        Deployment(
            project_id=project.id,
            project_name=project.name,
            environment_id=id,
            environment_name=name,
            environment_tag=tag,
            model_config_id=config_id,
            model_config_name=config_name,
        )
        for id, name, tag, config_id, config_name in found
    ]


def deploy(tx: Connection, project_id: str, config_id: str, places: list[EnvironmentRequest], *, now: int) -> None:
    """Puts a version of the project into environments, in place of what is there.

    Raises:
        NotFound: There is no such project, config or environment.
        Invalid: The config is another project's.
    """
    project = _project(tx, project_id)
    config = tx.execute(select(configs.c.key, configs.c.project).where(configs.c.id == config_id)).one_or_none()
    if config is None:
        raise NotFound("config", config_id)
    if config.project != project.key:
        raise Invalid(("body", "config_id"), f"`{config_id}` is a config of another project")
    commit(tx, config.key)
    for place in places:
        environment = None if _is_default(place) else _found_or_made(tx, place)
        _put(tx, project.key, environment, config.key, now=now)


def undeploy(tx: Connection, project_id: str, *, environment: str | None, id: str | None = None, now: int) -> None:
    """Takes out of an environment, given by id or name, what the project has there; nothing is no error.

    Raises:
        NotFound: There is no such project or environment.
    """
    project = _project(tx, project_id)
    place = None
    if id not in (None, DEFAULT_ID) or (id is None and environment not in (None, DEFAULT)):
        place = _environment(tx, id=id) if id is not None else _environment(tx, name=environment)
    _put(tx, project.key, None if place is None else place.key, None, now=now)


def commit(tx: Connection, config: int) -> None:
    """Somebody means this version to stay."""
    tx.execute(update(configs).where(configs.c.key == config).values(status="committed"))


def _put(tx: Connection, project: int, environment: int | None, config: int | None, *, now: int) -> None:
    changes: dict[str, Any] = {"updated_at": now}
    if environment is None:
        changes["active_config"] = config
    else:
        there = (deployments.c.project == project) & (deployments.c.environment == environment)
        tx.execute(delete(deployments).where(there))
        if config is not None:
            tx.execute(insert(deployments).values(project=project, environment=environment, config=config))
    tx.execute(update(projects).where(projects.c.key == project).values(changes))


def _is_default(place: EnvironmentRequest) -> bool:
    return place.id == DEFAULT_ID or place.name == DEFAULT


def _found_or_made(tx: Connection, place: EnvironmentRequest) -> int:
    same = environments.c.id == place.id
    if place.name is not None:
        same = same | (environments.c.name == place.name)
    key = tx.execute(select(environments.c.key).where(same).order_by(environments.c.key)).scalars().first()
    if key is not None:
        return int(key)
    if place.name is None:
        raise NotFound("environment", place.id)
    key = 1 + int(tx.execute(select(func.coalesce(func.max(environments.c.key), 0))).scalar_one())
    tx.execute(insert(environments).values(key=key, id=new_id("env"), name=place.name))
    return key


def _environment(tx: Connection, **named: str | None) -> Row[Any]:
    ((column, value),) = named.items()
    row = tx.execute(select(environments).where(environments.c[column] == value)).one_or_none()
    if row is None:
        raise NotFound("environment", str(value))
    return row


def _project(tx: Connection, id: str) -> Row[Any]:
    row = tx.execute(select(projects).where(projects.c.id == id)).one_or_none()
    if row is None:
        raise NotFound("project", id)
    return row


def _statement() -> Select[Any]:
    return select(configs, projects.c.id.label("project_id"), projects.c.name.label("project_name")).join(
        projects, projects.c.key == configs.c.project
    )


def _response(row: Row[Any]) -> v4.ProjectConfigResponse:
    return v4.ProjectConfigResponse(
        project_id=row.project_id,
        project_name=row.project_name,
        created_at=timestamp(row.created_at),
        updated_at=timestamp(row.updated_at),
        last_used=timestamp(row.last_used),
        config=msgspec.Raw(row.body),
        num_datapoints=row.logs,
    )

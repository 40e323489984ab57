"""New rows: a session, a project, a version of a project's config. Putting them into a workspace adds them."""

from __future__ import annotations

from typing import Any

import msgspec

from otel_humanloop.server.store.ids import new_id
from otel_humanloop.server.store.records import ConfigDraft, ConfigRow, ProjectRow, SessionRow
from otel_humanloop.server.store.rows import Rows
from otel_humanloop.server.store.workspace import Workspace


def add_session(rows: Rows[SessionRow], reference_id: str | None, *, now: int) -> SessionRow:
    """A session without logs."""
    return rows.put(
        SessionRow(
            key=rows.new_key(),
            id=new_id("sesh"),
            reference_id=reference_id,
            logs=0,
            first_log=None,
            last_log=None,
            started_at=now,
            ended_at=now,
            prompt_tokens=0,
            output_tokens=0,
            cost=0,
            errors=0,
            created_at=now,
            updated_at=now,
        )
    )


def add_project(rows: Rows[ProjectRow], name: str, directory_id: str | None, *, now: int) -> ProjectRow:
    """A project without logs."""
    return rows.put(
        ProjectRow(
            key=rows.new_key(),
            id=new_id("pr"),
            name=name,
            directory_id=directory_id,
            config_type=None,
            active_config=None,
            logs=0,
            created_at=now,
            updated_at=now,
        )
    )


def version_of(rows: Workspace, project: ProjectRow, draft: ConfigDraft, *, now: int) -> ConfigRow:
    """The project's version that is this config: the one it has, or a new one.

    The first config gives the project its type, the first model config is its active one.
    """
    config = rows.configs.at(("project", "hash"), (project.key, draft.hash))
    if config is not None:
        return config
    id = new_id("config")
    config = rows.configs.put(
        ConfigRow(
            key=rows.configs.new_key(),
            id=id,
            project=project.key,
            hash=draft.hash,
            type=draft.type,
            name=draft.name,
            model=draft.body.get("model"),
            status="uncommitted",
            body=msgspec.json.encode({"id": id, **draft.body}),
            logs=0,
            created_at=now,
            updated_at=now,
            last_used=now,
        )
    )
    project = rows.projects.get(project.key)
    changes: dict[str, Any] = {}
    if project.config_type is None:
        changes["config_type"] = draft.type
    if project.active_config is None and draft.type == "model":
        changes["active_config"] = config.key
        config = rows.configs.put(msgspec.structs.replace(config, status="committed"))
    if changes:
        rows.projects.put(msgspec.structs.replace(project, **changes))
    return config


def draft_of(config: ConfigRow) -> ConfigDraft:
    """The draft a config was made of."""
    body: dict[str, Any] = msgspec.json.decode(config.body)
    del body["id"]
    return ConfigDraft(type=config.type, name=config.name, hash=config.hash, body=body)

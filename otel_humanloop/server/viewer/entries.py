"""A session's logs as the viewer needs them: where each stands, and a glimpse of what it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, select

from otel_humanloop.server.lines import line
from otel_humanloop.server.store import glimpses
from otel_humanloop.server.store.schema import configs, logs, projects
from otel_humanloop.server.viewer.shapes import object_of, text_of

_KINDS = frozenset(
    {"model", "embedding", "retrieval", "reranker", "tool", "agent", "chain", "guardrail", "evaluator", "step"}
)


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What made a log: its config, as far as a card says it.

    Attributes:
        kind: "model", "tool", "agent", "chain", ...: what the config's `other.kind` says, else its type.
        name: The model, or the name of a tool.
        version: The name of the config.
    """

    id: str
    kind: str
    name: str | None
    version: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One log. `key` and `parent` are the store's; times in microseconds since the epoch; cost in dollars.

    Attributes:
        inputs: Name and value of the first of them, cut to a glimpse.
        more_inputs: How many there are besides.
        output, error: Cut to a glimpse; None where there is none.
        calls: Names of the tools the model asked for.
        warnings: What got lost on the way, in words.
        user: Whom it was done for.
    """

    key: int
    id: str
    parent: int | None
    reference_id: str | None
    parent_reference_id: str | None
    project: str
    project_id: str
    made: Made
    started_at: int
    ended_at: int
    duration: float | None
    prompt_tokens: int | None
    output_tokens: int | None
    cost: float | None
    failed: bool
    saved: bool
    source: str | None
    inputs: list[tuple[str, str]]
    more_inputs: int
    output: str | None
    error: str | None
    calls: list[str]
    warnings: list[str]
    user: str | None

    @property
    def tokens(self) -> int | None:
        """Prompt and output together; None where neither is known."""
        if self.prompt_tokens is None and self.output_tokens is None:
            return None
        return (self.prompt_tokens or 0) + (self.output_tokens or 0)

    @property
    def waits(self) -> bool:
        """It names a parent that has not been logged."""
        return self.parent is None and self.parent_reference_id is not None

    @property
    def open(self) -> bool:
        """It was logged while its work was still going on."""
        return self.duration is None and self.output is None and not self.failed and not self.calls and self.saved


class _Config(msgspec.Struct, frozen=True):
    type: Any = None
    name: Any = None
    model: Any = None
    other: Any = None


_CONFIG = msgspec.json.Decoder(_Config)
_SAME = tuple(field for field in Entry.__struct_fields__ if field in logs.c and field != "project")
"""Fields that are columns of a log."""
_COLUMNS: tuple[ColumnElement[Any], ...] = (
    logs.c.project,
    logs.c.config,
    logs.c.prompt_cost,
    logs.c.output_cost,
    logs.c.glimpse,
    *(logs.c[name] for name in _SAME),
)


def entries_of(tx: Connection, where: ColumnElement[bool], *, newest: int | None = None) -> list[Entry]:
    """The logs of which `where` is true, in the order they started; or the `newest` of them, the last to arrive first.

    Projects and configs are looked up once each, not joined to every log.
    """
    statement = select(*_COLUMNS).where(where)
    if newest is None:
        statement = statement.order_by(logs.c.started_at, logs.c.key)
    else:
        statement = statement.order_by(logs.c.created_at.desc(), logs.c.key.desc()).limit(newest)
    rows: Sequence[Row[Any]] = tx.execute(statement).all()
    made = made_with(tx, {row.config for row in rows})
    named = projects_named(tx, {row.project for row in rows})
    return [_entry(row, named, made) for row in rows]


def made_with(tx: Connection, keys: set[int]) -> dict[int, Made]:
    """Configs by key."""
    found = tx.execute(
        select(configs.c.key, configs.c.id, configs.c.name, configs.c.body).where(configs.c.key.in_(keys))
    )
    return {row.key: made_of(row.id, row.name, row.body) for row in found}


def made_of(id: str, version: str, body: bytes) -> Made:
    """A config of the store, as far as a card says it."""
    config = _CONFIG.decode(body)
    said = text_of(object_of(config.other).get("kind"))
    kind = said if said in _KINDS else "agent" if config.type == "agent" else config.type
    name = config.model if config.type == "model" else config.name
    return Made(
        id=id,
        kind=kind if kind in _KINDS else "step",
        name=None if name is None else line(name, 80),
        version=version,
    )


def projects_named(tx: Connection, keys: set[int]) -> dict[int, tuple[str, str]]:
    """Ids and names of projects, by key."""
    found = tx.execute(select(projects.c.key, projects.c.id, projects.c.name).where(projects.c.key.in_(keys)))
    return {row.key: (row.id, row.name) for row in found}


def _entry(row: Any, named: Mapping[int, tuple[str, str]], made: Mapping[int, Made]) -> Entry:
    # Taken apart at once: a page may have thousands of rows, and each name looked up in one costs as much as all this.
    project, config, prompt_cost, output_cost, glimpse, *same = row
    project_id, project_name = named[project]
    cost = output_cost if prompt_cost is None else prompt_cost if output_cost is None else prompt_cost + output_cost
    seen = msgspec.structs.asdict(glimpses.decode(glimpse))
    fields: dict[str, Any] = dict(zip(_SAME, same, strict=True))
    return Entry(project=project_name, project_id=project_id, made=made[config], cost=cost, **fields, **seen)

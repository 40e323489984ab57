"""The logs of a model call: written before the model is asked, completed when it has answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from otel_humanloop.server.store.ids import new_id, timely_id
from otel_humanloop.server.store.posting import post, rewrite
from otel_humanloop.server.store.records import Content, LogDraft
from otel_humanloop.server.store.schema import configs, logs
from otel_humanloop.server.store.workspace import Workspace


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A log that waits for its output. Without a project there is none, and the ids name nothing."""

    id: str
    config_id: str
    project_id: str | None
    session_id: str | None


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What a call came to. `duration` in seconds, costs in dollars."""

    id: str
    content: Content
    duration: float
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    prompt_cost: float | None = None
    output_cost: float | None = None


_STATED = ("duration", "prompt_tokens", "output_tokens", "prompt_cost", "output_cost")
"""Fields of a log that a call's end states."""


def begin(tx: Connection, draft: LogDraft, samples: int, *, now: int) -> list[Begun]:
    """A log without output for each sample that is asked for.

    Raises:
        Invalid, NotFound: As `posting.post` does.
    """
    posted = post(tx, [draft] * samples, now=now, single=True)
    same = logs.c.id == posted[0].id
    config = tx.execute(select(configs.c.id).join(logs, logs.c.config == configs.c.key).where(same)).scalar_one()
    return [Begun(id=log.id, config_id=config, project_id=log.project_id, session_id=log.session_id) for log in posted]


def unkept(samples: int) -> list[Begun]:
    """What stands in for the logs of a call that belongs to no project."""
    id = new_id("config")
    return [Begun(id=timely_id("data"), config_id=id, project_id=None, session_id=None) for _ in range(samples)]


def end(tx: Connection, ended: Sequence[Ended], *, now: int) -> None:
    """Gives logs what their calls came to. One that was deleted meanwhile stays so."""
    rows = Workspace(tx)
    found = {log.id: log for log in rows.expect_logs([each.id for each in ended])}
    for each in ended:
        if each.id in found:
            changes: dict[str, Any] = {"created_at": now, **{field: getattr(each, field) for field in _STATED}}
            rewrite(rows, found[each.id], changes, each.content, now=now)
    rows.flush(now=now)

"""What the lines of an archive hold. Times in microseconds since the epoch, durations in seconds, costs in dollars."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from otel_humanloop.server.store.records import Content

_Number = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project. `active_config_id` is deployed in its default environment."""

    id: str
    name: str
    directory_id: str | None
    config_type: str | None
    created_at: _Number
    updated_at: _Number
    active_config_id: str | None = None


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a project. `config` is its `ConfigResponse`."""

    id: str
    project_id: str
    hash: str
    type: str
    name: str
    status: str
    created_at: _Number
    updated_at: _Number
    last_used: _Number
    config: dict[str, Any]


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """A version in an environment other than the default one, whose id this is."""

    id: str
    environment: str
    project_id: str
    config_id: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session, but for what follows from its logs."""

    id: str
    reference_id: str | None
    created_at: _Number
    updated_at: _Number


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """A log, with the ids of all that it belongs to."""

    id: str
    project_id: str
    config_id: str
    session_id: str | None
    reference_id: str | None
    parent_reference_id: str | None
    created_at: _Number
    started_at: _Number
    ended_at: _Number
    updated_at: _Number
    duration: float | None
    prompt_tokens: _Number | None
    output_tokens: _Number | None
    prompt_cost: float | None
    output_cost: float | None
    failed: bool
    saved: bool
    source: str | None
    environment: str | None
    content: Content
    parent_id: str | None = None
    feedback: list[dict[str, Any]] = []


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment, by its hash."""

    id: str
    media_type: str
    base64: bytes


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one line holds: one of these."""

    project: Project | None = None
    version: Version | None = None
    deployment: Deployment | None = None
    session: Session | None = None
    log: Log | None = None
    attachment: Attachment | None = None


_LINE = msgspec.json.Decoder(Line)
KINDS: tuple[str, ...] = Line.__struct_fields__
"""What an archive holds, in the order it is written."""


def held_in(line: bytes) -> tuple[str, Any]:
    """The kind of what a line holds, and that.

    Raises:
        ValueError, UnicodeDecodeError, RecursionError: It is not of an archive. (msgspec's errors are among the first.)
    """
    line.decode()  # what is kept as it stands is not looked into otherwise
    said = _LINE.decode(line)
    held = [(kind, value) for kind in KINDS if (value := getattr(said, kind)) is not None]
    if len(held) != 1:
        raise ValueError(f"it must hold one {', '.join(KINDS[:-1])} or {KINDS[-1]}")
    return held[0]

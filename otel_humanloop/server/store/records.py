"""What goes into the store and what stands in it, as records.

A *draft* is what a request says, checked and encoded: `None` and `UNSET` mean that it says nothing. A *row* is a line
of a table without the content. What there are many of is none of the garbage collector's business (`gc=False`): none of
it can hold itself.
"""

from __future__ import annotations

from typing import Any

import msgspec

Json = msgspec.Raw | msgspec.UnsetType
"""A value as JSON bytes, or nothing."""

UNSET = msgspec.UNSET


class Content(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The payload of a log: what the server keeps and hands on without looking into it."""

    inputs: Json = UNSET
    messages: Json = UNSET
    output: Json = UNSET
    output_message: Json = UNSET
    judgment: Json = UNSET
    error: Json = UNSET
    stdout: Json = UNSET
    metadata: Json = UNSET
    provider_request: Json = UNSET
    provider_response: Json = UNSET
    source_datapoint_id: Json = UNSET
    user: Json = UNSET
    provider_latency: Json = UNSET
    raw_output: Json = UNSET
    finish_reason: Json = UNSET
    tool_choice: Json = UNSET

    def given(self) -> dict[str, Any]:
        """The fields that say something."""
        return {field: value for field in CONTENT if (value := getattr(self, field)) is not UNSET}

    def over(self, kept: Content) -> Content:
        """`kept`, with the fields given here in place of its own."""
        return msgspec.structs.replace(kept, **self.given())

    def without_payload(self) -> Content:
        """What `save: false` leaves: neither inputs nor outputs nor what went to the provider and came back."""
        return msgspec.structs.replace(self, **dict.fromkeys(_PAYLOAD, UNSET))


CONTENT = Content.__struct_fields__
_PAYLOAD = (
    "inputs",
    "messages",
    "output",
    "raw_output",
    "output_message",
    "stdout",
    "provider_request",
    "provider_response",
)


class ConfigDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A config with its defaults applied.

    Attributes:
        type: "model", "tool", "agent" or "generic".
        name: As given, or made up from the hash.
        hash: The same for what makes the same version.
        body: A `ConfigResponse` but for its id.
    """

    type: str
    name: str
    hash: str
    body: dict[str, Any]


class FeedbackDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says about a log.

    Attributes:
        value: JSON; None only where what was said is taken back (`unset`).
        label: The value as filters and sorts compare it.
        created_at: Microseconds since the epoch.
        id: Of feedback that had one before; None for a new one.
    """

    type: str
    value: bytes | None
    label: str
    user: str | None
    created_at: int | None
    unset: bool = False
    id: str | None = None


class LogDraft(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One log as a request gives it. Times in microseconds since the epoch, duration in seconds, costs in dollars."""

    project: str | None = None
    project_id: str | None = None
    session_id: str | None = None
    session_reference_id: str | None = None
    parent_id: str | None = None
    parent_reference_id: str | None = None
    reference_id: str | None = None
    created_at: int | None = None
    duration: float | None = None
    source: str | None = None
    environment: str | None = None
    save: bool | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    prompt_cost: float | None = None
    output_cost: float | None = None
    config: ConfigDraft | None = None
    config_id: str | None = None
    content: Content = Content()
    feedback: tuple[FeedbackDraft, ...] = ()


class LogRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A log but for its content. `project`, `config`, `session` and `parent` are keys."""

    key: int
    id: str
    project: int
    config: int
    session: int | None
    reference_id: str | None
    parent: int | None
    parent_reference_id: str | None
    created_at: int
    started_at: int
    ended_at: int
    updated_at: int
    duration: float | None
    prompt_tokens: int | None
    output_tokens: int | None
    prompt_cost: float | None
    output_cost: float | None
    failed: bool
    saved: bool
    source: str | None
    environment: str | None


class SessionRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A session with the totals of its logs.

    Attributes:
        first_log: The key of the log that started first; `last_log` of the one that ended last.
        cost: In 1e-12 dollars.
        duration: From the first start to the last end, in microseconds.
        tokens: Prompt and output together.
        counted, priced: How many of its logs state tokens, and a cost. Where none does, the sum of 0 says nothing.
    """

    key: int
    id: str
    reference_id: str | None
    logs: int
    first_log: int | None
    last_log: int | None
    started_at: int
    ended_at: int
    prompt_tokens: int
    output_tokens: int
    cost: int
    errors: int
    created_at: int
    updated_at: int
    counted: int = 0
    priced: int = 0
    duration: int = 0
    tokens: int = 0


class ProjectRow(msgspec.Struct, frozen=True, kw_only=True):
    """A project. `active_config` is a key."""

    key: int
    id: str
    name: str
    directory_id: str | None
    config_type: str | None
    active_config: int | None
    logs: int
    created_at: int
    updated_at: int


class ConfigRow(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a project's config.

    Attributes:
        model: Of a model config, its model.
        status: "committed" once somebody registered or deployed it, until then "uncommitted".
        body: Its `ConfigResponse` as JSON.
    """

    key: int
    id: str
    project: int
    hash: str
    type: str
    name: str
    model: str | None
    status: str
    body: bytes
    logs: int
    created_at: int
    updated_at: int
    last_used: int


class Change(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of a log: None before is new, None after is deleted."""

    before: LogRow | None
    after: LogRow | None


class Posted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where a log of a body stands now: the ids its sender is told."""

    id: str
    project_id: str
    session_id: str | None

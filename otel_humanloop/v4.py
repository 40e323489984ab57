"""Humanloop's v4 API as types: what the pipeline sends and the server answers.

Written from the published contract (OpenAPI "Humanloop API" 4.0.1). `None` means absent: records are encoded with
their defaults left out, so that an optional field the contract does not allow to be null is never sent as null.
"""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

import msgspec

PROVIDERS = frozenset(
    {"openai", "openai_azure", "mock", "anthropic", "bedrock", "cohere", "replicate", "google", "groq"}
)
"""`ModelProviders`: what `ModelConfig.provider` may hold."""

ROLES = frozenset({"user", "assistant", "system", "tool"})
"""`ChatRole`: what `ChatMessage.role` may hold."""


class _Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What every record on the wire shares: frozen, by keyword, absent fields left out, unknown keys ignored.

    No circle can close through one, so Python's collector of circles need not look at them.
    """


class FunctionCall(_Wire, frozen=True, kw_only=True):
    """`FunctionTool`: `arguments` is JSON text."""

    name: str
    arguments: str | None = None


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """A model asking for a tool; its `type` is always written, for the contract requires it."""

    id: str
    function: FunctionCall
    type: Literal["function"] = "function"


class ImageUrl(_Wire, frozen=True, kw_only=True):
    """`detail` is "high", "low" or "auto"."""

    url: str
    detail: str | None = None


class TextContent(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """`TextChatContent`: words, where a message has other contents too."""

    text: str


class ImageContent(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="image_url"):
    """`ImageChatContent`: an image by address, which may be a `data:` URI."""

    image_url: ImageUrl


class ChatMessage(_Wire, frozen=True, kw_only=True):
    """`ChatMessageWithToolCall`. `role` is one of `ROLES` in what we send; a server takes any."""

    role: str
    content: str | list[TextContent | ImageContent] | None = None
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call: FunctionCall | None = None


class Tool(_Wire, frozen=True, kw_only=True):
    """`ModelConfigToolRequest`: a tool offered to a model. `parameters` is a JSON Schema."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ResponseFormat(_Wire, frozen=True, kw_only=True):
    """`type` is "json_object" or "json_schema"."""

    type: str
    json_schema: dict[str, Any] | None = None


class ModelConfig(_Wire, frozen=True, kw_only=True, tag_field="type", tag="model"):
    """`ModelConfigRequest`. `provider` is one of `PROVIDERS`, `endpoint` "complete", "chat" or "edit"."""

    model: str
    name: str | None = None
    description: str | None = None
    provider: str | None = None
    endpoint: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: str | list[str] | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    response_format: ResponseFormat | None = None
    prompt_template: str | None = None
    chat_template: list[ChatMessage] | None = None
    tools: list[Tool] | None = None
    other: dict[str, Any] | None = None


class ToolConfig(_Wire, frozen=True, kw_only=True, tag_field="type", tag="tool"):
    """`ToolConfigRequest`. Also an agent, a chain or a plain step, told apart by `other.kind`."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    source_code: str | None = None
    other: dict[str, Any] | None = None


Config = ModelConfig | ToolConfig

ConfigT = TypeVar("ConfigT")


FeedbackValue = bool | int | float | str | list[str]


class Feedback(_Wire, frozen=True, kw_only=True):
    """`FeedbackRequest`: what somebody says about a log. Within a log request, `data_id` and `unset` mean nothing.

    Attributes:
        type: "rating", "action", "issue", "correction", "comment", or one of the caller's own.
        value: May be absent only where `unset` takes back what was said.
        created_at: ISO 8601.
    """

    type: str
    value: FeedbackValue | None = None
    data_id: str | None = None
    user: str | None = None
    created_at: str | None = None
    unset: bool | None = None


class FeedbackResponse(_Wire, frozen=True, kw_only=True):
    """Feedback as it is kept. `value` is JSON as it was given."""

    id: str
    type: str
    value: msgspec.Raw
    data_id: str | None = None
    user: str | None = None
    created_at: str | None = None


class LogRequest(_Wire, Generic[ConfigT], frozen=True, kw_only=True):
    """One log. The pipeline sends `LogRequest[Config]`; a server may read the config its own way.

    Attributes:
        project, project_id: One of them is needed for a new log.
        session_id, session_reference_id: At most one; likewise `parent_id` and `parent_reference_id`.
        created_at: ISO 8601; of a finished span its end.
        duration: Seconds.
        prompt_cost, output_cost: US dollars.
    """

    project: str | None = None
    project_id: str | None = None
    session_id: str | None = None
    session_reference_id: str | None = None
    parent_id: str | None = None
    parent_reference_id: str | None = None
    reference_id: str | None = None
    inputs: dict[str, Any] | None = None
    messages: list[ChatMessage] | None = None
    output: str | None = None
    output_message: ChatMessage | None = None
    judgment: bool | float | str | list[str] | None = None
    error: str | None = None
    stdout: str | None = None
    duration: float | None = None
    created_at: str | None = None
    source: str | None = None
    source_datapoint_id: str | None = None
    metadata: dict[str, Any] | None = None
    environment: str | None = None
    save: bool | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    prompt_cost: float | None = None
    output_cost: float | None = None
    provider_request: dict[str, Any] | None = None
    provider_response: dict[str, Any] | None = None
    config: ConfigT | None = None
    config_id: str | None = None
    feedback: Feedback | list[Feedback] | None = None


class UpdateLogRequest(_Wire, frozen=True, kw_only=True):
    """What a log that was posted without output can still be given: nothing else can be patched."""

    output: str | None = None
    error: str | None = None
    duration: float | None = None


class CreateLogResponse(_Wire, frozen=True, kw_only=True):
    """`session_id` is present only when the log was given a session."""

    id: str
    project_id: str
    session_id: str | None = None


class CreateSessionResponse(_Wire, frozen=True, kw_only=True):
    """The answer of `POST /sessions`."""

    id: str


class SessionProjectResponse(_Wire, frozen=True, kw_only=True):
    """A project with logs in a session. `type` is one of `FileType`: "prompt", "tool", "flow", ..."""

    id: str
    name: str
    type: str


class SessionResponse(_Wire, frozen=True, kw_only=True):
    """A session, without its logs.

    Attributes:
        projects: By the start of their first log in the session.
        datapoints_count: Nested logs count too.
        first_inputs: Inputs of the log that started first.
        last_output: Output of the log that ended last; absent while that log has none.
        created_at, updated_at: ISO 8601.
        started_at, ended_at, prompt_tokens, output_tokens, cost, errors_count: What the published contract has not:
            when its first log started and its last ended (ISO 8601), sums over its logs (cost in US dollars; absent
            where no log states any), and how many of them are errors.
    """

    id: str
    projects: list[SessionProjectResponse]
    datapoints_count: int
    created_at: str
    updated_at: str
    reference_id: str | None = None
    first_inputs: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    last_output: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    started_at: str | None = None
    ended_at: str | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    errors_count: int | None = None


class LogResponse(_Wire, frozen=True, kw_only=True):
    """A log as it is kept: what was given, and what the server adds.

    Fields that the server only hands on are JSON as it was given (`msgspec.Raw`).

    Attributes:
        config: A `ConfigResponse`.
        evaluation_results: Always empty: evaluators are not built.
        observability_status: "completed".
        created_at, updated_at: ISO 8601.
        duration: Seconds.
        tokens: Prompt and output tokens together.
        started_at: What the published contract has not: when the work began (ISO 8601).
    """

    id: str
    config: msgspec.Raw
    evaluation_results: list[Any]
    observability_status: str
    updated_at: str
    project: str
    project_id: str
    config_id: str
    created_at: str
    started_at: str
    session_id: str | None = None
    session_reference_id: str | None = None
    parent_id: str | None = None
    parent_reference_id: str | None = None
    reference_id: str | None = None
    inputs: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    messages: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    output: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    output_message: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    judgment: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    stdout: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    provider_request: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    provider_response: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    source_datapoint_id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    duration: float | None = None
    source: str | None = None
    environment: str | None = None
    save: bool | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    tokens: int | None = None
    prompt_cost: float | None = None
    output_cost: float | None = None
    feedback: list[FeedbackResponse] | None = None
    user: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    provider_latency: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    raw_output: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    finish_reason: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    tool_choice: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class ProjectConfigResponse(_Wire, frozen=True, kw_only=True):
    """A config as a version of a project; `environment_id` where it is what is deployed to one."""

    project_id: str
    project_name: str
    created_at: str
    updated_at: str
    last_used: str
    config: msgspec.Raw
    num_datapoints: int | None = None
    environment_id: str | None = None


class ProjectResponse(_Wire, frozen=True, kw_only=True):
    """A project. `config_type` is absent until its first log; `data_count` counts its logs."""

    id: str
    name: str
    users: list[Any]
    data_count: int
    feedback_types: list[dict[str, Any]]
    team_id: str
    created_at: str
    updated_at: str
    config_type: str | None = None
    active_config: ProjectConfigResponse | None = None
    directory_id: str | None = None


class CreateProjectRequest(_Wire, frozen=True, kw_only=True):
    """The body of `POST /projects`."""

    name: str
    directory_id: str | None = None


class UpdateProjectRequest(_Wire, frozen=True, kw_only=True):
    """The body of `PATCH /projects/{id}`."""

    name: str | None = None
    active_config_id: str | None = None
    directory_id: str | None = None


RecordT = TypeVar("RecordT")


class Page(msgspec.Struct, Generic[RecordT], frozen=True, kw_only=True):
    """What every list answers. `page` is the number asked for; a page past the end is empty, not an error."""

    records: list[RecordT]
    page: int
    size: int
    total: int

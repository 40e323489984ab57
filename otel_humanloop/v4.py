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


class _Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every record on the wire shares: frozen, by keyword, absent fields left out, unknown keys ignored."""


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
    text: str


class ImageContent(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="image_url"):
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

"""The part of the v4 contract that only a server speaks: versions of a project, where they are deployed, model calls.

As in `v4.py`, `None` means absent.
"""

from __future__ import annotations

from typing import Any

import msgspec

from otel_humanloop.v4 import ChatMessage, FunctionCall, ToolCall


class _Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As on the pipeline's side: frozen, by keyword, absent fields left out, unknown keys ignored."""


class EnvironmentRequest(_Wire, frozen=True, kw_only=True):
    """An environment, by id; one whose id is not known is found, or made, by its name."""

    id: str
    name: str | None = None


class DeployRequest(_Wire, frozen=True, kw_only=True):
    """`EnvironmentProjectConfigRequest`: without environments, the default one is meant."""

    config_id: str
    environments: list[EnvironmentRequest] | None = None


class Deployment(_Wire, frozen=True, kw_only=True):
    """`EnvironmentProjectConfigResponse`. `environment_tag` is "default" or "other"."""

    project_id: str
    project_name: str
    environment_id: str
    environment_name: str
    environment_tag: str
    model_config_id: str | None = None
    model_config_name: str | None = None


class PromptFile(_Wire, frozen=True, kw_only=True):
    """The body of `POST /model-configs/deserialize`: a `.prompt` file as text."""

    config: str


class CallRequest(_Wire, frozen=True, kw_only=True):
    """The six requests of `/chat` and `/completion` in one: what is not of a form is absent in it.

    Attributes:
        model_config: Of the plain form; `model_config_id` of the `-model-config` form, `environment` of `-deployed`.
        messages: Of a chat: those after the template's.
        provider_api_keys: By provider. Used for this call, kept nowhere.
        return_inputs: Whether the answer repeats the inputs.
        logprobs, suffix: Of a completion.
    """

    project: str | None = None
    project_id: str | None = None
    session_id: str | None = None
    session_reference_id: str | None = None
    parent_id: str | None = None
    parent_reference_id: str | None = None
    inputs: dict[str, Any] | None = None
    source: str | None = None
    metadata: dict[str, Any] | None = None
    save: bool | None = None
    source_datapoint_id: str | None = None
    provider_api_keys: dict[str, Any] | None = None
    num_samples: int | None = None
    stream: bool | None = None
    user: str | None = None
    seed: int | None = None
    return_inputs: bool | None = None
    messages: list[ChatMessage] | None = None
    tool_choice: Any = None
    tool_call: Any = None
    response_format: dict[str, Any] | None = None
    logprobs: int | None = None
    suffix: str | None = None
    model_config: dict[str, Any] | None = None
    model_config_id: str | None = None
    environment: str | None = None


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of all samples together."""

    prompt_tokens: int
    generation_tokens: int
    total_tokens: int


class Sample(_Wire, frozen=True, kw_only=True):
    """`DataResponse` and `ChatDataResponse`: one answer of the model, and the log it is kept as.

    Attributes:
        output: Without surrounding white space; in a stream, what is new.
        raw_output: As the model said it.
        finish_reason: "stop", "length" or "tool_call".
        messages: What was sent, template first; of a chat.
        tool_call: The first of `tool_calls`, as programs of 2023 read it.
    """

    id: str
    index: int
    output: str
    raw_output: str
    model_config_id: str
    inputs: dict[str, Any] | None = None
    finish_reason: str | None = None
    messages: list[ChatMessage] | None = None
    tool_call: FunctionCall | None = None
    tool_calls: list[ToolCall] | None = None
    output_message: ChatMessage | None = None


class CallResponse(_Wire, frozen=True, kw_only=True):
    """`ChatResponse` and `CompletionResponse`."""

    data: list[Sample]
    provider_responses: list[Any]
    project_id: str | None = None
    num_samples: int | None = None
    logprobs: int | None = None
    suffix: str | None = None
    user: str | None = None
    usage: Usage | None = None
    metadata: dict[str, Any] | None = None
    provider_request: dict[str, Any] | None = None
    session_id: str | None = None
    tool_choice: Any = None

"""A log's config: the version of the model or tool that did the work.

A call of a model is a `model` config. Everything else is a `tool` config, for the contract takes no other; its
`other.kind` says what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import msgspec

from otel_humanloop import v4
from otel_humanloop.logs.chat import chat
from otel_humanloop.logs.naming import storable
from otel_humanloop.operation import Kind, Operation, ToolDefinition

# The names instrumentations give providers (OTel `gen_ai.provider.name`, older `gen_ai.system`, LiteLLM, Vercel)
# -> the contract's. Any other name is kept under `other.provider`.
_PROVIDERS = {
    "azure": "openai_azure",
    "azure.ai.openai": "openai_azure",
    "azure_openai": "openai_azure",
    "az.ai.openai": "openai_azure",
    "aws": "bedrock",
    "aws.bedrock": "bedrock",
    "aws_bedrock": "bedrock",
    "amazon-bedrock": "bedrock",
    "gcp": "google",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "gemini": "google",
    "vertex_ai": "google",
    "vertexai": "google",
}

_MODEL = Kind.MODEL

_LARGEST = 2**53  # JSON's whole numbers, RFC 8259 section 6

_LIMITS = ("max_completion_tokens", "max_output_tokens")


def config_of(operation: Operation, span_name: str) -> v4.Config:
    """The config a log of this operation carries."""
    if operation.kind is _MODEL:
        return _model_config(operation)
    return _tool_config(operation, span_name)


def _model_config(operation: Operation) -> v4.ModelConfig:
    taken, other = _parameters(operation.parameters) if operation.parameters else ({}, {})
    provider = _provider(operation.provider, other)
    template = operation.template
    if template is not None and template.version is not None:
        other["prompt_version"] = template.version
    return v4.ModelConfig(
        model=storable(operation.request_model) or storable(operation.response_model) or "unknown",
        name=storable(template.name) if template is not None else None,
        provider=provider,
        endpoint=operation.endpoint or ("chat" if operation.messages is not None else None),
        prompt_template=template.text if template is not None else None,
        chat_template=chat(template.messages).messages if template is not None and template.messages else None,
        tools=[_tool(tool) for tool in operation.tools] if operation.tools else None,
        other=other or None,
        **taken,
    )


def _tool_config(operation: Operation, span_name: str) -> v4.ToolConfig:
    other: dict[str, Any] = {"kind": operation.kind.value}
    model = operation.request_model or operation.response_model
    if model is not None:
        other["model"] = model
    provider = _provider(operation.provider, other)
    if provider is not None:
        other["provider"] = provider
    if operation.parameters:
        other["parameters"] = dict(operation.parameters)
    if operation.tools:
        other["tools"] = [msgspec.to_builtins(_tool(tool)) for tool in operation.tools]
    return v4.ToolConfig(
        name=storable(operation.name) or storable(span_name) or operation.kind.value,
        description=operation.description,
        parameters=dict(operation.tool_parameters) if operation.tool_parameters is not None else None,
        other=other,
    )


def _provider(name: str | None, other: dict[str, Any]) -> str | None:
    if name is None:
        return None
    known = _PROVIDERS.get(name.lower(), name.lower())
    if known in v4.PROVIDERS:
        return known
    other["provider"] = name
    return None


def _tool(tool: ToolDefinition) -> v4.Tool:
    return v4.Tool(
        name=tool.name,
        description=tool.description,
        parameters=dict(tool.parameters) if tool.parameters is not None else None,
        strict=tool.strict,
    )


def _parameters(parameters: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters whose values are ones the contract allows, and all others."""
    taken: dict[str, Any] = {}
    other: dict[str, Any] = {}
    limit: str | None = None  # what stands for `max_tokens`
    if "max_tokens" not in parameters:
        limit = next(filter(parameters.__contains__, _LIMITS), None)
    for said, value in parameters.items():
        name = said if said != limit else "max_tokens"
        accept = _ACCEPTED.get(name)
        accepted = accept(value) if accept is not None and value is not None else None
        if accepted is not None:
            taken[name] = accepted
        else:
            other[name] = value
    return taken, other


def _whole(value: Any) -> int | None:
    if type(value) is int:
        return value if -_LARGEST < value < _LARGEST else None
    return int(value) if isinstance(value, float) and value.is_integer() else None


def _real(value: Any) -> float | None:
    return value if type(value) in (float, int) and value == value else None


def _stop(value: Any) -> str | list[str] | None:
    if isinstance(value, str):
        return value
    if not isinstance(value, (list, tuple)):
        return None
    texts = cast("Sequence[Any]", value)
    return list(texts) if all(isinstance(text, str) for text in texts) else None


def _response_format(value: Any) -> v4.ResponseFormat | None:
    if not isinstance(value, Mapping):
        return None
    fields = cast("Mapping[str, Any]", value)
    if fields.get("type") not in ("json_object", "json_schema"):
        return None
    schema = fields.get("json_schema")
    return v4.ResponseFormat(
        type=fields["type"], json_schema=cast("dict[str, Any]", schema) if isinstance(schema, dict) else None
    )


_ACCEPTED: Mapping[str, Callable[[Any], Any]] = {
    "max_tokens": _whole,
    "temperature": _real,
    "top_p": _real,
    "stop": _stop,
    "presence_penalty": _real,
    "frequency_penalty": _real,
    "seed": _whole,
    "response_format": _response_format,
}
"""The parameters a model config has a field for; all others are kept under `other`."""

"""What config a log was made with: defaults applied, then hashed, so that what is the same is one version.

The published contract takes `model` and `tool`; `agent` and `generic`, which were accepted in 2023 and still stand in
its answers, are taken too. Without a type it is a model. A model's parameters that the contract does not name are kept
under `other`.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from otel_humanloop import v4
from otel_humanloop.server.failures import Invalid, Loc, invalid
from otel_humanloop.server.names import name_of
from otel_humanloop.server.requests import check_text
from otel_humanloop.server.store.ids import derived_id
from otel_humanloop.server.store.records import ConfigDraft

_MODEL_DEFAULTS: dict[str, Any] = {
    "provider": "openai",
    "endpoint": "complete",
    "max_tokens": -1,
    "temperature": 1.0,
    "top_p": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "other": {},
}
PARAMETERS = (
    "model", "provider", "endpoint", "temperature", "max_tokens", "top_p", "stop", "presence_penalty",
    "frequency_penalty", "seed", "response_format",
)  # fmt: skip
"""What a model's config sets besides its template and tools, in the order it is read in."""

_MODEL_FIELDS = frozenset(v4.ModelConfig.__struct_fields__)
SECRETS = "provider_api_keys"
"""What is never kept, wherever a client puts it."""
_DROPPED = frozenset({"type", SECRETS, "id", "status", "created_by", "tool_configs"})
"""What of a model's config says nothing about the model: clients post what `active-config` answered them."""
_ENDPOINTS = ("complete", "chat", "edit")
_FORMATS = ("json_object", "json_schema")
_SOURCES = ("inline", "organization")
_UNHASHED = {
    "model": ("name", "description"),
    "tool": (),
    "agent": ("name", "description"),
    "generic": (),
}
"""What may differ between two configs that are one version."""

_COLUMNS = ("name", "model")
"""Fields that are columns of their own, besides being kept with the others."""

_encoder = msgspec.json.Encoder(order="sorted")


class _Agent(msgspec.Struct, frozen=True, kw_only=True):
    """`AgentConfigResponse` as it is posted."""

    agent_class: str
    model_config: dict[str, Any]
    tools: list[dict[str, Any]] | None = None
    name: str | None = None
    description: str | None = None
    other: dict[str, Any] | None = None


class _Generic(msgspec.Struct, frozen=True, kw_only=True):
    """`GenericConfigResponse` as it is posted."""

    name: str | None = None
    description: str | None = None
    other: dict[str, Any] | None = None


_EXTRA_TOOL_FIELDS = ("source", "preset_name")


def config_draft(given: dict[str, Any], loc: Loc) -> ConfigDraft:
    """The config a request gives.

    Raises:
        Invalid: It is not a config of its type.
    """
    kind = "model" if given.get("type") is None else given["type"]
    readers = {"model": _model, "tool": _tool, "agent": _agent, "generic": _generic}
    if not isinstance(kind, str) or kind not in readers:
        raise Invalid((*loc, "type"), f"must be one of: {', '.join(readers)}", kind="type_error.enum")
    body = readers[kind](given, loc)
    for field in _COLUMNS:
        if isinstance(body.get(field), str):
            check_text(body[field], (*loc, field))
    unhashed = _UNHASHED[kind]
    digest = hashlib.sha256(_encoder.encode({k: v for k, v in body.items() if k not in unhashed})).digest()
    name = body.get("name")
    if name is None:
        name = name_of(digest)
        body["name"] = name
    return ConfigDraft(type=kind, name=name, hash=digest.hex(), body=body)


def _model(given: dict[str, Any], loc: Loc) -> dict[str, Any]:
    fields = {field: value for field, value in given.items() if field in _MODEL_FIELDS}
    tools = fields.pop("tools", None)
    known = _MODEL_FIELDS | _DROPPED
    unknown = {field: value for field, value in given.items() if field not in known}
    config = _fields(_read({"type": "model", **fields}, v4.ModelConfig, loc))
    other: dict[str, Any] = {**config.pop("other", {}), **unknown}
    body: dict[str, Any] = {"type": "model", **_MODEL_DEFAULTS, **config, "other": other}
    if body["provider"] not in v4.PROVIDERS:
        other["provider"] = body.pop("provider")
    if body.get("response_format", {}).get("type", _FORMATS[0]) not in _FORMATS:
        other["response_format"] = body.pop("response_format")
    if body["endpoint"] not in _ENDPOINTS:
        raise Invalid((*loc, "endpoint"), f"must be one of: {', '.join(_ENDPOINTS)}", kind="type_error.enum")
    if tools is not None:
        body["tools"] = _offered_tools(tools, (*loc, "tools"))
    return body


def _offered_tools(tools: Any, loc: Loc) -> list[dict[str, Any]]:
    """Tools offered to a model; each has an id in the contract's answers, so one without is given one."""
    read: list[dict[str, Any]] = []
    for index, tool in enumerate(_read(tools, list[dict[str, Any]], loc)):
        fields = dict(tool)
        if fields.get("source") == "organization":
            fields.setdefault("name", fields.get("id"))  # a tool of the organisation may be named by its id alone
        _read(fields, v4.Tool, (*loc, index))
        id = fields.pop("id", None)
        if not isinstance(id, str):
            id = derived_id("config", _encoder.encode(fields))
        read.append({"id": id, **{field: value for field, value in fields.items() if value is not None}})
    return read


def _tool(given: dict[str, Any], loc: Loc) -> dict[str, Any]:
    body = {"type": "tool", **_fields(_read({**given, "type": "tool"}, v4.ToolConfig, loc))}
    for field in _EXTRA_TOOL_FIELDS:
        if given.get(field) is not None:
            body[field] = _read(given[field], str, (*loc, field))
    if body.get("source", "inline") not in _SOURCES:
        body["source_code"] = body.pop("source")  # before 0.6 the SDKs' `source` was the code itself
    return {**body, "status": "committed", "is_preset": "preset_name" in body}


def _agent(given: dict[str, Any], loc: Loc) -> dict[str, Any]:
    body = _fields(_read(given, _Agent, loc))
    model = _model(body["model_config"], (*loc, "model_config"))
    tools = [_tool(tool, (*loc, "tools", index)) for index, tool in enumerate(body.get("tools", []))]
    for tool in tools:
        del tool["status"], tool["is_preset"]
    return {"type": "agent", **body, "model_config": model, "tools": tools, "status": "committed"}


def _generic(given: dict[str, Any], loc: Loc) -> dict[str, Any]:
    return {"type": "generic", **_fields(_read(given, _Generic, loc)), "status": "committed"}


def _read(value: Any, type: Any, loc: Loc) -> Any:
    try:
        return msgspec.convert(value, type)
    except msgspec.ValidationError as error:
        raise invalid(error, loc) from error


def _fields(record: msgspec.Struct) -> dict[str, Any]:
    """The fields that say something, as plain values; without keys of providers, which are no part of a config."""
    fields = {
        field: value for field, value in msgspec.to_builtins(record).items() if value is not None and field != "type"
    }
    fields.get("other", {}).pop(SECRETS, None)
    return fields

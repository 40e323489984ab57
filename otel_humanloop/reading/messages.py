"""Chat messages, in every shape they are written, as `operation.Message`.

A conversation is a list of objects with a role. What they say stands in `parts` (GenAI), in `content` (the vendors'
own APIs) or in `contents` (OpenInference), as text or as a list of parts; OpenAI's Responses put calls of tools and
their results beside the messages. Indexed families are first made such lists by `readers.indexed`. Nothing here raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from otel_humanloop.operation import Message, Part, Refusal, ToolCall, ToolDefinition, ToolResult
from otel_humanloop.reading import usual
from otel_humanloop.reading.parts import field, part, parts, reasoning, text_of, tool_call
from otel_humanloop.reading.values import as_object, as_structure, as_text, within
from otel_humanloop.spans import Value

LEAVES = frozenset(
    {
        *("role", "name", "finish_reason", "tool_call_id"),
        *("type", "content", "text", "refusal", "reasoning_content"),
        *("id", "arguments", "input"),
        *("url", "detail", "file_id", "mime_type", "data", "format"),
    }
)
"""How the keys of an indexed family end that a message has a place for."""

_GENAI = frozenset({"role", "parts", "name", "finish_reason"})
"""All that a message of OpenTelemetry GenAI holds."""

_ROLES_OF_ITEMS = {"function_call_output": "tool"}
"""OpenAI Responses: items of a conversation that are no messages. Any other is the assistant's."""


def conversation(role: str) -> Callable[[Any], tuple[Message, ...] | None]:
    """A maker of messages for `readers.mapped`, out of a JSON value or an indexed family.

    Args:
        role: Whose words they are where none is named: "user" for what goes in, "assistant" for what comes out.
    """

    def make(value: Any) -> tuple[Message, ...] | None:
        if isinstance(value, list):
            return tuple(message(item, role) for item in cast("list[Any]", value))
        if value is None:
            return None
        return (message(value, role),)

    return make


def written(role: str) -> Callable[[Value], tuple[Message, ...] | None]:
    """The same of an attribute's value, for `readers.attribute`: JSON text, or the value itself.

    Several fields are read from one attribute: what its text came to is remembered until there is another.
    """
    make = conversation(role)
    lately: tuple[Value, tuple[Message, ...] | None] = None, None

    def parse(value: Value) -> tuple[Message, ...] | None:
        nonlocal lately
        if not isinstance(value, str):
            return make(as_structure(value))
        text, said = lately
        if text is not value:
            said = usual.conversation(value, role)
            if said is None:
                said = make(as_structure(value))
            lately = value, said
        return said

    return parse


def message(value: Any, role: str) -> Message:
    """One message; text alone is a message of `role`."""
    if isinstance(value, dict) and _GENAI.issuperset(plain := cast("dict[str, Any]", value)) and "parts" in plain:
        # Nearly all messages are of this shape, and nearly all that reading costs is theirs.
        own_role = field(plain, "role") or role
        if own_role != "tool":
            return Message(
                role=own_role,
                parts=parts(plain["parts"]),
                name=field(plain, "name"),
                finish_reason=field(plain, "finish_reason"),
            )
    fields = _unwrapped(value, "message", "prompt", "completion")
    if fields is None:
        return Message(role=role, parts=parts(value))
    if "role" not in fields and isinstance(fields.get("type"), str) and fields["type"] != "message":
        return Message(role=_ROLES_OF_ITEMS.get(fields["type"], "assistant"), parts=(part(fields),))
    said = _said(fields)
    written_role = field(fields, "role") or role
    call = field(fields, "tool_call_id")
    if written_role == "tool" and not any(isinstance(one, ToolResult) for one in said):
        said = (ToolResult(text=text_of(said), id=call),)
    return Message(
        role=written_role,
        parts=said,
        name=field(fields, "name"),
        finish_reason=field(fields, "finish_reason"),
    )


def instructions(value: Any) -> tuple[Message, ...] | None:
    """System instructions, plain or as parts, as the message they are."""
    said = parts(value)
    return (Message(role="system", parts=said),) if said else None


def written_instructions(value: Value) -> tuple[Message, ...] | None:
    """The same of an attribute's value: JSON text, plain text, or the value itself."""
    said = usual.instructions(value) if isinstance(value, str) else None
    return instructions(as_structure(value)) if said is None else said


def tool_definitions(value: Any) -> tuple[ToolDefinition, ...] | None:
    """Tools offered to a model: flat, under `function` (OpenAI), with an `input_schema` (Anthropic), or several in one
    object (Gemini).

    What has no name is no tool. None where none has.
    """
    items = [one for item in (cast("list[Any]", value) if isinstance(value, list) else [value]) for one in _each(item)]
    found = [definition for item in items if (definition := _tool_definition(item)) is not None]
    return tuple(found) or None


def finish_reasons(messages: tuple[Message, ...]) -> tuple[str, ...] | None:
    """Why each choice stopped, where its message says so."""
    reasons = tuple(one.finish_reason for one in messages if one.finish_reason)
    return reasons or None


def finished(messages: tuple[Message, ...], reasons: tuple[str, ...]) -> tuple[Message, ...]:
    """The messages with why each stopped, where there is one reason for each."""
    if len(messages) != len(reasons):
        return messages
    pairs = zip(messages, reasons, strict=True)
    return tuple(msgspec.structs.replace(message, finish_reason=reason) for message, reason in pairs)


def _said(fields: Mapping[str, Any]) -> tuple[Part, ...]:
    """A message's parts, whichever key holds them, then its calls of tools."""
    said: list[Part] = []
    thought = fields.get("reasoning_content", fields.get("reasoning"))
    if thought is not None and (one := reasoning(thought)) is not None:
        said.append(one)
    for key in ("parts", "content", "contents", "text"):
        if fields.get(key) is not None:
            said.extend(parts(fields[key]))
            break
    if isinstance(fields.get("refusal"), str):
        said.append(Refusal(text=fields["refusal"]))
    if fields.get("audio") is not None:
        said.append(part({"type": "audio", "audio": fields["audio"]}))
    calls = fields.get("tool_calls")
    for item in cast("list[Any]", calls) if isinstance(calls, list) else []:
        call = _unwrapped(item, "tool_call")
        if call is not None:
            _add_call(said, tool_call(call))
    function_call = fields.get("function_call")
    if isinstance(function_call, dict):
        _add_call(said, tool_call(cast("Mapping[str, Any]", function_call)))
    return tuple(said)


def _add_call(said: list[Part], call: ToolCall) -> None:
    # Some instrumentations write one call twice: among the contents, and among the calls.
    if call.id is None or not any(isinstance(one, ToolCall) and one.id == call.id for one in said):
        said.append(call)


def _each(tool: Any) -> list[Any]:
    """The functions Gemini declares under one tool; any other tool alone."""
    fields = as_object(tool) or {}
    declared = next((fields[key] for key in ("function_declarations", "functionDeclarations") if key in fields), None)
    return cast("list[Any]", declared) if isinstance(declared, list) else [tool]


_SCHEMAS = ("parameters", "input_schema", "inputSchema", "parameters_json_schema", "parametersJsonSchema")


def _tool_definition(value: Any) -> ToolDefinition | None:
    fields = _unwrapped(as_object(value), "function", "toolSpec")
    if fields is None:
        return None
    name = field(fields, "name")
    if name is None:
        return None
    schema = next((fields[key] for key in _SCHEMAS if fields.get(key) is not None), None)
    inner = as_object(within(schema, "json"))  # Bedrock's
    strict = fields.get("strict")
    return ToolDefinition(
        name=name,
        description=as_text(fields.get("description")),
        parameters=as_object(schema) if inner is None else inner,
        strict=strict if isinstance(strict, bool) else None,
    )


def _unwrapped(value: Any, *wrappers: str) -> dict[str, Any] | None:
    """An object, out of the `{wrapper: object}` that OpenInference and OpenAI put around it."""
    if not isinstance(value, dict):
        return None
    fields = cast("dict[str, Any]", value)
    for wrapper in wrappers:
        inner = fields.get(wrapper)
        if isinstance(inner, dict):
            return cast("dict[str, Any]", inner)
    return fields


def texts(messages: tuple[Message, ...]) -> list[str]:
    """What each message says, as text."""
    return [text_of(one.parts) for one in messages]


def embedded(messages: tuple[Message, ...]) -> dict[str, Any]:
    """The inputs of an embedding whose texts were written as messages."""
    return {"input": texts(messages)}

"""Messages of OpenTelemetry GenAI in the shapes nearly all of them have, decoded from their JSON in one step.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/

What is told here is what `messages` makes of the same text, only sooner. Whatever has another shape (a field more, a
part of another type, arguments within arguments) is left to it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from otel_humanloop.native import compiled
from otel_humanloop.operation import Message, Part, Reasoning, Text, ToolCall, ToolResult
from otel_humanloop.reading import jsontext


class _Text(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="text", forbid_unknown_fields=True):
    content: str


class _Reasoning(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="reasoning", forbid_unknown_fields=True):
    content: str


class _Call(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="tool_call", forbid_unknown_fields=True):
    name: str
    arguments: str | dict[str, Any]
    id: str | None = None


class _Result(
    msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="tool_call_response", forbid_unknown_fields=True
):
    response: str
    id: str | None = None


_Part = _Text | _Reasoning | _Call | _Result


class _Message(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    parts: list[_Part]
    role: str | None = None
    name: str | None = None
    finish_reason: str | None = None


class _Unusual(Exception):
    """What has the shape has not the meaning."""


@compiled("messages")
def conversation(text: str, role: str) -> tuple[Message, ...] | None:
    """The messages, of which those without a role are of this one; None where any of them is not as usual."""
    try:
        return tuple([_message(message, role) for message in _messages.decode(text)])
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError, _Unusual):
        return None


def instructions(text: str) -> tuple[Message, ...] | None:
    """System instructions as the message they are; None where they are none, or not as usual."""
    try:
        said = tuple([_part(part) for part in _parts.decode(text)])
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError, _Unusual):
        return None
    return (Message(role="system", parts=said),) if said else None


def _message(message: _Message, role: str) -> Message:
    told = message.parts
    said_by = message.role or role
    if len(told) == 1 and type(only := told[0]) is _Text and said_by != "tool":  # nearly all are no more than that
        parts: tuple[Part, ...] = (Text(text=only.content),)
        return Message(
            role=said_by, parts=parts, name=message.name or None, finish_reason=message.finish_reason or None
        )
    parts = tuple([_part(part) for part in told])
    if said_by == "tool" and not any(isinstance(part, ToolResult) for part in parts):
        raise _Unusual
    return Message(role=said_by, parts=parts, name=message.name or None, finish_reason=message.finish_reason or None)


def _part(part: _Part) -> Part:
    if isinstance(part, _Text):
        return Text(text=part.content)
    if isinstance(part, _Result):
        return ToolResult(text=part.response, id=part.id or None)
    if isinstance(part, _Call):
        return _tool_call(part)
    if part.content.startswith("["):  # may be a list of summaries, as JSON text
        raise _Unusual
    return Reasoning(text=part.content)


def _tool_call(call: _Call) -> ToolCall:
    arguments = call.arguments
    if isinstance(arguments, dict):
        if any(isinstance(value, (dict, list)) for value in arguments.values()):  # may be nested too deep
            raise _Unusual
        arguments = jsontext.write(arguments)
    if not call.name:
        raise _Unusual
    return ToolCall(name=call.name, id=call.id or None, arguments=arguments)


_messages = msgspec.json.Decoder(list[_Message])
_parts = msgspec.json.Decoder(list[_Part])

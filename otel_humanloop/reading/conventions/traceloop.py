"""The decorators of Traceloop's SDK: workflows, tasks, agents and tools, and what they lay on the spans within.

https://www.traceloop.com/docs/openllmetry/tracing/annotations

Association properties, the workflow's name and a prompt's template stand on every span made inside, also on those of
HTTP clients and databases; only `traceloop.span.kind` says that a span is one of Traceloop's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from otel_humanloop.operation import Kind
from otel_humanloop.reading.convention import Convention, Fields, Found, Rank, reads
from otel_humanloop.reading.readers import (
    identifier,
    json_value,
    mapped,
    one_of,
    prefixed,
    text,
)
from otel_humanloop.reading.templates import template
from otel_humanloop.spans import Span

_PROPERTIES = "traceloop.association.properties."
_USER = "user_id"
_CONVERSATION = ("session_id", "conversation_id", "thread_id", "chat_id")

_kind = one_of(
    {"workflow": Kind.CHAIN, "task": Kind.CHAIN, "agent": Kind.AGENT, "tool": Kind.TOOL},
    "traceloop.span.kind",
)


def _arguments(value: Any) -> dict[str, Any]:
    """`{"args": [...], "kwargs": {...}}` as one object: the named arguments by name, the others under `args`.

    Of a call of MCP, `{"tool_name": ..., "arguments": {...}}`, the arguments.
    """
    if not isinstance(value, dict):
        return {"input": value}
    call = cast("dict[str, Any]", value)
    if call.keys() == {"tool_name", "arguments"} and isinstance(call["arguments"], dict):
        return cast("dict[str, Any]", call["arguments"])
    args, kwargs = call.get("args"), call.get("kwargs")
    if call.keys() != {"args", "kwargs"} or not isinstance(args, list) or not isinstance(kwargs, dict):
        return call
    named = cast("dict[str, Any]", kwargs)
    if args and "args" in named:
        return call
    return {"args": args, **named} if args else named


_entity_input = mapped(json_value("traceloop.entity.input"), _arguments)
_entity_output = json_value("traceloop.entity.output")
_entity_name = identifier("traceloop.entity.name")
_properties = prefixed(_PROPERTIES)
_variables = prefixed("traceloop.prompt.template_variables.")


@reads(_variables, _entity_input)
def _inputs(span: Span) -> Found[Mapping[str, Any]] | None:
    return _variables(span) if _kind(span) is None else _entity_input(span)


@reads(_entity_output)
def _output(span: Span) -> Found[Any] | None:
    return None if _kind(span) is None else _entity_output(span)


@reads(_entity_name)
def _name(span: Span) -> Found[str] | None:
    return None if _kind(span) is None else _entity_name(span)


@reads(_properties)
def _metadata(span: Span) -> Found[dict[str, Any]] | None:
    """The properties that are neither the user nor the conversation."""
    found = _properties(span)
    if found is None:
        return None
    elsewhere = {_USER, next((key for key in _CONVERSATION if found.value.get(key)), None)}
    kept = {key: value for key, value in found.value.items() if key not in elsewhere}
    return Found(kept, found.key, tuple(_PROPERTIES + key for key in kept)) if kept else None


CONVENTION = Convention(
    name="traceloop",
    rank=Rank.BLOB,
    keys=("traceloop.",),
    fields=Fields(
        kind=_kind,
        name=_name,
        conversation=identifier(*(_PROPERTIES + key for key in _CONVERSATION)),
        user=identifier(_PROPERTIES + _USER),
        template=template(
            text("traceloop.prompt.template"),
            _variables,
            name=identifier("traceloop.prompt.key"),
            version=identifier("traceloop.prompt.version"),
        ),
        inputs=_inputs,
        output=_output,
        metadata=_metadata,
    ),
)

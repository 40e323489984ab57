"""Strands Agents.

https://strandsagents.com/latest/documentation/docs/user-guide/observability-evaluation/traces/

Spans follow `otel_genai`, and `otel_genai_events` with Bedrock's parts. An agent's span and those of its event loop sum
up tokens; what a tool was given and gave stands in events. Input tokens do not include cached ones, as Bedrock counts.
Written from the published keys; there is no capture of it here.
"""

from __future__ import annotations

from typing import Any

import msgspec

from otel_humanloop.operation import Kind, ToolResult, Usage
from otel_humanloop.reading import messages, told
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Rank, Reader, reads
from otel_humanloop.reading.readers import identifier, json_object, json_value, mapped, one_of
from otel_humanloop.reading.usage import tokens
from otel_humanloop.reading.values import as_object, as_structure
from otel_humanloop.spans import Span

_tool_name = identifier("gen_ai.tool.name")
_operation = identifier("gen_ai.operation.name")
_counted = tokens(
    prompt_tokens=("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    output_tokens=("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    cache_read_tokens=("gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.cache_read.input_tokens"),
    cache_write_tokens=("gen_ai.usage.cache_write_input_tokens", "gen_ai.usage.cache_creation.input_tokens"),
    total_tokens="gen_ai.usage.total_tokens",
)


def _all(usage: Usage) -> Usage:
    """The prompt's tokens with the cached ones, which Bedrock counts beside them."""
    if usage.prompt_tokens is None:
        return usage
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    return msgspec.structs.replace(usage, prompt_tokens=usage.prompt_tokens + cached)


def _of_tool(make: Any, event: str) -> Reader[Any]:
    """What `make` makes of the event of a tool's span."""

    def read(span: Span) -> Found[Any] | None:
        if _tool_name(span) is None:
            return None
        for name, fields in told.of_span(span):
            if name == event:
                made = make(fields)
                return None if made is None else Found(made, f"event {event}")
        return None

    return Reader(read, events=(event,))


def _given(fields: Any) -> dict[str, Any] | None:
    content = as_structure(fields.get("content"))
    return as_object(content) or (None if content is None else {"input": content})


def _gave(fields: Any) -> Any:
    said = messages.message({"role": "tool", "content": as_structure(fields.get("message"))}, "tool")
    return next((part.text for part in said.parts if isinstance(part, ToolResult)), None)


@reads(_operation)
def _kind(span: Span) -> Found[Kind] | None:
    return one_of({"execute_event_loop_cycle": Kind.CHAIN, "invoke_swarm": Kind.CHAIN}, *_operation.keys)(span)


CONVENTION = Convention(
    name="strands",
    rank=Rank.FRAMEWORK,
    scopes=("strands-agents", "strands.telemetry.tracer", "strands."),
    counting=Counting(prompt_includes_cache=False, output_includes_reasoning=True, note="Converted."),
    fields=Fields(
        kind=_kind,
        tools=mapped(json_value("gen_ai.agent.tools"), messages.tool_definitions),
        inputs=_of_tool(_given, "gen_ai.tool.message"),
        output=_of_tool(_gave, told.CHOICE),
        usage=mapped(_counted, _all),
        metadata=json_object("gen_ai.agent.metadata"),
    ),
)

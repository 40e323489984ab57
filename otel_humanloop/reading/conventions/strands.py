"""Strands Agents.

https://strandsagents.com/latest/documentation/docs/user-guide/observability-evaluation/traces/

Spans follow `otel_genai`, and `otel_genai_events` with Bedrock's parts. An agent's span and those of its event loop sum
up tokens; what a tool was given and gave stands in events. Counts are those of whoever serves the model: Bedrock's and
Anthropic's input tokens do not include cached ones, others' do, and the model's name tells which.
"""

from __future__ import annotations

from typing import Any, cast

from otel_humanloop.operation import Kind, ToolResult, Usage
from otel_humanloop.reading import messages, told
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Rank, Reader, reads
from otel_humanloop.reading.readers import first, identifier, json_object, json_value, mapped, number, one_of
from otel_humanloop.reading.usage import cache_beside, tokens
from otel_humanloop.reading.values import as_object, as_structure, as_text, within
from otel_humanloop.spans import Span

_BESIDE = ("anthropic", "claude", "amazon.", "nova-")

_tool_name = identifier("gen_ai.tool.name")
_operation = identifier("gen_ai.operation.name")
_counted = tokens(
    prompt_tokens=("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    output_tokens=("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    cache_read_tokens=("gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.cache_read.input_tokens"),
    cache_write_tokens=("gen_ai.usage.cache_write_input_tokens", "gen_ai.usage.cache_creation.input_tokens"),
    total_tokens="gen_ai.usage.total_tokens",
)


@reads(_counted)
def _usage(span: Span) -> Found[Usage] | None:
    found = _counted(span)
    model = str(span.attributes.get("gen_ai.request.model", "")).lower()
    if found is None or not any(name in model for name in _BESIDE):
        return found
    return Found(cache_beside(found.value), found.key, found.taken)


def _result(value: Any) -> Any:
    """The text of `[{"text": ...}]`; any other result as it is."""
    items = cast("list[Any]", value) if isinstance(value, list) else []
    texts = [as_text(within(item, "text")) for item in items]
    if not texts or None in texts:
        return cast("Any", value)
    return "\n".join(text for text in texts if text is not None)


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
    counting=Counting(
        prompt_includes_cache=False,
        output_includes_reasoning=True,
        note="Converted where the model is Anthropic's or Amazon's; others' count them in.",
    ),
    fields=Fields(
        kind=_kind,
        tools=mapped(json_value("gen_ai.agent.tools"), messages.tool_definitions),
        inputs=_of_tool(_given, "gen_ai.tool.message"),
        output=first(_of_tool(_gave, told.CHOICE), mapped(json_value("gen_ai.tool.call.result"), _result)),
        usage=_usage,
        time_to_first_token=mapped(
            number("gen_ai.server.time_to_first_token"), lambda milliseconds: milliseconds / 1000
        ),
        metadata=json_object("gen_ai.agent.metadata"),
    ),
)

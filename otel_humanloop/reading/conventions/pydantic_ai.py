"""Pydantic AI, with the formats its `InstrumentationSettings(version=...)` 1 to 6 write.

https://ai.pydantic.dev/logfire/

Calls follow `otel_genai`. An agent's run keeps the whole conversation and its result, and sums up the tokens of its
calls; version 2 names a tool's arguments by keys of its own, version 1 writes messages as lists of events. Input tokens
include cached ones, output tokens include reasoning.
"""

from __future__ import annotations

from otel_humanloop.operation import Kind, Message
from otel_humanloop.reading import messages, told
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Rank, reads
from otel_humanloop.reading.readers import (
    arguments,
    attribute,
    first,
    identifier,
    json_value,
    mapped,
    present,
    structure,
)
from otel_humanloop.reading.usage import dollars, tokens
from otel_humanloop.spans import Span

_events = json_value("events", "all_messages_events")
_all = attribute(messages.written("user"), "pydantic_ai.all_messages")
_result = structure("final_result")


@reads(_all, _result)
def _asked(span: Span) -> Found[tuple[Message, ...]] | None:
    """The conversation of an agent's run, up to the answer its result repeats."""
    found = _all(span)
    if found is None or _result(span) is None or not found.value or found.value[-1].role != "assistant":
        return found
    return Found(found.value[:-1], found.key, found.taken) if len(found.value) > 1 else found


CONVENTION = Convention(
    name="pydantic_ai",
    rank=Rank.FRAMEWORK,
    scopes=("pydantic-ai",),
    presumed_kind=first(present(Kind.AGENT, "pydantic_ai.all_messages"), present(Kind.TOOL, "tool_arguments")),
    counting=Counting(
        prompt_includes_cache=True,
        output_includes_reasoning=True,
        note="An agent's run sums up its calls under keys of their own.",
    ),
    fields=Fields(
        name=identifier("gen_ai.tool.name", "agent_name"),
        request_model=identifier("model_name"),
        messages=first(_asked, mapped(_events, lambda events: told.asked(told.listed(events)))),
        output_messages=mapped(_events, lambda events: told.answered(told.listed(events))),
        inputs=arguments("tool_arguments"),
        output=structure("final_result", "tool_response"),
        usage=tokens(
            prompt_tokens="gen_ai.aggregated_usage.input_tokens",
            output_tokens="gen_ai.aggregated_usage.output_tokens",
            cache_read_tokens=(
                "gen_ai.aggregated_usage.cache_read.input_tokens",
                "gen_ai.usage.details.cache_read_tokens",
            ),
            cache_write_tokens=(
                "gen_ai.aggregated_usage.cache_creation.input_tokens",
                "gen_ai.usage.details.cache_write_tokens",
            ),
            reasoning_tokens=(
                "gen_ai.aggregated_usage.details.reasoning_tokens",
                "gen_ai.usage.details.reasoning_tokens",
            ),
        ),
        cost=dollars(total="operation.cost"),
    ),
)

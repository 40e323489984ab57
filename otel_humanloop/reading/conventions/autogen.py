"""Microsoft's AutoGen, by OpenInference's instrumentation of its AgentChat.

https://github.com/Arize-ai/openinference/tree/main/python/instrumentation/openinference-instrumentation-autogen-agentchat

It follows `openinference`, but writes what tools gave beside the message they belong to, each as JSON:
`llm.input_messages.N.function.M`; and why a model stopped in its answer alone. AutoGen's own spans follow `otel_genai`,
and tell of agents and tools.
"""

from __future__ import annotations

from typing import Any, cast

from otel_humanloop.reading import messages
from otel_humanloop.reading.convention import Convention, Fields, Rank
from otel_humanloop.reading.readers import indexed, json_object, mapped
from otel_humanloop.reading.values import as_identifier, as_object


def _results(items: list[Any]) -> list[Any]:
    return [_with_results(cast("dict[str, Any]", item)) if isinstance(item, dict) else item for item in items]


def _with_results(item: dict[str, Any]) -> dict[str, Any]:
    """A message with the results that stand beside it as its parts."""
    beside = item.get("function")
    results = [as_object(one) for one in cast("list[Any]", beside)] if isinstance(beside, list) else []
    told = [
        {"type": "tool_call_response", "id": one.get("call_id"), "response": one.get("content", "")}
        for one in results
        if one is not None
    ]
    return {"role": "tool", "parts": told} if told else item


def _reason(answer: dict[str, Any]) -> tuple[str, ...] | None:
    """Of an answer of a model; what an agent or a tool gave has no such reason."""
    reason = as_identifier(answer.get("finish_reason"))
    return None if reason is None else (reason,)


CONVENTION = Convention(
    name="autogen",
    rank=Rank.FRAMEWORK,
    scopes=("openinference.instrumentation.autogen_agentchat",),
    fields=Fields(
        messages=mapped(mapped(indexed("llm.input_messages"), _results), messages.conversation("user")),
        output_messages=mapped(indexed("llm.output_messages", messages.LEAVES), messages.conversation("assistant")),
        finish_reasons=mapped(json_object("output.value"), _reason),
    ),
)

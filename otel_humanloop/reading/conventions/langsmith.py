"""LangSmith's SDK, exporting over OpenTelemetry.

https://docs.langchain.com/langsmith/trace-with-opentelemetry

A run's inputs and outputs are `gen_ai.prompt` and `gen_ai.completion`, whole, whatever its kind. Input tokens include
cached ones. Messages are written as LangChain serialises them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from otel_humanloop.operation import Kind, Message, Usage
from otel_humanloop.reading import blobs, constructors, messages
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Rank, Reader, reads
from otel_humanloop.reading.readers import identifier, json_object, mapped, one_of, prefixed, text
from otel_humanloop.reading.values import as_integer, within
from otel_humanloop.spans import Span

_METADATA = "langsmith.metadata."
_CONVERSATION = ("session_id", "thread_id", "conversation_id")

_kind = one_of(
    {
        "llm": Kind.MODEL,
        "chain": Kind.CHAIN,
        "tool": Kind.TOOL,
        "retriever": Kind.RETRIEVAL,
        "embedding": Kind.EMBEDDING,
        "prompt": Kind.CHAIN,
        "parser": Kind.CHAIN,
        "agent": Kind.AGENT,
    },
    "langsmith.span.kind",
)
_said = blobs.of_kind(_kind, ("gen_ai.prompt",), ("gen_ai.completion",))
_all_metadata = prefixed(_METADATA)


@reads(_all_metadata)
def _metadata(span: Span) -> Found[Mapping[str, Any]] | None:
    found = _all_metadata(span)
    if found is None:
        return None
    elsewhere = {next((key for key in _CONVERSATION if found.value.get(key)), None), "user_id"}
    kept = {key: value for key, value in found.value.items() if key not in elsewhere}
    return Found(kept, found.key, tuple(_METADATA + key for key in kept)) if kept else None


def _usage(counted: dict[str, Any]) -> Usage | None:
    usage = Usage(
        prompt_tokens=as_integer(counted.get("input_tokens")),
        output_tokens=as_integer(counted.get("output_tokens")),
        cache_read_tokens=as_integer(within(counted, "input_token_details", "cache_read")),
        cache_write_tokens=as_integer(within(counted, "input_token_details", "cache_creation")),
        reasoning_tokens=as_integer(within(counted, "output_token_details", "reasoning")),
        total_tokens=as_integer(counted.get("total_tokens")),
    )
    return None if usage == Usage() else usage


CONVENTION = Convention(
    name="langsmith",
    rank=Rank.FRAMEWORK,
    keys=("langsmith.",),
    counting=Counting(prompt_includes_cache=True, output_includes_reasoning=True),
    fields=Fields(
        kind=_kind,
        name=identifier("langsmith.trace.name"),
        conversation=identifier(*(_METADATA + key for key in _CONVERSATION)),
        user=identifier(f"{_METADATA}user_id"),
        request_model=identifier(f"{_METADATA}ls_model_name"),
        provider=mapped(identifier(f"{_METADATA}ls_provider"), str.lower),
        messages=_said.messages,
        output_messages=_said.output_messages,
        inputs=_said.inputs,
        output=mapped(cast("Reader[Any]", _said.output), constructors.tool_output),
        finish_reasons=mapped(cast("Reader[tuple[Message, ...]]", _said.output_messages), messages.finish_reasons),
        usage=mapped(json_object(f"{_METADATA}usage_metadata"), _usage),
        tags=mapped(text("langsmith.span.tags"), lambda tags: tuple(tag.strip() for tag in tags.split(",")) or None),
        metadata=_metadata,
    ),
)

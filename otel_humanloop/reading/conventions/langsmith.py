"""LangSmith's SDK, exporting over OpenTelemetry.

https://docs.langchain.com/langsmith/trace-with-opentelemetry

A run's inputs and outputs are `gen_ai.prompt` and `gen_ai.completion`, whole, whatever its kind. Input tokens include
cached ones. Written from the published keys; there is no capture of it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from otel_humanloop.operation import Kind
from otel_humanloop.reading import blobs
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Rank, reads
from otel_humanloop.reading.readers import identifier, mapped, one_of, prefixed, text
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
        output=_said.output,
        tags=mapped(text("langsmith.span.tags"), lambda tags: tuple(tag.strip() for tag in tags.split(",")) or None),
        metadata=_metadata,
    ),
)

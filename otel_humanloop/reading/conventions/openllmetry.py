"""OpenLLMetry before 0.50: messages as flat families, `gen_ai.prompt.N.*`, and the `llm.*` keys beside them.

https://github.com/traceloop/openllmetry/tree/0.40.14/packages/opentelemetry-semantic-conventions-ai

The model, temperature and other `gen_ai.request.*` keys are those of `otel_genai`. Input tokens include cached ones.
An image in base64 is not written: of its message only the role is there.
"""

from __future__ import annotations

from typing import Any, Literal, cast

from otel_humanloop.operation import Kind, Message
from otel_humanloop.reading import messages
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Rank, reads
from otel_humanloop.reading.readers import (
    boolean,
    gathered,
    identifier,
    indexed,
    mapped,
    number,
    one_of,
    present,
    strings,
)
from otel_humanloop.reading.usage import tokens
from otel_humanloop.spans import Span

_REQUEST_TYPE = "llm.request.type"

_ROLES = frozenset({"user", "system", "assistant"})

_ENDPOINTS: dict[str, Literal["chat", "complete"]] = {"chat": "chat", "completion": "complete"}

_kind = one_of(
    {"chat": Kind.MODEL, "completion": Kind.MODEL, "embedding": Kind.EMBEDDING, "rerank": Kind.RERANKER},
    _REQUEST_TYPE,
)


def _prompts(items: list[Any]) -> list[Any]:
    """The prompt of a completion is written as `gen_ai.prompt.0.user`: its role is the key."""
    return [_with_role(cast("dict[str, Any]", item)) if isinstance(item, dict) else item for item in items]


def _with_role(item: dict[str, Any]) -> dict[str, Any]:
    role = next((role for role in item if role in _ROLES), None)
    return item if role is None or "role" in item else {"role": role, "content": item[role]}


_input = mapped(mapped(indexed("gen_ai.prompt", messages.LEAVES | _ROLES), _prompts), messages.conversation("user"))
_output = mapped(indexed("gen_ai.completion", messages.LEAVES), messages.conversation("assistant"))
_embedded = mapped(_input, messages.embedded)
_ranked = mapped(_input, lambda said: {"query": messages.texts(said[-1:])[0], "documents": messages.texts(said[:-1])})


def _is(span: Span, wanted: Kind) -> bool:
    kind = _kind(span)
    return kind is not None and kind.value is wanted


@reads(_input)
def _messages(span: Span) -> Found[tuple[Message, ...]] | None:
    return None if _is(span, Kind.EMBEDDING) or _is(span, Kind.RERANKER) else _input(span)


@reads(_input)
def _inputs(span: Span) -> Found[dict[str, Any]] | None:
    """The texts of an embedding; of a rerank the documents, and the query that is told after them."""
    return _embedded(span) if _is(span, Kind.EMBEDDING) else _ranked(span) if _is(span, Kind.RERANKER) else None


CONVENTION = Convention(
    name="openllmetry",
    rank=Rank.INDEXED,
    keys=(
        _REQUEST_TYPE,
        "llm.user",
        "llm.is_streaming",
        "llm.usage.total_tokens",
        "gen_ai.usage.prompt_tokens",
        "gen_ai.usage.completion_tokens",
        "gen_ai.prompt.",
        "gen_ai.completion.",
    ),
    presumed_kind=present(
        Kind.MODEL,
        "gen_ai.prompt.0.role",
        "gen_ai.prompt.0.content",
        "gen_ai.completion.0.role",
        "gen_ai.completion.0.content",
    ),
    counting=Counting(
        prompt_includes_cache=True,
        output_includes_reasoning=None,
        note="A streamed answer is given no count at all.",
    ),
    fields=Fields(
        kind=_kind,
        user=identifier("llm.user"),
        endpoint=one_of(_ENDPOINTS, _REQUEST_TYPE),
        parameters=gathered(
            {
                "frequency_penalty": number("llm.frequency_penalty"),
                "presence_penalty": number("llm.presence_penalty"),
                "top_k": number("llm.top_k"),
                "stop": mapped(strings("llm.chat.stop_sequences"), list),
            }
        ),
        tools=mapped(indexed("llm.request.functions"), messages.tool_definitions),
        messages=_messages,
        output_messages=_output,
        inputs=_inputs,
        usage=tokens(
            prompt_tokens="gen_ai.usage.prompt_tokens",
            output_tokens="gen_ai.usage.completion_tokens",
            cache_read_tokens="gen_ai.usage.cache_read_input_tokens",
            cache_write_tokens="gen_ai.usage.cache_creation_input_tokens",
            total_tokens="llm.usage.total_tokens",
        ),
        finish_reasons=mapped(_output, messages.finish_reasons),
        streaming=boolean("llm.is_streaming"),
    ),
)

"""LlamaIndex, by OpenInference's instrumentation.

https://github.com/Arize-ai/openinference/tree/main/python/instrumentation/openinference-instrumentation-llama-index

It follows `openinference`, but calls several spans of one call of a model an LLM: `OpenAI.predict` around
`OpenAI.chat`, and the preparation of a chat. Only the one that names its model, its messages or its tokens is the
call. Written from what the package writes; there is no capture of it here.
"""

from __future__ import annotations

from otel_humanloop.operation import Kind
from otel_humanloop.reading.convention import Convention, Fields, Found, Rank, reads
from otel_humanloop.reading.readers import identifier
from otel_humanloop.spans import Span

_TELLING = ("llm.model_name", "llm.token_count.total", "llm.token_count.prompt", "llm.input_messages.0.message.role")

_stated = identifier("openinference.span.kind")


@reads(_stated)
def _kind(span: Span) -> Found[Kind] | None:
    """A chain, where a span that is called an LLM is around the call or before it."""
    stated = _stated(span)
    if stated is None or stated.value != "LLM" or any(key in span.attributes for key in _TELLING):
        return None
    return Found(Kind.CHAIN, stated.key, stated.taken)


CONVENTION = Convention(
    name="llama_index",
    rank=Rank.FRAMEWORK,
    scopes=("openinference.instrumentation.llama_index",),
    fields=Fields(kind=_kind),
)

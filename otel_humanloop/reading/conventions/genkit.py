"""Genkit, in every language it has.

https://genkit.dev/docs/observability/overview/

A model's name begins with that of its plugin. Thoughts are counted beside the answer's tokens. Inputs and outputs are
JSON, text in quotation marks included.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from otel_humanloop.operation import Kind, Usage
from otel_humanloop.reading import blobs, bodies, messages
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Rank, reads
from otel_humanloop.reading.readers import first, identifier, json_object, json_value, mapped, one_of, present
from otel_humanloop.reading.values import as_identifier, as_integer, as_object, within
from otel_humanloop.spans import Span

_INPUT, _OUTPUT = "genkit:input", "genkit:output"

_kind = first(
    one_of(
        {
            "model": Kind.MODEL,
            "tool": Kind.TOOL,
            "tool.v2": Kind.TOOL,
            "flow": Kind.CHAIN,
            "agent": Kind.AGENT,
            "embedder": Kind.EMBEDDING,
            "retriever": Kind.RETRIEVAL,
            "reranker": Kind.RERANKER,
            "evaluator": Kind.EVALUATOR,
            "prompt": Kind.CHAIN,
            "executable-prompt": Kind.CHAIN,
            "util": Kind.CHAIN,
        },
        "genkit:metadata:subtype",
    ),
    one_of({"flow": Kind.CHAIN, "flowstep": Kind.CHAIN, "util": Kind.CHAIN, "action": Kind.CHAIN}, "genkit:type"),
)
_said = blobs.of_kind(_kind, (_INPUT,), (_OUTPUT,), reader=json_value)
_named = identifier("genkit:name")
_request = json_object(_INPUT)
_answer = json_object(_OUTPUT)


def _is_call(span: Span) -> bool:
    kind = _kind(span)
    return kind is not None and kind.value is Kind.MODEL


@reads(_named, _kind)
def _model(span: Span) -> Found[str] | None:
    """`plugin/model`: the part after the plugin's name."""
    return mapped(_named, lambda name: name.partition("/")[2] or name)(span) if _is_call(span) else None


@reads(_named, _kind)
def _provider(span: Span) -> Found[str] | None:
    plugin = mapped(_named, lambda name: name.partition("/")[0].lower() if "/" in name else None)
    return plugin(span) if _is_call(span) else None


def _usage(answer: Mapping[str, Any]) -> Usage | None:
    counted = {
        name: as_integer(within(dict(answer), "usage", f"{name}Tokens"))
        for name in ("input", "output", "thoughts", "cachedContent", "total")
    }
    output = [counted[name] or 0 for name in ("output", "thoughts") if counted[name] is not None]
    usage = Usage(
        prompt_tokens=counted["input"],
        output_tokens=sum(output) if output else None,
        cache_read_tokens=counted["cachedContent"],
        reasoning_tokens=counted["thoughts"],
        total_tokens=counted["total"],
    )
    return None if usage == Usage() else usage


CONVENTION = Convention(
    name="genkit",
    rank=Rank.FRAMEWORK,
    scopes=("genkit-tracer",),
    keys=("genkit:type", "genkit:metadata:subtype"),
    presumed_kind=present(Kind.CHAIN, _INPUT, _OUTPUT),
    counting=Counting(prompt_includes_cache=True, output_includes_reasoning=False, note="Converted."),
    fields=Fields(
        kind=_kind,
        name=_named,
        conversation=identifier("genkit:sessionId"),
        request_model=_model,
        provider=_provider,
        parameters=mapped(_request, lambda request: bodies.parameters(as_object(request.get("config")) or {})),
        tools=mapped(_request, lambda request: messages.tool_definitions(request.get("tools"))),
        messages=_said.messages,
        output_messages=_said.output_messages,
        inputs=_said.inputs,
        output=_said.output,
        usage=mapped(_answer, _usage),
        finish_reasons=mapped(
            mapped(_answer, lambda answer: as_identifier(answer.get("finishReason"))), lambda reason: (reason,)
        ),
    ),
)

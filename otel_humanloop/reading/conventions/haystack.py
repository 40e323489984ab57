"""Haystack, with `HAYSTACK_CONTENT_TRACING_ENABLED=true`.

https://docs.haystack.deepset.ai/docs/tracing

A component's type says what it does, by how it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from otel_humanloop.operation import Kind, Usage
from otel_humanloop.reading import blobs, bodies
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Rank, reads
from otel_humanloop.reading.readers import first, identifier, json_object, mapped, present
from otel_humanloop.reading.values import as_identifier, as_objects, within
from otel_humanloop.spans import Span

_INPUT = ("haystack.component.input", "haystack.pipeline.input_data", "haystack.agent.input")
_OUTPUT = ("haystack.component.output", "haystack.pipeline.output_data", "haystack.agent.output")
_ENDINGS = {
    "Generator": Kind.MODEL,
    "Retriever": Kind.RETRIEVAL,
    "Embedder": Kind.EMBEDDING,
    "Ranker": Kind.RERANKER,
    "ToolInvoker": Kind.TOOL,
    "Agent": Kind.AGENT,
    "Evaluator": Kind.EVALUATOR,
}


def _of_type(component: str) -> Kind:
    return next((kind for ending, kind in _ENDINGS.items() if component.endswith(ending)), Kind.CHAIN)


_kind = first(
    mapped(identifier("haystack.component.type"), _of_type),
    present(Kind.AGENT, "haystack.agent.input"),
    present(Kind.CHAIN, "haystack.pipeline.input_data", "haystack.pipeline.output_data"),
)
_said = blobs.of_kind(_kind, _INPUT, _OUTPUT)


def _meta(output: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a generator says of its first reply."""
    meta = output.get("meta")
    if isinstance(meta, list) and meta:
        first_meta = cast("list[Any]", meta)[0]
        return cast("dict[str, Any]", first_meta) if isinstance(first_meta, dict) else None
    replies = output.get("replies")
    reply = cast("list[Any]", replies)[0] if isinstance(replies, list) and replies else None
    found = within(reply, "meta") or within(reply, "_meta")
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _usage(meta: Mapping[str, Any]) -> Usage | None:
    return bodies.usage(meta.get("usage"))


def _listed(output: Mapping[str, Any]) -> tuple[dict[str, Any], ...] | None:
    return as_objects(output.get("documents"))


_all_documents = mapped(json_object("haystack.component.output"), _listed)


@reads(_all_documents, _kind)
def _documents(span: Span) -> Found[tuple[dict[str, Any], ...]] | None:
    """What was found or ranked."""
    kind = _kind(span)
    return _all_documents(span) if kind is not None and kind.value in (Kind.RETRIEVAL, Kind.RERANKER) else None


_of_reply = mapped(json_object("haystack.component.output"), _meta)

CONVENTION = Convention(
    name="haystack",
    rank=Rank.FRAMEWORK,
    keys=("haystack.",),
    presumed_kind=_kind,
    counting=Counting(prompt_includes_cache=True, output_includes_reasoning=True, note="As the model's vendor counts."),
    fields=Fields(
        name=identifier("haystack.component.name"),
        response_model=mapped(_of_reply, lambda meta: as_identifier(meta.get("model"))),
        messages=_said.messages,
        output_messages=_said.output_messages,
        inputs=_said.inputs,
        output=_said.output,
        documents=_documents,
        usage=mapped(_of_reply, _usage),
        finish_reasons=mapped(
            mapped(_of_reply, lambda meta: as_identifier(meta.get("finish_reason"))), lambda reason: (reason,)
        ),
    ),
)

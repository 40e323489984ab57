"""Mastra's exporter of OpenTelemetry.

https://mastra.ai/docs/observability/tracing/exporters/otel

An agent's `model_generation` is around its steps, and each step around one call of a model (`model_inference`) and what
tools were called for it. The call tells tokens and its answer's words, by `otel_genai`; the step what was said in full.
Pieces of a streamed answer (`model_chunk`) are told once more by their step. Before version 1 there was no span of a
single call: the generation sums them up.
"""

from __future__ import annotations

from otel_humanloop.operation import Kind
from otel_humanloop.reading import blobs
from otel_humanloop.reading.convention import Convention, Fields, Found, Rank, reads
from otel_humanloop.reading.readers import identifier, mapped, one_of
from otel_humanloop.spans import Span

_TYPE = "mastra.span.type"
_METADATA = "mastra.metadata."
_KINDS = {
    "agent_run": Kind.AGENT,
    "generic": Kind.CHAIN,
    "mcp_tool_call": Kind.TOOL,
    "model_chunk": Kind.CHAIN,
    "model_generation": Kind.CHAIN,
    "model_inference": Kind.MODEL,
    "model_step": Kind.CHAIN,
    "processor_run": Kind.CHAIN,
    "tool_call": Kind.TOOL,
    "workflow_conditional": Kind.CHAIN,
    "workflow_conditional_eval": Kind.CHAIN,
    "workflow_loop": Kind.CHAIN,
    "workflow_parallel": Kind.CHAIN,
    "workflow_run": Kind.CHAIN,
    "workflow_sleep": Kind.CHAIN,
    "workflow_step": Kind.CHAIN,
    "workflow_wait_event": Kind.CHAIN,
}
_INPUTS = (*(f"mastra.{name}.input" for name in _KINDS), "input")
_OUTPUTS = (*(f"mastra.{name}.output" for name in _KINDS), "output")

_type = one_of(_KINDS, _TYPE)


@reads(_type)
def _kind(span: Span) -> Found[Kind] | None:
    """A generation that calls itself a chat is the only span there is of its calls."""
    found = _type(span)
    if found is None or span.attributes[_TYPE] != "model_generation":
        return found
    is_call = span.attributes.get("gen_ai.operation.name") == "chat"
    return Found(Kind.MODEL, found.key, found.taken) if is_call else found


_said = blobs.of_kind(_kind, _INPUTS, _OUTPUTS)

CONVENTION = Convention(
    name="mastra",
    rank=Rank.FRAMEWORK,
    keys=(_TYPE,),
    fields=Fields(
        kind=_kind,
        conversation=identifier(f"{_METADATA}sessionId", f"{_METADATA}threadId", "sessionId", "threadId"),
        user=identifier(f"{_METADATA}userId", "userId"),
        provider=mapped(identifier("gen_ai.provider.name", "gen_ai.system"), lambda name: name.partition(".")[0]),
        messages=_said.messages,
        output_messages=_said.output_messages,
        inputs=_said.inputs,
        output=_said.output,
        retold=one_of({"model_chunk": True}, _TYPE),
    ),
)

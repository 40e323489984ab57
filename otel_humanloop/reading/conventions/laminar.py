"""Laminar's SDK.

https://docs.laminar.sh/tracing/structure/overview

Calls of models follow `otel_genai` and `openllmetry`; Laminar's own keys hold any span's input and output,
as JSON.
"""

from __future__ import annotations

from otel_humanloop.operation import Kind
from otel_humanloop.reading import blobs
from otel_humanloop.reading.convention import Convention, Fields, Rank
from otel_humanloop.reading.readers import first, identifier, json_value, one_of, prefixed, present, strings

_PROPERTIES = "lmnr.association.properties."
_INPUT, _OUTPUT = "lmnr.span.input", "lmnr.span.output"

_stated = one_of(
    {
        "llm": Kind.MODEL,
        "tool": Kind.TOOL,
        "default": Kind.CHAIN,
        "pipeline": Kind.CHAIN,
        "executor": Kind.CHAIN,
        "evaluator": Kind.EVALUATOR,
        "human_evaluator": Kind.EVALUATOR,
        "evaluation": Kind.EVALUATOR,
    },
    "lmnr.span.type",
)
_presumed = present(Kind.CHAIN, _INPUT, _OUTPUT)
_said = blobs.of_kind(first(_stated, _presumed), (_INPUT,), (_OUTPUT,), reader=json_value)

CONVENTION = Convention(
    name="laminar",
    rank=Rank.BLOB,
    keys=("lmnr.",),
    presumed_kind=_presumed,
    fields=Fields(
        kind=_stated,
        conversation=identifier(f"{_PROPERTIES}session_id"),
        user=identifier(f"{_PROPERTIES}user_id"),
        messages=_said.messages,
        output_messages=_said.output_messages,
        inputs=_said.inputs,
        output=_said.output,
        tags=strings(f"{_PROPERTIES}tags"),
        metadata=prefixed(f"{_PROPERTIES}metadata."),
    ),
)

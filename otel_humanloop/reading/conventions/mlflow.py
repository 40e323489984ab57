"""MLflow Tracing, exporting over OpenTelemetry.

https://mlflow.org/docs/latest/genai/tracing/opentelemetry/

Every value is JSON text, names in quotation marks included. Input tokens include cached ones. Written from the
published keys; there is no capture of it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from otel_humanloop.operation import Cost, Kind
from otel_humanloop.reading import blobs, bodies, messages
from otel_humanloop.reading.convention import Convention, Counting, Fields, Rank, Reader
from otel_humanloop.reading.readers import attribute, json_object, mapped, structure
from otel_humanloop.reading.values import as_identifier, as_number, as_value
from otel_humanloop.spans import Value

_KINDS = {
    "AGENT": Kind.AGENT,
    "CHAIN": Kind.CHAIN,
    "CHAT_MODEL": Kind.MODEL,
    "EMBEDDING": Kind.EMBEDDING,
    "EVALUATOR": Kind.EVALUATOR,
    "GUARDRAIL": Kind.GUARDRAIL,
    "LLM": Kind.MODEL,
    "PARSER": Kind.CHAIN,
    "RERANKER": Kind.RERANKER,
    "RETRIEVER": Kind.RETRIEVAL,
    "TASK": Kind.CHAIN,
    "TOOL": Kind.TOOL,
    "UNKNOWN": Kind.CHAIN,
    "WORKFLOW": Kind.CHAIN,
}


def _name(value: Value) -> str | None:
    """A name, out of the quotation marks of JSON."""
    return as_identifier(as_value(value))


def _named(*keys: str) -> Reader[str]:
    return attribute(_name, *keys)


def _cost(amounts: Mapping[str, Any]) -> Cost:
    return Cost(
        prompt=as_number(amounts.get("input_cost")),
        output=as_number(amounts.get("output_cost")),
        total=as_number(amounts.get("total_cost")),
    )


_kind = mapped(_named("mlflow.spanType"), lambda name: _KINDS.get(name.upper()))
_said = blobs.of_kind(_kind, ("mlflow.spanInputs",), ("mlflow.spanOutputs",))

CONVENTION = Convention(
    name="mlflow",
    rank=Rank.FRAMEWORK,
    keys=("mlflow.",),
    counting=Counting(prompt_includes_cache=True, output_includes_reasoning=True),
    fields=Fields(
        kind=_kind,
        name=_named("mlflow.spanFunctionName"),
        conversation=_named("mlflow.trace.session"),
        user=_named("mlflow.trace.user"),
        request_model=_named("mlflow.llm.model"),
        provider=mapped(_named("mlflow.llm.provider"), str.lower),
        tools=mapped(structure("mlflow.chat.tools"), messages.tool_definitions),
        messages=_said.messages,
        output_messages=_said.output_messages,
        inputs=_said.inputs,
        output=_said.output,
        usage=mapped(json_object("mlflow.chat.tokenUsage"), bodies.usage),
        cost=mapped(json_object("mlflow.llm.cost"), _cost),
    ),
)

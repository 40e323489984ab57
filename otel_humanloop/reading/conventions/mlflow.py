"""MLflow Tracing, exporting over OpenTelemetry.

https://mlflow.org/docs/latest/genai/tracing/opentelemetry/

Every value is JSON text, names in quotation marks included. Counts are the vendor's, whose API the span names: those of
Anthropic leave cached tokens out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from otel_humanloop.operation import Cost, Kind, Usage
from otel_humanloop.reading import blobs, bodies, messages
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Rank, Reader, reads
from otel_humanloop.reading.readers import (
    attribute,
    first,
    gathered,
    integer,
    json_object,
    json_value,
    mapped,
    number,
    structure,
)
from otel_humanloop.reading.usage import cache_beside
from otel_humanloop.reading.values import as_identifier, as_integer, as_number, as_value
from otel_humanloop.spans import Span, Value

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


def _counts(counted: Mapping[str, Any]) -> Usage | None:
    usage = Usage(
        prompt_tokens=as_integer(counted.get("input_tokens")),
        output_tokens=as_integer(counted.get("output_tokens")),
        cache_read_tokens=as_integer(counted.get("cache_read_input_tokens")),
        cache_write_tokens=as_integer(counted.get("cache_creation_input_tokens")),
        total_tokens=as_integer(counted.get("total_tokens")),
    )
    return None if usage == Usage() else usage


_counted = mapped(json_object("mlflow.chat.tokenUsage"), _counts)
_format = _named("mlflow.message.format")
_request = json_object("mlflow.spanInputs")
_answer = json_object("mlflow.spanOutputs")


@reads(_counted)
def _usage(span: Span) -> Found[Usage] | None:
    found, vendor = _counted(span), _format(span)
    if found is None or vendor is None or vendor.value not in ("anthropic", "bedrock"):
        return found
    return Found(cache_beside(found.value), found.key, found.taken)


def _reasons(answer: Mapping[str, Any]) -> tuple[str, ...] | None:
    return messages.finish_reasons(bodies.choice_messages(answer.get("choices")) or ())


def _asked_of(request: Mapping[str, Any]) -> str | None:
    model = as_identifier(request.get("model"))
    return model if "messages" in request or "input" in request else None


_kind = mapped(_named("mlflow.spanType"), lambda name: _KINDS.get(name.upper()))
_said = blobs.of_kind(_kind, ("mlflow.spanInputs",), ("mlflow.spanOutputs",), reader=json_value)

CONVENTION = Convention(
    name="mlflow",
    rank=Rank.FRAMEWORK,
    keys=("mlflow.",),
    counting=Counting(
        prompt_includes_cache=True,
        output_includes_reasoning=True,
        note="Converted where the span names Anthropic's or Bedrock's API, which leave cached tokens out.",
    ),
    fields=Fields(
        kind=_kind,
        name=_named("mlflow.spanFunctionName"),
        conversation=_named("mlflow.trace.session"),
        user=_named("mlflow.trace.user"),
        request_model=first(mapped(_request, _asked_of), _named("mlflow.llm.model")),
        response_model=_named("mlflow.llm.model"),
        parameters=gathered(
            {
                "temperature": number("temperature"),
                "top_p": number("top_p"),
                "max_tokens": integer("max_tokens", "max_completion_tokens", "max_output_tokens"),
            }
        ),
        provider=mapped(_named("mlflow.llm.provider"), str.lower),
        tools=mapped(structure("mlflow.chat.tools"), messages.tool_definitions),
        messages=_said.messages,
        output_messages=_said.output_messages,
        inputs=_said.inputs,
        output=_said.output,
        finish_reasons=mapped(_answer, _reasons),
        usage=_usage,
        cost=mapped(json_object("mlflow.llm.cost"), _cost),
    ),
)

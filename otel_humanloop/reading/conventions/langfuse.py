"""Langfuse's SDKs, version 3 and later, which are OpenTelemetry.

https://langfuse.com/integrations/native/opentelemetry#property-mapping

Counts by `input` and `output` are disjoint: `input_cached_tokens` stands beside `input`. Counts in the shape of a
vendor's API are as that API has them. Values of metadata are JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from otel_humanloop.operation import Cost, Kind, Message, Usage
from otel_humanloop.reading import blobs, bodies, messages
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Look, Rank, Reader, asks, reads
from otel_humanloop.reading.readers import (
    first,
    identifier,
    json_object,
    mapped,
    one_of,
    prefixed,
    present,
    strings,
    text,
)
from otel_humanloop.reading.templates import template
from otel_humanloop.reading.values import as_identifier, as_integer, as_number, as_value
from otel_humanloop.spans import Span, StatusCode

_METADATA = "langfuse.observation.metadata."
_SESSION, _USER = "langfuse_session_id", "langfuse_user_id"
_LONGEST = 3600.0  # seconds
_STARTED = "langfuse.observation.completion_start_time"
_INPUT = ("langfuse.observation.input", "langfuse.trace.input")
_OUTPUT = ("langfuse.observation.output", "langfuse.trace.output")
_LEVEL, _STATUS = "langfuse.observation.level", "langfuse.observation.status_message"
_MODEL = "langfuse.observation.model.name"

_stated = one_of(
    {
        "generation": Kind.MODEL,
        "span": Kind.CHAIN,
        "agent": Kind.AGENT,
        "tool": Kind.TOOL,
        "chain": Kind.CHAIN,
        "retriever": Kind.RETRIEVAL,
        "embedding": Kind.EMBEDDING,
        "evaluator": Kind.EVALUATOR,
        "guardrail": Kind.GUARDRAIL,
    },
    "langfuse.observation.type",
)
_presumed = first(present(Kind.MODEL, _MODEL), present(Kind.CHAIN, *_INPUT, *_OUTPUT))
_said = blobs.of_kind(first(_stated, _presumed), _INPUT, _OUTPUT)


_metadata = mapped(prefixed(_METADATA), lambda written: {name: as_value(value) for name, value in written.items()})
_input_object = json_object(*_INPUT)


def _said_of(name: str) -> Reader[str]:
    """What the metadata says by that name, which is JSON: the OpenAI wrapper keeps there what has no key of its own."""
    return mapped(text(_METADATA + name), lambda written: as_identifier(as_value(written)))


def _parameters(stated: Mapping[str, Any]) -> dict[str, Any] | None:
    """Without those that are no bound: `max_tokens` is "Infinity" where the program gave none."""
    return {name: value for name, value in stated.items() if value not in (None, "Infinity")} or None


@reads(_STARTED)
def _time_to_first_token(span: Span) -> Found[float] | None:
    said = as_value(span.attributes.get(_STARTED, ""))
    try:
        started = datetime.fromisoformat(str(said).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None
    seconds = started - span.start_ns / 1e9
    return Found(seconds, _STARTED, (_STARTED,)) if 0 <= seconds < _LONGEST else None


def _usage(details: Mapping[str, Any]) -> Usage | None:
    if "input" not in details and "output" not in details:
        return bodies.usage(details)
    counts = {name: count for name, value in details.items() if (count := as_integer(value)) is not None and count >= 0}
    prompt = [count for name, count in counts.items() if name == "input" or name.startswith("input_")]
    output = [count for name, count in counts.items() if name == "output" or name.startswith("output_")]
    beside = [counts[name] for name in ("cache_read_input_tokens", "cache_creation_input_tokens") if name in counts]
    return Usage(
        prompt_tokens=sum(prompt) + sum(beside) if prompt else None,
        output_tokens=sum(output) if output else None,
        cache_read_tokens=counts.get("input_cached_tokens", counts.get("cache_read_input_tokens")),
        cache_write_tokens=counts.get("input_cache_creation", counts.get("cache_creation_input_tokens")),
        reasoning_tokens=counts.get("output_reasoning_tokens", counts.get("output_reasoning")),
        total_tokens=counts.get("total"),
    )


def _cost(details: Mapping[str, Any]) -> Cost | None:
    amounts = {name: as_number(details.get(name)) for name in ("input", "output", "total")}
    if all(amount is None for amount in amounts.values()):
        return None
    return Cost(prompt=amounts["input"], output=amounts["output"], total=amounts["total"])


@asks(cast("Reader[tuple[Message, ...]]", _said.messages), _said_of("instructions"))
def _messages(
    span: Span, told: Look[tuple[Message, ...]], instructions: Look[str]
) -> Found[tuple[Message, ...]] | None:
    """The wrapper of OpenAI's client in JavaScript keeps the instructions of Responses beside the conversation."""
    said, given = told(span), instructions(span)
    if said is None or given is None or any(one.role == "system" for one in said.value):
        return said
    system = messages.instructions(given.value) or ()
    return Found((*system, *said.value), said.key, (*said.taken, *given.taken))


def _failed(span: Span) -> Found[str] | None:
    """What went wrong, where the span's own status does not say that something did: in JavaScript."""
    level = span.attributes.get(_LEVEL)
    if level != "ERROR" or span.status.code is StatusCode.ERROR:
        return None
    message = span.attributes.get(_STATUS)
    return Found(message if isinstance(message, str) and message else "Error", _STATUS, (_LEVEL, _STATUS))


CONVENTION = Convention(
    name="langfuse",
    rank=Rank.FRAMEWORK,
    keys=("langfuse.",),
    presumed_kind=_presumed,
    counting=Counting(
        prompt_includes_cache=False,
        output_includes_reasoning=False,
        note="Converted. Counts in a vendor's own names are read as the vendor's.",
    ),
    fields=Fields(
        kind=_stated,
        conversation=first(identifier("langfuse.session.id", "session.id"), _said_of(_SESSION)),
        user=first(identifier("langfuse.user.id", "user.id"), _said_of(_USER)),
        environment=identifier("langfuse.environment"),
        request_model=identifier(_MODEL),
        parameters=mapped(json_object("langfuse.observation.model.parameters"), _parameters),
        tools=mapped(_input_object, lambda given: messages.tool_definitions(given.get("tools") or [])),
        template=template(
            identifier("langfuse.observation.prompt.template"),
            prefixed("langfuse.observation.prompt.variables."),
            name=identifier("langfuse.observation.prompt.name"),
            version=identifier("langfuse.observation.prompt.version"),
        ),
        messages=_messages,
        output_messages=_said.output_messages,
        inputs=_said.inputs,
        output=_said.output,
        usage=mapped(json_object("langfuse.observation.usage_details"), _usage),
        cost=mapped(json_object("langfuse.observation.cost_details"), _cost),
        finish_reasons=mapped(_said_of("finish_reason"), lambda reason: (reason,)),
        time_to_first_token=_time_to_first_token,
        error=Reader(_failed, (_LEVEL, _STATUS)),
        tags=strings("langfuse.trace.tags", "langfuse.tags"),
        metadata=first(_metadata, json_object("langfuse.observation.metadata", "langfuse.trace.metadata")),
    ),
)

"""Pydantic Logfire: `instrument_openai`, `instrument_anthropic`. Its agents are `logfire_agents`.

https://logfire.pydantic.dev/docs/integrations/llms/openai/

Calls of a model follow `otel_genai` and keep the vendor's own count of tokens whole; older versions keep the
conversation as lists of events or as request and answer. A streamed call is two spans: one that
ends when the stream opens and holds no answer, and one without length at the stream's end, which tells all. The
first is told once more by the second. Input tokens include cached ones, output tokens include reasoning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from otel_humanloop.operation import Kind, Message
from otel_humanloop.reading import bodies, messages, told
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Rank, reads
from otel_humanloop.reading.readers import (
    attribute,
    first,
    identifier,
    json_object,
    json_value,
    mapped,
    number,
    present,
    strings,
)
from otel_humanloop.reading.usage import dollars
from otel_humanloop.reading.values import as_object, as_text, within
from otel_humanloop.spans import Span, StatusCode

_SPAN_TYPE = "logfire.span_type"
_RESPONSE_ID = "gen_ai.response.id"
_ANSWER = ("gen_ai.output.messages", "response_data", "gen_ai.usage.input_tokens", _RESPONSE_ID)

_request = json_object("request_data")
_answer = json_object("response_data")
_events = json_value("events", "all_messages_events")
_duration = number("duration")
_template = identifier("logfire.msg_template")


def _asked_in_request(request: Mapping[str, Any]) -> tuple[Message, ...] | None:
    return messages.conversation("user")(request.get("messages")) if request.get("messages") else None


def _answered_in_data(answer: Mapping[str, Any]) -> tuple[Message, ...] | None:
    """Before version 4: `message`, or what a stream was put together to."""
    said = answer.get("message", answer.get("combined_chunk_content"))
    return None if said is None else (messages.message(said, "assistant"),)


def _parameters(request: Mapping[str, Any]) -> dict[str, Any] | None:
    return bodies.parameters(dict(request))


@reads(_request, _SPAN_TYPE)
def _streaming(span: Span) -> Found[bool] | None:
    if span.attributes.get(_SPAN_TYPE) == "log":
        return Found(True, _SPAN_TYPE)
    return mapped(_request, lambda request: True if request.get("stream") is True else None)(span)


@reads(_template)
def _retold(span: Span) -> Found[bool] | None:
    """The first span of a streamed call: it ended well and says nothing of an answer."""
    template = _template(span)
    if template is None or span.attributes.get(_SPAN_TYPE) != "span" or span.status.code is StatusCode.ERROR:
        return None
    calls = ("Chat Completion", "Completion", "Responses API", "Message with")
    if not template.value.startswith(calls) or any(key in span.attributes for key in _ANSWER):
        return None
    return Found(True, template.key)


@reads(_duration)
def _length(span: Span) -> Found[float] | None:
    return _duration(span) if span.attributes.get(_SPAN_TYPE) == "log" else None


CONVENTION = Convention(
    name="logfire",
    rank=Rank.FRAMEWORK,
    scopes=("logfire.openai", "logfire.anthropic"),
    presumed_kind=present(Kind.MODEL, "request_data"),
    counting=Counting(prompt_includes_cache=True, output_includes_reasoning=True),
    fields=Fields(
        request_model=mapped(_request, lambda request: as_text(request.get("model"))),
        parameters=mapped(_request, _parameters),
        tools=mapped(_request, lambda request: messages.tool_definitions(request.get("tools"))),
        messages=first(
            mapped(_request, _asked_in_request),
            mapped(_events, lambda events: told.asked(told.listed(events))),
        ),
        output_messages=first(
            mapped(_answer, _answered_in_data),
            mapped(_events, lambda events: told.answered(told.listed(events))),
        ),
        usage=first(
            attribute(lambda value: bodies.usage(as_object(value)), "gen_ai.usage.raw", "usage"),
            mapped(_answer, lambda answer: bodies.usage(within(answer, "usage"))),
        ),
        cost=dollars(total="operation.cost"),
        streaming=_streaming,
        duration=_length,
        retold=_retold,
        tags=strings("logfire.tags"),
    ),
)

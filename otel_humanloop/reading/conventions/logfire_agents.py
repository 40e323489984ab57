"""Pydantic Logfire's `instrument_openai_agents`: OpenAI's agents SDK, whose spans are named by what they are.

https://logfire.pydantic.dev/docs/integrations/llms/openai/#openai-agents

A call of Responses keeps its input (`raw_input`) and the whole answer (`response`), a call of chat completions keeps
`input` and `output` as lists of messages; the `events` beside them tell both in one line. What was not given is JSON's
null, as text. Input tokens include cached ones, output tokens include reasoning.
"""

from __future__ import annotations

from typing import Any

from otel_humanloop.operation import Kind, Message, ToolDefinition
from otel_humanloop.reading import bodies, messages, told
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Look, Rank, asks, reads
from otel_humanloop.reading.readers import attribute, first, identifier, json_object, json_value, mapped, structure
from otel_humanloop.reading.usage import dollars
from otel_humanloop.reading.values import as_object, within
from otel_humanloop.spans import Span

_KINDS = {
    "OpenAI Agents trace": Kind.CHAIN,
    "Task": Kind.CHAIN,
    "Turn": Kind.CHAIN,
    "Agent run": Kind.AGENT,
    "Function": Kind.TOOL,
    "Guardrail": Kind.GUARDRAIL,
    "Handoff": Kind.CHAIN,
    "Responses API": Kind.MODEL,
    "Chat completion": Kind.MODEL,
}

_PARAMETERS = (
    *("temperature", "top_p", "frequency_penalty", "presence_penalty", "max_tokens"),
    *("tool_choice", "parallel_tool_calls", "truncation", "reasoning", "verbosity"),
)

_template = identifier("logfire.msg_template")
_answer = json_object("response")
_asked = json_value("raw_input")
_events = json_value("events")


def _kind_of(template: str) -> Kind | None:
    return next((kind for start, kind in _KINDS.items() if template.startswith(start)), None)


_kind = mapped(_template, _kind_of)


def _named(value: str) -> str | None:
    return None if value == "null" else value


def _settings(settings: dict[str, Any]) -> dict[str, Any] | None:
    return {name: settings[name] for name in _PARAMETERS if settings.get(name) is not None} or None


def _tools(answer: dict[str, Any]) -> tuple[ToolDefinition, ...] | None:
    return messages.tool_definitions(answer.get("tools")) if answer.get("tools") else None


@asks(_asked, _answer)
def _given(span: Span, asked: Look[Any], answered: Look[dict[str, Any]]) -> Found[tuple[Message, ...]] | None:
    """What a call of Responses was given, after the instructions that its answer repeats."""
    found, answer = asked(span), answered(span)
    if found is None or answer is None:
        return None
    said = bodies.request_messages({"input": found.value, "instructions": answer.value.get("instructions")})
    return None if said is None else Found(said, found.key, found.taken)


@reads("error")
def _error(span: Span) -> Found[str] | None:
    """What went wrong, where no exception was recorded that says it."""
    said = as_object(span.attributes.get("error"))
    if said is None or any(event.name == "exception" for event in span.events):
        return None
    words = [str(one) for one in (said.get("message"), within(said, "data", "error")) if one]
    return Found(": ".join(words), "error", ("error",)) if words else None


def _of_call(key: str, role: str) -> Any:
    """The messages in a list, of a call of a model."""
    said = mapped(json_value(key), messages.conversation(role))

    @reads(said, _kind)
    def read(span: Span) -> Found[tuple[Message, ...]] | None:
        kind = _kind(span)
        return said(span) if kind is not None and kind.value is Kind.MODEL else None

    return read


def _of_step(key: str) -> Any:
    """What anything but a call of a model was given, or gave."""
    value = structure(key)

    @reads(value, _kind)
    def read(span: Span) -> Found[Any] | None:
        kind = _kind(span)
        return value(span) if kind is not None and kind.value is not Kind.MODEL else None

    return read


CONVENTION = Convention(
    name="logfire_agents",
    rank=Rank.FRAMEWORK,
    scopes=("logfire.openai_agents",),
    presumed_kind=_kind,
    counting=Counting(prompt_includes_cache=True, output_includes_reasoning=True),
    fields=Fields(
        name=identifier("name", "agent_name"),
        conversation=mapped(identifier("group_id"), _named),
        parameters=mapped(json_object("model_settings", "model_config"), _settings),
        tools=mapped(_answer, _tools),
        messages=first(
            _given,
            _of_call("input", "user"),
            mapped(_events, lambda events: told.asked(told.listed(events))),
        ),
        output_messages=first(attribute(bodies.answer_messages, "response"), _of_call("output", "assistant")),
        inputs=mapped(_of_step("input"), lambda value: as_object(value) or {"input": value}),
        output=_of_step("output"),
        usage=attribute(lambda value: bodies.usage(as_object(value)), "gen_ai.usage.raw", "usage"),
        cost=dollars(total="operation.cost"),
        error=_error,
        response_id=identifier("response_id"),
        metadata=json_object("metadata"),
    ),
)

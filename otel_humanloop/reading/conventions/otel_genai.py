"""OpenTelemetry GenAI, with the messages on the span or in an event of it: what most current instrumentations write.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/

Beside the published keys, those that opentelemetry-instrumentation-openai 0.62 and its siblings write in the same
namespace. Input tokens include those read from and written to a cache, output tokens include reasoning.
"""

from __future__ import annotations

from typing import Any, Literal

from otel_humanloop.operation import Kind, Message, Template
from otel_humanloop.reading import messages
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Look, Rank, Reader, asks
from otel_humanloop.reading.readers import (
    attribute,
    boolean,
    first,
    gathered,
    identifier,
    in_event,
    integer,
    json_object,
    json_objects,
    mapped,
    number,
    one_of,
    outside,
    present,
    strings,
    structure,
    text,
)
from otel_humanloop.reading.usage import tokens
from otel_humanloop.spans import Span

_Messages = tuple[Message, ...]
_Inputs = dict[str, Any]

_OPERATION = "gen_ai.operation.name"
_REQUEST_MODEL = "gen_ai.request.model"
_RESPONSE_MODEL = "gen_ai.response.model"
_INPUT_MESSAGES = "gen_ai.input.messages"
_OUTPUT_MESSAGES = "gen_ai.output.messages"
_DETAILS = "gen_ai.client.inference.operation.details"
_TOOL_NAME = "gen_ai.tool.name"
_TOOL_ARGUMENTS = "gen_ai.tool.call.arguments"
_TOOL_RESULT = "gen_ai.tool.call.result"

_KINDS = {
    "chat": Kind.MODEL,
    "completion": Kind.MODEL,
    "generate_content": Kind.MODEL,
    "text_completion": Kind.MODEL,
    "embeddings": Kind.EMBEDDING,
    "embedding": Kind.EMBEDDING,  # LiteLLM
    "retrieval": Kind.RETRIEVAL,
    "rerank": Kind.RERANKER,
    "execute_tool": Kind.TOOL,
    "create_agent": Kind.AGENT,
    "invoke_agent": Kind.AGENT,
    "invoke_workflow": Kind.CHAIN,
    "execute_task": Kind.CHAIN,  # not in the specification: LangGraph's nodes, by OpenLLMetry
}

_stated_kind = one_of(_KINDS, _OPERATION)

_agent_name = identifier("gen_ai.agent.name")
_own_name = identifier(_TOOL_NAME, "gen_ai.workflow.name")
_agent_description = text("gen_ai.agent.description")
_tool_description = text("gen_ai.tool.description")
_system = attribute(messages.written_instructions, "gen_ai.system_instructions")
_input = attribute(messages.written("user"), _INPUT_MESSAGES)
_output = attribute(messages.written("assistant"), _OUTPUT_MESSAGES)


def _kind_is(span: Span, *kinds: Kind) -> bool:
    operation = span.attributes.get(_OPERATION)
    return isinstance(operation, str) and _KINDS.get(operation.lower()) in kinds


@asks(_system, _input)
def _on_span(span: Span, of_system: Look[_Messages], of_input: Look[_Messages]) -> Found[_Messages] | None:
    if _kind_is(span, Kind.EMBEDDING):
        return None
    system, said = of_system(span), of_input(span)
    if system is None or said is None:
        return system or said
    told = said.value if _begins_with(said.value, system.value) else (*system.value, *said.value)
    return Found(told, said.key, (*system.taken, *said.taken))


def _begins_with(conversation: _Messages, instructions: _Messages) -> bool:
    """Whether a conversation tells the system instructions itself, as OpenLIT's do."""
    said = conversation[: len(instructions)]
    return [(one.role, one.parts) for one in said] == [(one.role, one.parts) for one in instructions]


def _in_details(reader: Reader[_Messages]) -> Reader[_Messages]:
    """What the reader says of the event of a call's details; Strands tells in it too what a tool was given and gave."""
    of_event = in_event(_DETAILS, reader)

    def read(span: Span) -> Found[_Messages] | None:
        return None if _kind_is(span, Kind.TOOL) else of_event(span)

    return Reader(read, events=of_event.events)


# Of hand-made instrumentation: the conversation in events of its own, as the specification had it until 2024.
_content_prompt = mapped(structure("gen_ai.prompt"), messages.conversation("user"))
_content_completion = mapped(structure("gen_ai.completion"), messages.conversation("assistant"))


_retrieval_inputs = gathered({"query": text("gen_ai.retrieval.query.text")})
_tool_inputs = first(json_object(_TOOL_ARGUMENTS), gathered({"input": structure(_TOOL_ARGUMENTS)}))
_embedding_inputs = mapped(_input, messages.embedded)


@asks(_embedding_inputs, first(_tool_inputs, _retrieval_inputs))
def _inputs(span: Span, of_embedding: Look[_Inputs], of_others: Look[_Inputs]) -> Found[_Inputs] | None:
    """What a model asked a tool for is no input of the model's, where its own span names it (OpenLIT)."""
    if _kind_is(span, Kind.MODEL):
        return None
    return of_embedding(span) if _kind_is(span, Kind.EMBEDDING) else of_others(span)


def _is_transcript(told: _Messages) -> bool:
    """Whether what came out is a conversation, and not one message for each choice: it tells what tools gave."""
    return len(told) > 1 and any(one.role == "tool" for one in told[:-1])


@asks(_on_span, _output)
def _asked(span: Span, on_span: Look[_Messages], of_output: Look[_Messages]) -> Found[_Messages] | None:
    """What went in; of an agent that tells all it did, with what was said before its answer."""
    said, told = on_span(span), of_output(span)
    if said is None or told is None or not _is_transcript(told.value):
        return said
    return Found((*said.value, *told.value[:-1]), said.key, said.taken)


def _answer(told: _Messages) -> _Messages:
    return told[-1:] if _is_transcript(told) else told


@asks(_agent_name, _own_name)
def _name(span: Span, of_agent: Look[str], of_others: Look[str]) -> Found[str] | None:
    """An agent's name stands on all it does; it names the span only where the span is the agent."""
    return of_agent(span) if _kind_is(span, Kind.AGENT) else of_others(span)


@asks(_agent_description, _tool_description)
def _description(span: Span, of_agent: Look[str], of_others: Look[str]) -> Found[str] | None:
    return of_agent(span) if _kind_is(span, Kind.AGENT) else of_others(span)


def _schema_format(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"schema": schema}}


_ENDPOINTS: dict[str, Literal["chat", "complete"]] = {
    "chat": "chat",
    "generate_content": "chat",
    "completion": "complete",
    "text_completion": "complete",
}


def _limit(tokens: int) -> int | None:
    """OpenLIT writes -1 where the program set none."""
    return tokens if tokens >= 0 else None


def _first_of(several: tuple[str, ...]) -> str | None:
    return next(iter(several), None)


CONVENTION = Convention(
    name="otel_genai",
    rank=Rank.STRUCTURED,
    keys=("gen_ai.",),
    presumed_kind=first(
        present(Kind.MODEL, _REQUEST_MODEL, _RESPONSE_MODEL, _INPUT_MESSAGES, _OUTPUT_MESSAGES),
        present(Kind.TOOL, _TOOL_NAME, _TOOL_ARGUMENTS, _TOOL_RESULT),
    ),
    counting=Counting(prompt_includes_cache=True, output_includes_reasoning=True),
    fields=Fields(
        kind=_stated_kind,
        name=_name,
        description=_description,
        conversation=identifier("gen_ai.conversation.id"),
        user=identifier("gen_ai.user"),
        # OpenInference's double emission writes the model that answered there.
        request_model=outside("openinference.", identifier(_REQUEST_MODEL)),
        response_model=identifier(_RESPONSE_MODEL),
        provider=mapped(identifier("gen_ai.provider.name", "gen_ai.system"), str.lower),
        endpoint=one_of(_ENDPOINTS, _OPERATION),
        parameters=gathered(
            {
                "temperature": number("gen_ai.request.temperature"),
                "top_p": number("gen_ai.request.top_p"),
                "top_k": number("gen_ai.request.top_k"),
                "max_tokens": mapped(
                    integer("gen_ai.request.max_tokens", "gen_ai.request.max_completion_tokens"), _limit
                ),
                "frequency_penalty": number("gen_ai.request.frequency_penalty"),
                "presence_penalty": number("gen_ai.request.presence_penalty"),
                "stop": mapped(strings("gen_ai.request.stop_sequences"), list),
                "seed": integer("gen_ai.request.seed", "gen_ai.openai.request.seed"),
                "n": integer("gen_ai.request.choice.count"),
                "reasoning_effort": text("gen_ai.request.reasoning_effort"),
                "reasoning_summary": text("gen_ai.request.reasoning_summary"),
                "service_tier": text("openai.request.service_tier", "gen_ai.openai.request.service_tier"),
                "response_format": first(
                    mapped(json_object("gen_ai.request.structured_output_schema"), _schema_format),
                    mapped(
                        identifier("gen_ai.openai.request.response_format", "gen_ai.output.type"),
                        {"json": {"type": "json_object"}, "json_object": {"type": "json_object"}}.get,
                    ),
                ),
                "encoding_format": mapped(strings("gen_ai.request.encoding_formats"), _first_of),
                "dimensions": integer("gen_ai.embeddings.dimension.count"),
            }
        ),
        template=mapped(identifier("gen_ai.prompt.name"), lambda name: Template(name=name)),
        tools=mapped(structure("gen_ai.tool.definitions"), messages.tool_definitions),
        messages=first(
            _asked,
            _in_details(_on_span),
            in_event("gen_ai.content.prompt", _content_prompt),
        ),
        output_messages=first(
            mapped(_output, _answer),
            _in_details(_output),
            in_event("gen_ai.content.completion", _content_completion),
        ),
        inputs=_inputs,
        output=structure(_TOOL_RESULT),
        documents=json_objects("gen_ai.retrieval.documents"),
        tool_call_id=identifier("gen_ai.tool.call.id"),
        usage=tokens(
            prompt_tokens="gen_ai.usage.input_tokens",
            output_tokens="gen_ai.usage.output_tokens",
            cache_read_tokens="gen_ai.usage.cache_read.input_tokens",
            cache_write_tokens=("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_write.input_tokens"),
            reasoning_tokens=("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"),
            total_tokens="gen_ai.usage.total_tokens",
        ),
        finish_reasons=first(
            strings("gen_ai.response.finish_reasons"),
            mapped(_output, messages.finish_reasons),
            in_event(_DETAILS, mapped(_output, messages.finish_reasons)),
        ),
        response_id=identifier("gen_ai.response.id"),
        streaming=boolean("gen_ai.request.stream", "gen_ai.is_streaming"),
        time_to_first_token=number("gen_ai.response.time_to_first_chunk"),
    ),
)

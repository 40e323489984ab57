"""The Vercel AI SDK, versions 4 to 6, with `experimental_telemetry`.

https://ai-sdk.dev/docs/ai-sdk-core/telemetry

A call of `generateText` is an outer span around one span for each step (`.doGenerate`, `.doStream`, `.doEmbed`), which
is the call of a model, and one for each call of a tool. The outer span sums up the tokens of its steps. Input tokens
include cached ones, output tokens include reasoning; before version 6 they are the provider's own, and Anthropic's
leave cached tokens out, which is converted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

import msgspec

from otel_humanloop.operation import Kind, Message, Usage
from otel_humanloop.reading import messages
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Look, Rank, asks, reads
from otel_humanloop.reading.readers import (
    arguments,
    first,
    gathered,
    identifier,
    integer,
    json_object,
    json_value,
    mapped,
    number,
    prefixed,
    strings,
    structure,
    text,
)
from otel_humanloop.reading.usage import cache_beside, tokens
from otel_humanloop.reading.values import as_integer, as_value, within
from otel_humanloop.spans import Span

_METADATA = "ai.telemetry.metadata."
_USER = ("userId", "user_id")
_CONVERSATION = ("sessionId", "session_id", "conversationId", "threadId", "chatId")

_Messages = tuple[Message, ...]
_Inputs = Mapping[str, Any]

_OPERATION = "ai.operationId"
_operation = identifier(_OPERATION)
_function = identifier("ai.telemetry.functionId")
_tool_name = identifier("ai.toolCall.name")
_several_texts = mapped(strings("ai.values"), lambda texts: {"input": [as_value(one) for one in texts]})
_text = json_value("ai.value")
_arguments = arguments("ai.toolCall.args")
_prompted = arguments("ai.prompt")
_result = json_value("ai.toolCall.result")
_embedded = gathered({"input": _text})
_vectors = mapped(strings("ai.embeddings"), lambda vectors: [as_value(one) for one in vectors])
_vector = json_value("ai.embedding")
_answer_text = text("ai.response.text", "ai.result.text")
_answer_object = text("ai.response.object", "ai.result.object")
_answer_calls = json_value("ai.response.toolCalls", "ai.result.toolCalls")
_answer_reasoning = text("ai.response.reasoning")
_finish_reason = identifier("ai.response.finishReason", "ai.finishReason")


_STEPS = {
    "doGenerate": Kind.MODEL,
    "doStream": Kind.MODEL,
    "doEmbed": Kind.EMBEDDING,
    "doRerank": Kind.RERANKER,
    "toolCall": Kind.TOOL,
}


def _kind_of(operation: str) -> Kind | None:
    return _STEPS.get(operation.rpartition(".")[2], Kind.CHAIN if operation.startswith("ai.") else None)


def _kind(span: Span) -> Kind | None:
    """The kind a span states."""
    operation = span.attributes.get(_OPERATION)
    return _kind_of(operation) if isinstance(operation, str) else None


def _part(value: Any) -> Any:
    """A part of a message by the names others use: `tool-call` with `toolCallId`, media with a `mediaType`."""
    if not isinstance(value, dict):
        return value
    part = cast("dict[str, Any]", value)
    kind = part.get("type")
    call = {"id": part.get("toolCallId"), "name": part.get("toolName")}
    if kind == "tool-call":
        return {"type": "tool_call", **call, "arguments": part.get("input", part.get("args"))}
    if kind == "tool-result":
        output = part.get("output", part.get("result"))
        typed = within(output, "type") is not None and within(output, "value") is not None
        return {"type": "tool_call_response", **call, "response": within(output, "value") if typed else output}
    if kind in ("image", "file"):
        data = part.get("data", part.get("image"))
        mime_type = part.get("mediaType", part.get("mimeType"))
        if isinstance(data, str):
            inline = not data.startswith(("http:", "https:", "data:"))
            return {
                "type": "blob" if inline else "uri",
                "content": data,
                "uri": data,
                "mime_type": mime_type or "image/*",
            }
    return part


def _message(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    said = cast("dict[str, Any]", value)
    content = said.get("content")
    return (
        {**said, "content": [_part(part) for part in cast("list[Any]", content)]} if isinstance(content, list) else said
    )


def _conversation(value: Any) -> tuple[Message, ...] | None:
    """`[message]`, or `{system, messages}`, or `{system, prompt}`."""
    if isinstance(value, list):
        return tuple(messages.message(_message(item), "user") for item in cast("list[Any]", value))
    if not isinstance(value, dict):
        return messages.conversation("user")(value)
    asked = cast("dict[str, Any]", value)
    said = asked.get("messages", asked.get("prompt"))
    system = messages.instructions(asked["system"]) if asked.get("system") else None
    rest = _conversation(said) if said is not None else None
    return (*(system or ()), *(rest or ())) or None


_asking = first(
    mapped(json_value("ai.prompt.messages"), _conversation),
    mapped(structure("ai.prompt"), _conversation),
)


@asks(_asking)
def _asked(span: Span, told: Look[_Messages]) -> Found[_Messages] | None:
    return told(span) if _kind(span) is Kind.MODEL else None


@asks(_answer_reasoning, _answer_text, _answer_object, _answer_calls, _finish_reason)
def _answered(span: Span, *looks: Look[Any]) -> Found[_Messages] | None:
    """One message of all the answer was given as."""
    if _kind(span) is not Kind.MODEL:
        return None
    said = [look(span) for look in looks]
    reasoning, content, thing, calls, reason = (None if one is None else one.value for one in said)
    found = [one for one in said[:-1] if one is not None]
    if not found:
        return None
    # A call of tools alone is told with the empty text.
    fields: dict[str, Any] = {"role": "assistant", "reasoning": reasoning, "content": content or thing}
    called = [
        _part({**cast("dict[str, Any]", call), "type": "tool-call"})
        for call in (cast("list[Any]", calls) if isinstance(calls, list) else [])
        if isinstance(call, dict)
    ]
    parts = messages.message(fields, "assistant").parts
    if called:
        parts = (*parts, *messages.message({"role": "assistant", "parts": called}, "assistant").parts)
    keys = tuple(key for one in found for key in one.taken)
    message = Message(role="assistant", parts=parts, finish_reason=reason)
    return Found((message,), ", ".join(one.key for one in found), keys)


@asks(_arguments, _several_texts, first(_embedded, _several_texts, _prompted))
def _inputs(
    span: Span, of_tool: Look[_Inputs], of_embedding: Look[_Inputs], of_chain: Look[_Inputs]
) -> Found[_Inputs] | None:
    look = {Kind.TOOL: of_tool, Kind.EMBEDDING: of_embedding, Kind.CHAIN: of_chain}.get(_kind(span) or Kind.STEP)
    return None if look is None else look(span)


@asks(_result, _vectors, first(_answer_text, _answer_object, _answer_calls, _vector, _vectors))
def _output(span: Span, of_tool: Look[Any], of_embedding: Look[Any], of_chain: Look[Any]) -> Found[Any] | None:
    look = {Kind.TOOL: of_tool, Kind.EMBEDDING: of_embedding, Kind.CHAIN: of_chain}.get(_kind(span) or Kind.STEP)
    return None if look is None else look(span)


@reads(_operation)
def _endpoint(span: Span) -> Found[Literal["chat", "complete"]] | None:
    return Found("chat", _OPERATION) if _kind(span) is Kind.MODEL else None


@asks(prefixed(_METADATA))
def _metadata(span: Span, telemetry: Look[_Inputs]) -> Found[_Inputs] | None:
    """The program's own, without the user and the conversation."""
    found = telemetry(span)
    if found is None:
        return None
    elsewhere = {next((key for key in keys if found.value.get(key)), None) for keys in (_USER, _CONVERSATION)}
    kept = {key: value for key, value in found.value.items() if key not in elsewhere}
    return Found(kept, found.key, tuple(_METADATA + key for key in kept)) if kept else None


def _tools(definitions: tuple[str, ...]) -> Any:
    return messages.tool_definitions([as_value(one) for one in definitions])


_BESIDE = ("anthropic", "amazon-bedrock", "vertex.anthropic", "google.vertex.anthropic")
_among = tokens(
    prompt_tokens=("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
    output_tokens=("ai.usage.outputTokens", "ai.usage.completionTokens"),
    cache_read_tokens=("ai.usage.inputTokenDetails.cacheReadTokens", "ai.usage.cachedInputTokens"),
    cache_write_tokens="ai.usage.inputTokenDetails.cacheWriteTokens",
    reasoning_tokens=("ai.usage.outputTokenDetails.reasoningTokens", "ai.usage.reasoningTokens"),
    total_tokens="ai.usage.totalTokens",
)
_provider_metadata = json_object("ai.response.providerMetadata", "ai.result.providerMetadata")
_DETAILS = "ai.usage.inputTokenDetails."


@asks(_among, _provider_metadata)
def _counted(span: Span, counted: Look[Usage], of_provider: Look[_Inputs]) -> Found[Usage] | None:
    """Before version 6 the counts are the provider's own: Anthropic's leave out what came from or went to a cache."""
    found = counted(span)
    provider = str(span.attributes.get("ai.model.provider", ""))
    if found is None or not provider.startswith(_BESIDE) or any(key.startswith(_DETAILS) for key in span.attributes):
        return found
    told = of_provider(span)
    own = within({} if told is None else told.value, "anthropic")
    read, wrote = (
        as_integer(within(own, own_name) if vendors is None else vendors)
        for own_name, vendors in (
            ("cacheReadInputTokens", within(own, "usage", "cache_read_input_tokens")),
            ("cacheCreationInputTokens", within(own, "usage", "cache_creation_input_tokens")),
        )
    )
    usage = msgspec.structs.replace(
        found.value,
        cache_read_tokens=found.value.cache_read_tokens if read is None else read,
        cache_write_tokens=found.value.cache_write_tokens if wrote is None else wrote,
    )
    return Found(cache_beside(usage), found.key, found.taken)


CONVENTION = Convention(
    name="vercel_ai",
    rank=Rank.FRAMEWORK,
    scopes=("ai",),
    counting=Counting(
        prompt_includes_cache=True,
        output_includes_reasoning=True,
        note="The outer span sums up its steps. Converted before version 6, where Anthropic's leave cached tokens out.",
    ),
    fields=Fields(
        kind=mapped(_operation, _kind_of),
        name=first(_tool_name, _function),
        conversation=identifier(*(_METADATA + key for key in _CONVERSATION)),
        user=identifier(*(_METADATA + key for key in _USER)),
        request_model=identifier("ai.model.id"),
        response_model=identifier("ai.response.model"),
        endpoint=_endpoint,
        provider=mapped(identifier("ai.model.provider"), lambda name: name.partition(".")[0].lower()),
        parameters=gathered(
            {
                "temperature": number("ai.settings.temperature"),
                "top_p": number("ai.settings.topP"),
                "top_k": number("ai.settings.topK"),
                "max_tokens": integer("ai.settings.maxOutputTokens", "ai.settings.maxTokens"),
                "frequency_penalty": number("ai.settings.frequencyPenalty"),
                "presence_penalty": number("ai.settings.presencePenalty"),
                "seed": integer("ai.settings.seed"),
                "tool_choice": structure("ai.prompt.toolChoice"),
            }
        ),
        tools=mapped(strings("ai.prompt.tools"), _tools),
        messages=_asked,
        output_messages=_answered,
        inputs=_inputs,
        output=_output,
        tool_call_id=identifier("ai.toolCall.id"),
        usage=_counted,
        finish_reasons=mapped(_finish_reason, lambda reason: (reason,)),
        response_id=identifier("ai.response.id"),
        streaming=mapped(_operation, lambda operation: True if "stream" in operation.lower() else None),
        time_to_first_token=mapped(
            number("ai.response.msToFirstChunk", "ai.stream.msToFirstChunk"), lambda milliseconds: milliseconds / 1000
        ),
        metadata=_metadata,
    ),
)

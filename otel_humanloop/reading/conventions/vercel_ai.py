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
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Rank, reads
from otel_humanloop.reading.readers import (
    arguments,
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

_operation = identifier("ai.operationId")
_function = identifier("ai.telemetry.functionId")
_tool_name = identifier("ai.toolCall.name")
_prompt_messages = json_value("ai.prompt.messages")
_prompt = structure("ai.prompt")
_texts = strings("ai.values")
_text = json_value("ai.value")
_arguments = arguments("ai.toolCall.args")
_prompted = arguments("ai.prompt")
_result = json_value("ai.toolCall.result")
_embedded = gathered({"input": _text})
_vectors = strings("ai.embeddings")
_vector = json_value("ai.embedding")
_answer_text = text("ai.response.text", "ai.result.text")
_answer_object = text("ai.response.object", "ai.result.object")
_answer_calls = json_value("ai.response.toolCalls", "ai.result.toolCalls")
_answer_reasoning = text("ai.response.reasoning")
_finish_reason = identifier("ai.response.finishReason", "ai.finishReason")
_telemetry = prefixed(_METADATA)


def _kind_of(operation: str) -> Kind | None:
    step = operation.rpartition(".")[2]
    if step in ("doGenerate", "doStream"):
        return Kind.MODEL
    known = {"doEmbed": Kind.EMBEDDING, "doRerank": Kind.RERANKER, "toolCall": Kind.TOOL}
    return known.get(step, Kind.CHAIN if operation.startswith("ai.") else None)


_kind = mapped(_operation, _kind_of)


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


def _is(span: Span, *kinds: Kind) -> bool:
    kind = _kind(span)
    return kind is not None and kind.value in kinds


@reads(_prompt_messages, _prompt, _operation)
def _asked(span: Span) -> Found[tuple[Message, ...]] | None:
    if not _is(span, Kind.MODEL):
        return None
    return mapped(_prompt_messages, _conversation)(span) or mapped(_prompt, _conversation)(span)


@reads(_answer_text, _answer_object, _answer_calls, _answer_reasoning, _operation)
def _answered(span: Span) -> Found[tuple[Message, ...]] | None:
    """One message of all the answer was given as."""
    if not _is(span, Kind.MODEL):
        return None
    found = [
        (key, one)
        for key, reader in (
            ("reasoning", _answer_reasoning),
            ("content", _answer_text),
            ("object", _answer_object),
            ("calls", _answer_calls),
        )
        if (one := reader(span)) is not None
    ]
    if not found:
        return None
    told = {key: one.value for key, one in found}
    fields: dict[str, Any] = {"role": "assistant", "reasoning": told.get("reasoning"), "content": told.get("content")}
    if not told.get("content"):  # a call of tools alone is told with the empty text
        fields["content"] = told.get("object")
    calls = cast("list[Any]", told["calls"]) if isinstance(told.get("calls"), list) else []
    parts = [_part({**cast("dict[str, Any]", call), "type": "tool-call"}) for call in calls if isinstance(call, dict)]
    words = messages.message(fields, "assistant").parts
    called = messages.message({"role": "assistant", "parts": parts}, "assistant").parts
    reason = _finish_reason(span)
    message = Message(role="assistant", parts=(*words, *called), finish_reason=None if reason is None else reason.value)
    keys = tuple(key for _, one in found for key in one.taken)
    return Found((message,), ", ".join(one.key for _, one in found), keys)


@reads(_arguments, _texts, _text, _prompt, _operation)
def _inputs(span: Span) -> Found[Mapping[str, Any]] | None:
    if _is(span, Kind.TOOL):
        return _arguments(span)
    if _is(span, Kind.EMBEDDING):
        return mapped(_texts, lambda texts: {"input": [as_value(one) for one in texts]})(span)
    if _is(span, Kind.CHAIN):
        return _embedded(span) or _prompted(span)
    return None


@reads(_result, _vectors, _vector, _answer_text, _answer_object, _answer_calls, _operation)
def _output(span: Span) -> Found[Any] | None:
    if _is(span, Kind.TOOL):
        return _result(span)
    if _is(span, Kind.EMBEDDING):
        return mapped(_vectors, lambda vectors: [as_value(one) for one in vectors])(span)
    if _is(span, Kind.CHAIN):
        return _answer_text(span) or _answer_object(span) or _answer_calls(span) or _vector(span)
    return None


@reads(_operation)
def _endpoint(span: Span) -> Found[Literal["chat", "complete"]] | None:
    return Found("chat", _operation.keys[0]) if _is(span, Kind.MODEL) else None


@reads(_tool_name, _function)
def _name(span: Span) -> Found[str] | None:
    return _tool_name(span) or _function(span)


@reads(_METADATA)
def _metadata(span: Span) -> Found[Mapping[str, Any]] | None:
    """The program's own, without the user and the conversation."""
    found = _telemetry(span)
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


@reads(_among, _provider_metadata)
def _counted(span: Span) -> Found[Usage] | None:
    """Before version 6 the counts are the provider's own: Anthropic's leave out what came from or went to a cache."""
    found = _among(span)
    provider = str(span.attributes.get("ai.model.provider", ""))
    if found is None or not provider.startswith(_BESIDE) or any(key.startswith(_DETAILS) for key in span.attributes):
        return found
    told = _provider_metadata(span)
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
        kind=_kind,
        name=_name,
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

"""`/v1/chat/completions`: an answer as one body, or as the chunks of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from otel_humanloop.demo.model_server.answer import Answer, Call, Choice
from otel_humanloop.demo.model_server.exchange import Tokens, pieces


def whole(answer: Answer) -> dict[str, Any]:
    """A `chat.completion`."""
    return {
        **_head(answer, "chat.completion"),
        "choices": [_choice(choice) for choice in answer.choices],
        "usage": usage(answer.tokens),
    }


def chunks(answer: Answer, *, include_usage: bool) -> Iterator[dict[str, Any]]:
    """The `chat.completion.chunk`s, choices interleaved; usage comes last, in a chunk that has no choice."""
    head = _head(answer, "chat.completion.chunk")
    if include_usage:
        head["usage"] = None
    for row in zip_longest(*(_deltas(choice) for choice in answer.choices)):
        for choice, delta in zip(answer.choices, row, strict=True):
            if delta is not None:
                yield {**head, "choices": [_part(choice, delta, None)]}
    for choice in answer.choices:
        yield {**head, "choices": [_part(choice, {}, choice.finish_reason)]}
    if include_usage:
        yield {**head, "choices": [], "usage": usage(answer.tokens)}


def usage(tokens: Tokens) -> dict[str, Any]:
    """A `CompletionUsage`."""
    return {
        "prompt_tokens": tokens.prompt,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.prompt + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": tokens.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _head(answer: Answer, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{answer.key}",
        "object": kind,
        "created": answer.created,
        "model": answer.model,
        "service_tier": "default",
        "system_fingerprint": "fp_offline",
    }


def _choice(choice: Choice) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": choice.text, "refusal": None, "annotations": []}
    if choice.calls:
        message["tool_calls"] = [_call(call) for call in choice.calls]
    return {"index": choice.index, "message": message, "logprobs": None, "finish_reason": choice.finish_reason}


def _call(call: Call) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _part(choice: Choice, delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    return {"index": choice.index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _deltas(choice: Choice) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": None if choice.text is None else "", "refusal": None}
    for piece in pieces(choice.text or ""):
        yield {"content": piece}
    for index, call in enumerate(choice.calls):
        named = {"index": index, **_call(call)}
        named["function"] = {"name": call.name, "arguments": ""}
        yield {"tool_calls": [named]}
        for piece in pieces(call.arguments):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}

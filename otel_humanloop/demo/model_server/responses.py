"""`/v1/responses`: an answer as one response, or as the events that build it up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from otel_humanloop.demo.model_server.answer import Answer, Call
from otel_humanloop.demo.model_server.exchange import Request, pieces


def whole(request: Request, answer: Answer) -> dict[str, Any]:
    """A `response` that is over: completed, or incomplete where the token limit cut it."""
    cut = answer.choices[0].finish_reason == "length"
    return {
        **_head(request, answer, "incomplete" if cut else "completed"),
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "output": list(_items(answer)),
        "usage": {
            "input_tokens": answer.tokens.prompt,
            "input_tokens_details": {"cached_tokens": answer.tokens.cached, "cache_write_tokens": 0},
            "output_tokens": answer.tokens.output,
            "output_tokens_details": {"reasoning_tokens": answer.tokens.reasoning},
            "total_tokens": answer.tokens.prompt + answer.tokens.output,
        },
    }


def events(request: Request, answer: Answer) -> Iterator[dict[str, Any]]:
    """The events of a stream, numbered: each item is added, grows by deltas and is done."""
    for number, event in enumerate(_events(request, answer)):
        yield {**event, "sequence_number": number}


def _events(request: Request, answer: Answer) -> Iterator[dict[str, Any]]:
    started: dict[str, Any] = {
        **_head(request, answer, "in_progress"),
        "incomplete_details": None,
        "output": [],
        "usage": None,
    }
    yield {"type": "response.created", "response": started}
    yield {"type": "response.in_progress", "response": started}
    for index, item in enumerate(_items(answer)):
        growth, empty = _GROWTH[item["type"]]
        opened = {**item, **empty, "status": "in_progress"}
        yield {"type": "response.output_item.added", "output_index": index, "item": opened}
        for event in growth(item):
            yield {**event, "output_index": index, "item_id": item["id"]}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    ended = whole(request, answer)
    yield {"type": f"response.{ended['status']}", "response": ended}


def _reasoning_events(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    name, at = "response.reasoning_summary", {"summary_index": 0}
    part = item["summary"][0]
    yield {"type": f"{name}_part.added", **at, "part": {**part, "text": ""}}
    for piece in pieces(part["text"]):
        yield {"type": f"{name}_text.delta", **at, "delta": piece}
    yield {"type": f"{name}_text.done", **at, "text": part["text"]}
    yield {"type": f"{name}_part.done", **at, "part": part}


def _message_events(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    at = {"content_index": 0}
    part = item["content"][0]
    yield {"type": "response.content_part.added", **at, "part": {**part, "text": ""}}
    for piece in pieces(part["text"]):
        yield {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
    yield {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **at, "part": part}


def _call_events(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    name = "response.function_call_arguments"
    for piece in pieces(item["arguments"]):
        yield {"type": f"{name}.delta", "delta": piece}
    yield {"type": f"{name}.done", "name": item["name"], "arguments": item["arguments"]}


_Growth = Callable[[dict[str, Any]], Iterator[dict[str, Any]]]

_GROWTH: Mapping[str, tuple[_Growth, dict[str, Any]]] = {
    "reasoning": (_reasoning_events, {"summary": []}),
    "message": (_message_events, {"content": []}),
    "function_call": (_call_events, {"arguments": ""}),
}
"""For each type of item: the events it grows by, and what it lacks when it is added."""


def _items(answer: Answer) -> Iterator[dict[str, Any]]:
    """The items of the output in order: what was thought, what was said, which tools were asked for."""
    choice = answer.choices[0]
    if answer.reasoning is not None:
        summary = [{"type": "summary_text", "text": answer.reasoning}]
        yield {"id": f"rs_{answer.key}", "type": "reasoning", "status": "completed", "summary": summary}
    if choice.text is not None:
        yield {
            "id": f"msg_{answer.key}",
            "type": "message",
            "status": "incomplete" if choice.finish_reason == "length" else "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": choice.text, "annotations": [], "logprobs": []}],
        }
    for index, call in enumerate(choice.calls):
        yield _function_call(call, f"fc_{answer.key}{index:02d}")


def _function_call(call: Call, item_id: str) -> dict[str, Any]:
    return {
        "id": item_id,
        "type": "function_call",
        "status": "completed",
        "call_id": call.id,
        "name": call.name,
        "arguments": call.arguments,
    }


def _head(request: Request, answer: Answer, status: str) -> dict[str, Any]:
    """What a response repeats of its request, with OpenAI's defaults where that is silent."""
    body = request.body
    return {
        "id": f"resp_{answer.key}",
        "object": "response",
        "created_at": answer.created,
        "status": status,
        "error": None,
        "model": answer.model,
        "instructions": body.get("instructions"),
        "previous_response_id": body.get("previous_response_id"),
        "max_output_tokens": body.get("max_output_tokens"),
        "metadata": body.get("metadata") or {},
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "reasoning": body.get("reasoning") or {"effort": None, "summary": None},
        "temperature": body.get("temperature", 1.0),
        "top_p": body.get("top_p", 1.0),
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "truncation": body.get("truncation", "disabled"),
    }

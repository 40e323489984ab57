"""`/v1/completions`, the endpoint of models before chat: an answer as one body, or as the chunks of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from otel_humanloop.demo.model_server.answer import Answer
from otel_humanloop.demo.model_server.chat import usage
from otel_humanloop.demo.model_server.exchange import pieces


def whole(answer: Answer) -> dict[str, Any]:
    """A `text_completion`."""
    choices = [_choice(choice.index, choice.text or "", choice.finish_reason) for choice in answer.choices]
    return {**_head(answer), "choices": choices, "usage": usage(answer.tokens)}


def chunks(answer: Answer, *, include_usage: bool) -> Iterator[dict[str, Any]]:
    """The same in pieces, each with the whole's shape; usage comes last, in a chunk that has no choice."""
    head = _head(answer)
    if include_usage:
        head["usage"] = None
    for choice in answer.choices:
        for piece in pieces(choice.text or ""):
            yield {**head, "choices": [_choice(choice.index, piece, None)]}
        yield {**head, "choices": [_choice(choice.index, "", choice.finish_reason)]}
    if include_usage:
        yield {**head, "choices": [], "usage": usage(answer.tokens)}


def _head(answer: Answer) -> dict[str, Any]:
    return {
        "id": f"cmpl-{answer.key}",
        "object": "text_completion",
        "created": answer.created,
        "model": answer.model,
        "system_fingerprint": "fp_offline",
    }


def _choice(index: int, text: str, finish_reason: str | None) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": finish_reason}

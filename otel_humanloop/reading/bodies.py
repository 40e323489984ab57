"""Requests and answers of model APIs, whole, as some instrumentations keep them beside or instead of messages.

The shapes are OpenAI's: chat completions, completions and Responses. Nothing here raises; what has another shape says
nothing.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from otel_humanloop.operation import Message, Usage
from otel_humanloop.reading import messages, pythontext
from otel_humanloop.reading.values import as_integer, as_object, within
from otel_humanloop.spans import Value

_OF_ONE_CALL = frozenset(
    {
        "_type",
        "functions",
        "input",
        "instructions",
        "messages",
        "metadata",
        "model",
        "model_name",
        "previous_response_id",
        "prompt",
        "stream",
        "stream_options",
        "tools",
        "user",
    }
)
"""What a request holds besides parameters. Some of it is another field's, some differs from call to call."""

_LENGTH_LIMITS = ("max_completion_tokens", "max_output_tokens")
"""Names of `max_tokens` in OpenAI's later APIs."""


class Choice(msgspec.Struct, frozen=True):
    """One of the answers of a chat completion or completion."""

    finish_reason: str | None = None
    message: Any = None
    text: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """What of an answer is read. `choices` are those of chat, `output` the items of Responses."""

    id: str | None = None
    choices: list[Choice] | None = None
    output: list[Any] | None = None


def answer(value: Value) -> Answer | None:
    """The answer that JSON text is."""
    if not isinstance(value, str):
        return None
    try:
        return msgspec.json.decode(value, type=Answer)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None


def answer_messages(value: Value) -> tuple[Message, ...] | None:
    """An answer's messages: one for each choice; the items of Responses are one."""
    said = answer(value)
    if said is None:
        return None
    if said.choices:
        return tuple(_choice_message(choice) for choice in said.choices)
    if said.output:
        return (as_one(tuple(messages.message(item, "assistant") for item in said.output)),)
    return None


def choice_messages(choices: Any) -> tuple[Message, ...] | None:
    """The messages of the `choices` of a chat completion or completion, as values."""
    try:
        return tuple(_choice_message(choice) for choice in msgspec.convert(choices, list[Choice])) or None
    except (msgspec.ValidationError, UnicodeEncodeError, RecursionError):  # an attribute may hold any text
        return None


def usage(value: Any) -> Usage | None:
    """The `usage` of an answer: of chat completions, Responses or Anthropic's messages. Cached tokens are among the
    prompt's with OpenAI, and beside them with Anthropic."""
    if not isinstance(value, dict):
        return None
    said = cast("dict[str, Any]", value)
    prompt = _count(said, "prompt_tokens")
    openai_prompt = prompt is not None or "input_tokens_details" in said
    prompt = _count(said, "input_tokens") if prompt is None else prompt
    read = _count(said, "prompt_tokens_details", "cached_tokens")
    read = _count(said, "input_tokens_details", "cached_tokens") if read is None else read
    beside = (_count(said, "cache_read_input_tokens"), _count(said, "cache_creation_input_tokens"))
    if prompt is not None and not openai_prompt:
        prompt += sum(count for count in beside if count is not None)
    output = _count(said, "completion_tokens")
    reasoning = _count(said, "completion_tokens_details", "reasoning_tokens")
    counted = Usage(
        prompt_tokens=prompt,
        output_tokens=_count(said, "output_tokens") if output is None else output,
        cache_read_tokens=beside[0] if read is None else read,
        cache_write_tokens=beside[1],
        reasoning_tokens=_count(said, "output_tokens_details", "reasoning_tokens") if reasoning is None else reasoning,
        audio_prompt_tokens=_count(said, "prompt_tokens_details", "audio_tokens"),
        audio_output_tokens=_count(said, "completion_tokens_details", "audio_tokens"),
        total_tokens=_count(said, "total_tokens"),
    )
    return None if counted == Usage() else counted


def _count(said: dict[str, Any], *path: str) -> int | None:
    count = as_integer(within(said, *path))
    return count if count is not None and count >= 0 else None


def finish_reasons(said: Answer) -> tuple[str, ...] | None:
    """Why each choice stopped."""
    reasons = tuple(choice.finish_reason for choice in said.choices or () if choice.finish_reason)
    return reasons or None


def request_messages(value: Value) -> tuple[Message, ...] | None:
    """The conversation in a request: its `messages`, after its `system`; or its `input`, after its `instructions`; or
    its `prompt`."""
    body = as_object(value)
    if body is None:
        return None
    told = body.get("messages")
    if isinstance(told, list):
        items = cast("list[Any]", told)
        spoken = all(isinstance(item, dict) and "role" in item for item in items)
        if not spoken:
            return None
        system = messages.instructions(body["system"]) if body.get("system") else None  # Anthropic's
        return (*(system or ()), *(messages.message(item, "user") for item in items))
    said = messages.conversation("user")(next((body[key] for key in ("input", "prompt") if body.get(key)), None))
    instructions = messages.instructions(body["instructions"]) if body.get("instructions") else None
    return None if said is None else (*(instructions or ()), *said)


def given(request: dict[str, Any]) -> dict[str, Any]:
    """A request without what the program left out, which Portkey's clients name by an object that stands for it; and
    with what they keep apart as `kwargs`."""
    further = as_object(request.get("kwargs"))
    asked = request if further is None else {key: request[key] for key in request if key != "kwargs"} | further
    return {key: one for key, one in asked.items() if not (isinstance(one, str) and pythontext.is_object(one))}


def parameters(request: dict[str, Any]) -> dict[str, Any] | None:
    """The parameters in a request, by the names `Operation.parameters` has."""
    kept = {key: value for key, value in request.items() if key not in _OF_ONE_CALL and value is not None}
    for name in _LENGTH_LIMITS:
        if name in kept:
            limit = kept.pop(name)
            kept.setdefault("max_tokens", limit)
    if "stop_sequences" in kept:
        kept.setdefault("stop", kept.pop("stop_sequences"))
    return kept or None


def metadata(request: dict[str, Any]) -> dict[str, Any] | None:
    """What a request says of itself: its metadata, and the response it goes on from."""
    own = as_object(request.get("metadata")) or {}
    previous = request.get("previous_response_id")
    return (own if previous is None else {**own, "previous_response_id": previous}) or None


def as_one(several: tuple[Message, ...]) -> Message:
    """One message of the parts of several: OpenAI's Responses answer in items, which together are one choice."""
    if len(several) == 1:
        return several[0]
    return Message(role="assistant", parts=tuple(part for one in several for part in one.parts))


def _choice_message(choice: Choice) -> Message:
    said = messages.message(choice.text if choice.message is None else choice.message, "assistant")
    return said if choice.finish_reason is None else msgspec.structs.replace(said, finish_reason=choice.finish_reason)

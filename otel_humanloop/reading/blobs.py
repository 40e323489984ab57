"""A call's input and output, each as one value on one attribute: what products' own SDKs write.

The value is whatever the program passed: for a call of a model most often a request and an answer in the shape of some
vendor's API, or the messages alone; for anything else arguments and a result. Nothing here raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from otel_humanloop.operation import Kind, Message
from otel_humanloop.reading import bodies, constructors, messages
from otel_humanloop.reading.convention import Fields, Found, Reader, reads
from otel_humanloop.reading.readers import structure
from otel_humanloop.reading.values import as_object, as_structure, as_text, within
from otel_humanloop.spans import Span, Value

_CALLS = (Kind.MODEL,)
_QUESTIONS = ("prompt", "input", "question", "query", "text")
_ANSWERS = ("message", "output", "response", "text", "reply")


def asked(value: Any) -> tuple[Message, ...] | None:
    """The conversation a model was given, in whatever shape; None where the value is none."""
    value = as_structure(value)
    if isinstance(value, dict):
        body = cast("dict[str, Any]", value)
        if "role" in body:
            return messages.conversation("user")([body])
        told = body.get("messages", body.get("contents"))
        if told is None:
            told = next((body[key] for key in _QUESTIONS if isinstance(body.get(key), (str, list))), None)
        said = None if told is None else asked(told)
        system = body.get("system", body.get("instructions", body.get("system_instruction")))
        given = messages.instructions(system) if said is not None and system else None
        return said if said is None else (*(given or ()), *said)
    if isinstance(value, list):
        items = cast("list[Any]", value)
        if len(items) == 1 and isinstance(items[0], list):  # LangChain: a batch of one
            items = cast("list[Any]", items[0])
        return messages.conversation("user")([*map(_labelled, items)]) if _are_messages(items) else None
    return messages.conversation("user")(value) if isinstance(value, str) else None


def answered(value: Any) -> tuple[Message, ...] | None:
    """What a model answered, one message for each choice; None where the value is no answer."""
    value = as_structure(value)
    if isinstance(value, str):
        return messages.conversation("assistant")(value)
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return messages.conversation("assistant")([*map(_labelled, items)]) if _are_messages(items) else None
    if not isinstance(value, dict):
        return None
    body = cast("dict[str, Any]", value)
    if isinstance(body.get("choices"), list):
        return bodies.choice_messages(body["choices"])
    for shape in ("candidates", "generations", "messages", "replies"):
        told = body.get(shape)
        if isinstance(told, list) and told:
            items = cast("list[Any]", told)
            last = cast("list[Any]", items[0]) if isinstance(items[0], list) else items
            return answered(last[-1:] if shape == "messages" else last)
    if _is_message(body):
        labelled = _labelled(body)
        return (messages.message({"role": "assistant", **labelled}, "assistant"),)
    told = next((body[key] for key in _ANSWERS if isinstance(body.get(key), (str, dict, list))), None)
    return None if told is None else answered(told)


def batch(value: Value) -> tuple[Message, ...] | None:
    """The conversation LangChain gives a model: a batch of one, of messages as it serialises them."""
    told = within(as_object(value), "messages")
    return asked(cast("Any", told)) if isinstance(told, list) and told and isinstance(told[0], list) else None


def generation(value: Value) -> tuple[Message, ...] | None:
    """What LangChain is given by a model."""
    body = as_object(value)
    return answered(body) if isinstance(within(body, "generations"), list) else None


def of_kind(
    kind: Reader[Kind],
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    *,
    reader: Callable[..., Reader[Any]] = structure,
) -> Fields:
    """The four fields of an input and an output: a conversation where a model was called, else inputs and output.

    Args:
        kind: What the span is.
        inputs, outputs: The keys of either, in the order they are looked for.
        reader: Makes the reader of such keys: `readers.json_value` where text, too, is written as JSON.
    """
    given, gave = reader(*inputs), reader(*outputs)

    def is_call(span: Span) -> bool:
        found = kind(span)
        return found is not None and found.value in _CALLS

    @reads(given, kind)
    def messages_in(span: Span) -> Found[tuple[Message, ...]] | None:
        return _made(given(span), asked) if is_call(span) else None

    @reads(gave, kind)
    def messages_out(span: Span) -> Found[tuple[Message, ...]] | None:
        return _made(gave(span), answered) if is_call(span) else None

    @reads(given, kind)
    def inputs_of(span: Span) -> Found[Mapping[str, Any]] | None:
        return _made(given(span), named) if messages_in(span) is None else None

    @reads(gave, kind)
    def output_of(span: Span) -> Found[Any] | None:
        return gave(span) if messages_out(span) is None else None

    return Fields(messages=messages_in, output_messages=messages_out, inputs=inputs_of, output=output_of)


def named(value: Any) -> dict[str, Any]:
    """An object as it is; any other value as the one named `input`."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {"input": value}


def _made(found: Found[Any] | None, make: Any) -> Found[Any] | None:
    made = None if found is None else make(found.value)
    return None if found is None or made is None else Found(made, found.key, found.taken)


def _are_messages(items: list[Any]) -> bool:
    return bool(items) and all(map(_is_message, items))


def _is_message(value: Any) -> bool:
    value = constructors.opened(value)
    if not isinstance(value, dict):
        return isinstance(value, str)
    fields = cast("dict[str, Any]", value)
    return bool(fields.keys() & _OF_A_MESSAGE) or as_text(fields.get("type")) in _ITEMS


_OF_A_MESSAGE = {"role", "content", "parts", "tool_calls", "message"}
_ITEMS = (*constructors.ROLES, "message", "function_call", "function_call_output", "reasoning")


def _labelled(value: Any) -> Any:
    """A message of LangChain's, which says whose words it is by its type, with its role."""
    value = constructors.opened(value)
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    role = None if isinstance(fields.get("role"), str) else constructors.ROLES.get(as_text(fields.get("type")) or "")
    return fields if role is None else {**fields, "role": role}

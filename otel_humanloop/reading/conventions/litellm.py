"""LiteLLM's OpenTelemetry callback.

https://docs.litellm.ai/docs/observability/opentelemetry_integration

Beside what `otel_genai` reads: costs, calls of tools in a family of their own, and token details with Python's `repr`.
Each call has a child `raw_gen_ai_request` with the same times, which holds the request and the answer as they went
over the wire, written with `repr` too; it stands for the call only where the other span was lost. With a span of the
program around it, a call writes its attributes onto that one. Input tokens include cached ones, output tokens include
reasoning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from otel_humanloop.operation import Kind, Message, Usage
from otel_humanloop.reading import bodies, messages, pythontext
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Rank, Reader, reads
from otel_humanloop.reading.readers import (
    attribute,
    boolean,
    first,
    identifier,
    indexed,
    mapped,
    prefixed,
)
from otel_humanloop.reading.usage import dollars
from otel_humanloop.reading.values import as_text
from otel_humanloop.spans import Span

_RAW = "llm."
_METADATA = "metadata."
_USERS = ("llm.user", "metadata.user_api_key_end_user_id", "metadata.user_api_key_user_id")

_operation = identifier("gen_ai.operation.name")
_metadata = prefixed(_METADATA)
_input = attribute(messages.written("user"), "gen_ai.input.messages")
_output = attribute(messages.written("assistant"), "gen_ai.output.messages")
_completions = indexed("gen_ai.completion")


def _literal(value: Any) -> Any:
    text = as_text(value)
    parsed = None if text is None else pythontext.parse(text)
    return text if parsed is None else parsed


def _of_wire(make: Any) -> Reader[Any]:
    """What `make` makes of the request and answer of a raw span, by their names on the wire."""

    @reads(_RAW)
    def read(span: Span) -> Found[Any] | None:
        if span.name != "raw_gen_ai_request":
            return None
        said = {key.split(".", 2)[2]: key for key in span.attributes if key.startswith(_RAW) and key.count(".") >= 2}
        wire = {name: _literal(span.attributes[key]) for name, key in said.items()}
        made = make(wire)
        return None if made is None else Found(made, "llm.<provider>.*", tuple(said.values()))

    return read


def _wire_kind(wire: Mapping[str, Any]) -> Kind | None:
    if "messages" in wire or "choices" in wire or "content" in wire:
        return Kind.MODEL
    return Kind.EMBEDDING if "input" in wire else None


def _wire_asked(wire: Mapping[str, Any]) -> tuple[Message, ...] | None:
    return messages.conversation("user")(wire.get("messages"))


def _wire_answered(wire: Mapping[str, Any]) -> tuple[Message, ...] | None:
    return bodies.choice_messages(wire.get("choices"))


def _wire_id(wire: Mapping[str, Any]) -> str | None:
    return as_text(wire.get("id"))


def _wire_reasons(wire: Mapping[str, Any]) -> tuple[str, ...] | None:
    return messages.finish_reasons(_wire_answered(wire) or ())


def _wire_model(wire: Mapping[str, Any]) -> str | None:
    return as_text(wire.get("model"))


def _wire_usage(wire: Mapping[str, Any]) -> Usage | None:
    return bodies.usage(wire.get("usage"))


@reads(_input, _operation)
def _asked(span: Span) -> Found[tuple[Message, ...]] | None:
    """The texts of an embedding are no conversation."""
    operation = _operation(span)
    return None if operation is not None and operation.value.startswith("embedding") else _input(span)


@reads(_output, _completions)
def _answered(span: Span) -> Found[tuple[Message, ...]] | None:
    """The messages, with the calls of tools that are written apart from them."""
    said, calls = _output(span), _completions(span)
    if said is None or calls is None or len(said.value) < len(calls.value):
        return said
    told = list(said.value)
    for place, completion in enumerate(calls.value):
        called = messages.message(completion, "assistant").parts if isinstance(completion, dict) else ()
        if called and not told[place].parts:
            told[place] = msgspec.structs.replace(told[place], parts=called)
    return Found(tuple(told), said.key, (*said.taken, *calls.taken))


@reads(_METADATA)
def _kept(span: Span) -> Found[Mapping[str, Any]] | None:
    """What of the metadata says something: most of its keys hold the empty text."""
    found = _metadata(span)
    if found is None:
        return None
    kept = {key: value for key, value in found.value.items() if value not in ("", "[]", "{}", None)}
    kept.pop("usage_object", None)
    return Found(kept, found.key, found.taken)


_usage_object = attribute(lambda value: bodies.usage(_literal(value)), "metadata.usage_object")

CONVENTION = Convention(
    name="litellm",
    rank=Rank.FRAMEWORK,
    scopes=("litellm",),
    keys=("litellm.",),
    presumed_kind=_of_wire(_wire_kind),
    counting=Counting(prompt_includes_cache=True, output_includes_reasoning=True),
    fields=Fields(
        user=identifier(*_USERS),
        endpoint=mapped(_operation, lambda operation: "chat" if operation == "chat" else None),
        response_model=_of_wire(_wire_model),
        messages=first(_asked, _of_wire(_wire_asked)),
        output_messages=first(_answered, _of_wire(_wire_answered)),
        usage=first(_usage_object, _of_wire(_wire_usage)),
        cost=dollars(prompt="gen_ai.cost.input_cost", output="gen_ai.cost.output_cost", total="gen_ai.cost.total_cost"),
        finish_reasons=_of_wire(_wire_reasons),
        response_id=_of_wire(_wire_id),
        streaming=boolean("llm.is_streaming"),
        metadata=_kept,
    ),
)

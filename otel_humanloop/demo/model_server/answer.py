"""What a reply comes to for the request it answers: choices cut to the token limit, ids, usage."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any, Literal, cast

import msgspec

from otel_humanloop.demo.model_server.exchange import Reply, Request, Tokens, ToolCall, pieces

FinishReason = Literal["stop", "length", "tool_calls"]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call as it stands on the wire: `arguments` is JSON text."""

    id: str
    name: str
    arguments: str


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One of the `n` answers a request may ask for. `index` counts from 0."""

    index: int
    text: str | None
    calls: tuple[Call, ...]
    finish_reason: FinishReason


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, before an endpoint writes it its way.

    Attributes:
        key: Hex digits no other answer has; ids are made of it.
        created: Seconds since the epoch.
    """

    key: str
    created: int
    model: str
    choices: tuple[Choice, ...]
    reasoning: str | None
    tokens: Tokens


def settle(request: Request, reply: Reply) -> Answer:
    """The answer a reply comes to, as a real model would give it: not longer than the request allows."""
    limit = _limit(request)
    texts = [reply.text, *reply.alternatives]
    choices = tuple(
        _choice(index, texts[index] if index < len(texts) else reply.text, reply, limit)
        for index in range(request.body.get("n") or 1)
    )
    return Answer(
        key=uuid.uuid4().hex,
        created=int(time.time()),
        model=reply.model if reply.model is not None else request.model,
        choices=choices,
        reasoning=reply.reasoning,
        tokens=reply.tokens if reply.tokens is not None else _count(request, reply, choices),
    )


def echo(request: Request) -> Reply:
    """The rule that answers anything: JSON that fits the schema asked for, or what the user said."""
    schema = request.schema
    if schema is None:
        return Reply(text=f"You said: {request.question}")
    value = _fitting(schema, schema.get("$defs") or {}) if schema else {"said": request.question}
    return Reply(text=msgspec.json.encode(value).decode())


def _choice(index: int, text: str | None, reply: Reply, limit: int | None) -> Choice:
    finish: FinishReason = "tool_calls" if reply.tool_calls else "stop"
    if text is not None and limit is not None and len(pieces(text)) > limit:
        text, finish = "".join(pieces(text)[:limit]), "length"
    return Choice(index=index, text=text, calls=tuple(map(_call, reply.tool_calls)), finish_reason=finish)


def _call(call: ToolCall) -> Call:
    return Call(
        id=call.id if call.id is not None else f"call_{uuid.uuid4().hex[:24]}",
        name=call.name,
        arguments=msgspec.json.encode(call.arguments).decode(),
    )


def _limit(request: Request) -> int | None:
    limits = (request.body.get(name) for name in ("max_completion_tokens", "max_tokens", "max_output_tokens"))
    return next((limit for limit in limits if limit is not None), None)


def _count(request: Request, reply: Reply, choices: tuple[Choice, ...]) -> Tokens:
    """Three tokens of framing for a turn, as OpenAI's chat models have it, and one for each piece of text."""
    framing = 3 if request.endpoint in ("chat/completions", "responses") else 0
    tools = msgspec.json.encode(request.body["tools"]).decode() if request.body.get("tools") else ""
    said = [choice.text or "" for choice in choices]
    called = [call.name + call.arguments for choice in choices for call in choice.calls]
    thought = len(pieces(reply.reasoning or ""))
    return Tokens(
        prompt=sum(framing + len(pieces(turn.text)) for turn in request.turns) + len(pieces(tools)),
        output=sum(len(pieces(text)) for text in (*said, *called)) + thought,
        reasoning=thought,
    )


def _fitting(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    """The plainest value that fits a schema of the kind structured outputs allow."""
    if "$ref" in schema:
        return _fitting(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        # null ends a schema that holds itself
        branches: list[Mapping[str, Any]] = schema["anyOf"]
        return None if {"type": "null"} in branches else _fitting(branches[0], definitions)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = cast("list[str]", kind)[0]
    if kind == "object":
        properties: Mapping[str, Any] = schema.get("properties") or {}
        return {name: _fitting(part, definitions) for name, part in properties.items()}
    plain: dict[Any, Any] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "array": []}
    return plain.get(kind)

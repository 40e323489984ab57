"""What a model server is asked and what it is told to say: `Request` in, `Reply` or `Failure` out, by a `Rule`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, cast

import msgspec

Endpoint = Literal["chat/completions", "completions", "embeddings", "responses"]
"""The path below `/v1/` a request came to."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was said, whichever endpoint it came by. A tool's result has the role "tool"."""

    role: str
    text: str


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it came over the wire.

    Attributes:
        body: The decoded JSON object.
        headers: By lowercase name.
        number: How many requests this server has seen, this one included.
    """

    endpoint: Endpoint
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    number: int

    @property
    def model(self) -> str:
        return str(self.body["model"])

    @property
    def stream(self) -> bool:
        return self.body.get("stream") is True

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The conversation in order: instructions first, tool results among the rest."""
        return tuple(_turns(self.endpoint, self.body))

    @property
    def prompt(self) -> str:
        """Everything that was said, a turn to a line: what a rule looks for words in."""
        return "\n".join(turn.text for turn in self.turns)

    @property
    def question(self) -> str:
        """The last thing the user said."""
        return next((turn.text for turn in reversed(self.turns) if turn.role == "user"), "")

    @property
    def tool_results(self) -> tuple[str, ...]:
        """What the tools called so far have answered."""
        return tuple(turn.text for turn in self.turns if turn.role == "tool")

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """The JSON Schema the answer must fit: `{}` where any JSON object does, None where any text does."""
        text: Mapping[str, Any] = self.body.get("text") or {}
        wanted: Mapping[str, Any] = self.body.get("response_format") or text.get("format") or {}
        if wanted.get("type") == "json_schema":
            named: Mapping[str, Any] = wanted.get("json_schema") or wanted
            return named.get("schema") or {}
        return {} if wanted.get("type") == "json_object" else None


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """The model asking for a tool. `id` is made up where it is None."""

    name: str
    arguments: Mapping[str, Any]
    id: str | None = None


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What a call used. `cached` is part of `prompt`, `reasoning` of `output`."""

    prompt: int
    output: int
    cached: int = 0
    reasoning: int = 0


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the model says. With `tool_calls` the text may be None.

    Attributes:
        alternatives: Texts of the choices after the first, where the request asks for several (`n`); the text is
            repeated where they do not reach.
        model: The name the model answers by, as `gpt-4o-mini` answers by a dated one. None: the name it was asked by.
        reasoning: A summary of what the model thought, which the Responses API shows.
        tokens: Counted from the words where None.
        delay: Seconds before the first byte.
        cut_after: Of a stream: how many pieces of the answer go out before the connection is cut.
    """

    text: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    alternatives: tuple[str, ...] = ()
    model: str | None = None
    reasoning: str | None = None
    tokens: Tokens | None = None
    delay: float = 0.0
    cut_after: int | None = None


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """An error in OpenAI's shape. Without `code` and `kind` those OpenAI gives for the status are sent."""

    status: int
    message: str
    kind: str | None = None
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = {}
    delay: float = 0.0


Rule = Callable[[Request], Reply | Failure | None]
"""Decides what is answered; None leaves the request to the next rule. Must be quick: it runs between requests."""


def pieces(text: str) -> list[str]:
    """A text in the pieces it is counted and streamed in, about as large as a real model's tokens. They join up."""
    return re.findall(r"\s*\w{1,12}|\s*[^\w\s]|\s+", text)


def _turns(endpoint: Endpoint, body: Mapping[str, Any]) -> Iterator[Turn]:
    if endpoint == "chat/completions":
        for message in body["messages"]:
            yield Turn(role=message["role"], text=_text(message.get("content")))
    elif endpoint == "responses":
        if body.get("instructions") is not None:
            yield Turn(role="system", text=_text(body["instructions"]))
        given = body["input"]
        for item in [{"role": "user", "content": given}] if isinstance(given, str) else given:
            if item.get("type") == "function_call_output":
                yield Turn(role="tool", text=_text(item["output"]))
            elif "role" in item:
                yield Turn(role=item["role"], text=_text(item.get("content")))
    else:
        texts: Any = body["prompt"] if endpoint == "completions" else body["input"]
        for text in [texts] if isinstance(texts, str) else texts:
            yield Turn(role="user", text=_text(text))


def _text(content: Any) -> str:
    """The text of a message's content: a string, a list of parts, or token numbers, which have none to read."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = cast("list[dict[str, Any]]", [part for part in cast("list[Any]", content) if isinstance(part, dict)])
    return "".join(part["text"] for part in parts if isinstance(part.get("text"), str))

"""What an OpenAI-compatible service answers, as far as it is read here."""

from __future__ import annotations

from typing import Any

import msgspec

from otel_humanloop import v4


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """Whatever else a service says is left alone."""


class PromptDetails(_Said, frozen=True, kw_only=True):
    """Of the prompt's tokens: those that were read from a cache, which cost less."""

    cached_tokens: int | None = None


class TokenUsage(_Said, frozen=True, kw_only=True):
    """Tokens of all choices together."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None

    @property
    def cached_tokens(self) -> int | None:
        """Of the prompt's tokens, those read from a cache."""
        return None if self.prompt_tokens_details is None else self.prompt_tokens_details.cached_tokens


class Message(_Said, frozen=True, kw_only=True):
    """The assistant's message."""

    content: str | None = None
    tool_calls: list[v4.ToolCall] | None = None


class ReplyChoice(_Said, frozen=True, kw_only=True):
    """`message` of a chat, `text` of a completion."""

    index: int = 0
    message: Message | None = None
    text: str | None = None
    finish_reason: str | None = None


class Reply(_Said, frozen=True, kw_only=True):
    """A whole answer."""

    choices: list[ReplyChoice]
    model: str | None = None
    usage: TokenUsage | None = None


class PartialFunction(_Said, frozen=True, kw_only=True):
    """A piece of a function call: the name comes first, the arguments bit by bit."""

    name: str | None = None
    arguments: str | None = None


class PartialCall(_Said, frozen=True, kw_only=True):
    """A piece of the tool call number `index`."""

    index: int = 0
    id: str | None = None
    function: PartialFunction = PartialFunction()

    def followed_by(self, piece: PartialCall) -> PartialCall:
        """This and the next piece."""
        one, two = self.function, piece.function
        function = PartialFunction(name=one.name or two.name, arguments=(one.arguments or "") + (two.arguments or ""))
        return PartialCall(index=self.index, id=self.id or piece.id, function=function)

    def whole(self) -> v4.ToolCall:
        """The call, once all of it has come."""
        function = v4.FunctionCall(name=self.function.name or "", arguments=self.function.arguments or "")
        return v4.ToolCall(id=self.id or f"call_{self.index}", function=function)


class MessageDelta(_Said, frozen=True, kw_only=True):
    """What is new of a message."""

    content: str | None = None
    tool_calls: list[PartialCall] | None = None


class ChunkChoice(_Said, frozen=True, kw_only=True):
    """What is new of a choice: `delta` of a chat, `text` of a completion."""

    index: int = 0
    delta: MessageDelta | None = None
    text: str | None = None
    finish_reason: str | None = None


class Chunk(_Said, frozen=True, kw_only=True):
    """One event of a stream. `usage` comes last, with no choices."""

    choices: list[ChunkChoice] = []
    model: str | None = None
    usage: TokenUsage | None = None
    error: Any = None

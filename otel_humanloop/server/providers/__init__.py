"""Who answers a call of a model: any OpenAI-compatible service, or `mock`, which needs none.

A provider takes an `Ask` and gives an `Answer`, or `Delta`s one after the other; what goes wrong on its side is a
`ProviderFailed`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

import msgspec

from otel_humanloop import v4
from otel_humanloop.server.failures import RequestFailed
from otel_humanloop.settings import DEFAULT_PROVIDER_TIMEOUT


class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where models are called.

    Attributes:
        base_url: Of an OpenAI-compatible service; by default OpenAI's own, and then only for its own models.
        api_key: For callers that bring none of their own.
        timeout: Seconds until a provider that says nothing is given up.
        priced: Whether calls are logged with what they cost by published prices, where those can be had.
    """

    base_url: str | None = None
    api_key: str | None = None
    timeout: float = DEFAULT_PROVIDER_TIMEOUT
    priced: bool = True

    def __repr__(self) -> str:
        return f"ProviderSettings(base_url={self.base_url!r}, timeout={self.timeout!r}, priced={self.priced!r})"


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is asked.

    Attributes:
        config: A model's `ModelConfigResponse`.
        messages: Of a chat; None for a completion.
        prompt: Of a completion; None for a chat.
        samples: How many answers.
        options: What the caller sets beyond the config, such as `user` or `tool_choice`; never None within.
    """

    config: Mapping[str, Any]
    messages: list[v4.ChatMessage] | None = None
    prompt: str | None = None
    samples: int = 1
    options: Mapping[str, Any] = {}


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. `finish_reason` is "stop", "length", "tool_call", or whatever else the provider says."""

    text: str
    finish_reason: str | None = None
    tool_calls: list[v4.ToolCall] | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """All answers of a call.

    Attributes:
        model: The one that answered, as the provider names it.
        prompt_tokens, output_tokens: Of all answers together; `cached_tokens` are of the prompt's.
        raw: What the provider sent.
    """

    choices: list[Choice]
    model: str | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    raw: Any = None


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """What is new of one answer in a stream.

    Attributes:
        tool_calls: Whole, once they are whole.
        model, prompt_tokens, output_tokens, cached_tokens: As of an `Answer`, where the provider says so.
    """

    index: int = 0
    text: str = ""
    finish_reason: str | None = None
    tool_calls: list[v4.ToolCall] | None = None
    model: str | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None


class ProviderFailed(RequestFailed):
    """The provider did not answer, or refused."""

    def __init__(self, status: int, message: str, *, origin: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, message, headers=headers, origin=origin)


class Provider(Protocol):
    """Answers asks. Both raise ProviderFailed."""

    def request(self, ask: Ask) -> dict[str, Any]:
        """The body that is sent for an ask, as it is logged."""
        ...

    async def answer(self, ask: Ask) -> Answer:
        """The whole answer."""
        ...

    def stream(self, ask: Ask) -> AsyncIterator[Delta]:
        """The answer piece by piece."""
        ...

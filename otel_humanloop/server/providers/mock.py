"""The provider `mock`: answers offline, the same to the same.

It says what the config's `other.mock_response` says, else what it was asked last. A tool that the caller insists on is
called without arguments. A token is a word.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from otel_humanloop import v4
from otel_humanloop.server.providers import Answer, Ask, Choice, Delta


class MockProvider:
    """Needs no key and no network."""

    def request(self, ask: Ask) -> dict[str, Any]:
        """The body that is logged for an ask."""
        asked: Any = ask.prompt if ask.messages is None else msgspec.to_builtins(ask.messages)
        name = "prompt" if ask.messages is None else "messages"
        return {"model": ask.config["model"], name: asked, "n": ask.samples}

    async def answer(self, ask: Ask) -> Answer:
        """The whole answer."""
        choice = _choice(ask)
        return Answer(
            choices=[choice] * ask.samples,
            prompt_tokens=_tokens(_asked(ask)),
            output_tokens=_tokens(choice.text) * ask.samples,
            raw={"object": "mock", "model": ask.config["model"]},
        )

    async def stream(self, ask: Ask) -> AsyncIterator[Delta]:
        """The answer word by word, the samples in turn."""
        choice = _choice(ask)
        for word in re.findall(r"\s*\S+|\s+\Z", choice.text):
            for index in range(ask.samples):
                yield Delta(index=index, text=word)
        for index in range(ask.samples):
            yield Delta(index=index, finish_reason=choice.finish_reason, tool_calls=choice.tool_calls)
        yield Delta(prompt_tokens=_tokens(_asked(ask)), output_tokens=_tokens(choice.text) * ask.samples)


def _choice(ask: Ask) -> Choice:
    wanted = ask.options.get("tool_choice")
    tools: list[dict[str, Any]] = list(ask.config.get("tools", []))
    if isinstance(wanted, dict):
        name: Any = wanted["function"]["name"]  # pyright: ignore[reportUnknownVariableType] - checked by the caller
        return _calls(str(name))  # pyright: ignore[reportUnknownArgumentType]
    if wanted == "required" and tools:
        return _calls(tools[0]["name"])
    scripted = ask.config.get("other", {}).get("mock_response")
    return Choice(text=scripted if isinstance(scripted, str) else _asked(ask), finish_reason="stop")


def _calls(tool: str) -> Choice:
    call = v4.ToolCall(id=f"call_{tool}", function=v4.FunctionCall(name=tool, arguments="{}"))
    return Choice(text="", finish_reason="tool_call", tool_calls=[call])


def _asked(ask: Ask) -> str:
    """The prompt, or the text of the last message that has one."""
    if ask.messages is None:
        return ask.prompt or ""
    for message in reversed(ask.messages):
        if isinstance(message.content, str):
            return message.content
        texts = [part.text for part in message.content or () if isinstance(part, v4.TextContent)]
        if texts:
            return "\n".join(texts)
    return ""


def _tokens(text: str) -> int:
    return len(text.split())

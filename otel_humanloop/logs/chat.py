"""Messages as the v4 contract has them: OpenAI's chat messages, in four roles, of text and images.

What that form cannot hold (reasoning, sound, files, other roles) is not lost: it is handed back beside the messages,
to be kept in the log's metadata under the position of its message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from otel_humanloop import v4
from otel_humanloop.logs.media import described, is_large, stand_in
from otel_humanloop.operation import Media, Message, Other, Reasoning, Refusal, Text, ToolCall, ToolResult

# https://platform.openai.com/docs/api-reference/chat: `developer` replaces `system`, `function` preceded `tool`.
# The rest are LangChain's, Gemini's and OpenLLMetry's words.
_ROLES = {
    "developer": "system",
    "function": "tool",
    "human": "user",
    "ai": "assistant",
    "model": "assistant",
}


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """Messages in the contract's form.

    Attributes:
        beside: Position in `messages` (as text) -> what of that message the contract cannot hold.
    """

    messages: list[v4.ChatMessage]
    beside: dict[str, Any]


def chat(messages: Sequence[Message], *, role: str = "user") -> Chat:
    """Messages in the contract's form.

    Args:
        role: What a role unknown to the contract becomes: "user" for what went in, "assistant" for what came out.
    """
    written: list[v4.ChatMessage] = []
    beside: dict[str, Any] = {}
    for message in messages:
        if len(message.parts) == 1 and isinstance(only := message.parts[0], Text) and message.role in v4.ROLES:
            # Nearly all messages are no more than that.
            written.append(v4.ChatMessage(role=message.role, content=only.text, name=message.name or None))
            continue
        for result in message.parts:
            if isinstance(result, ToolResult):
                written.append(v4.ChatMessage(role="tool", content=result.text, tool_call_id=result.id))
        rest = [part for part in message.parts if not isinstance(part, ToolResult)]
        if rest or not message.parts:
            chat_message, left = _message(message, rest, role)
            if left:
                beside[str(len(written))] = left
            written.append(chat_message)
    return Chat(messages=written, beside=beside)


def text_of(message: Message) -> str:
    """What a message says in words; empty where it only calls tools."""
    if len(message.parts) == 1 and isinstance(only := message.parts[0], Text):
        return only.text
    return "\n".join(part.text for part in message.parts if isinstance(part, (Text, Refusal)))


def _message(message: Message, parts: Sequence[Any], fallback: str) -> tuple[v4.ChatMessage, dict[str, Any]]:
    left: dict[str, Any] = {}
    role = _ROLES.get(message.role.lower(), message.role.lower())
    if role not in v4.ROLES:
        role = fallback
    if role != message.role:
        left["role"] = message.role
    contents: list[v4.TextContent | v4.ImageContent] = []
    calls: list[v4.ToolCall] = []
    for part in parts:
        if isinstance(part, Text):
            contents.append(v4.TextContent(text=part.text))
        elif isinstance(part, Refusal):
            contents.append(v4.TextContent(text=part.text))
            left["refusal"] = part.text
        elif isinstance(part, ToolCall):
            calls.append(
                v4.ToolCall(
                    # The contract requires an id; some conventions write none.
                    id=part.id or f"call_{len(calls)}",
                    function=v4.FunctionCall(name=part.name, arguments=part.arguments),
                )
            )
        elif isinstance(part, Media) and is_large(part):
            contents.append(v4.TextContent(text=stand_in(part)))
            left.setdefault("media", []).append(described(part))
        elif isinstance(part, Media) and part.modality == "image" and part.url:
            contents.append(v4.ImageContent(image_url=v4.ImageUrl(url=part.url, detail=part.detail)))
        elif isinstance(part, Reasoning):
            left.setdefault("reasoning", []).append(part.text)
        elif isinstance(part, Media):
            left.setdefault("media", []).append(described(part))
        elif isinstance(part, Other):
            left.setdefault("parts", []).append(part.value)
    return (
        v4.ChatMessage(role=role, content=_content(contents), name=message.name or None, tool_calls=calls or None),
        left,
    )


def _content(
    contents: list[v4.TextContent | v4.ImageContent],
) -> str | list[v4.TextContent | v4.ImageContent] | None:
    if not contents:
        return None
    only = contents[0]
    if len(contents) == 1 and isinstance(only, v4.TextContent):
        return only.text
    return contents

"""Messages of a chat as OpenAI's API takes them today.

Programs of 2023 say `tool_call`, one and without an id, and answer it by a message of the role `tool` that names no
call. Each such call is given an id, and each answer the id of the call it stands below.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from otel_humanloop.v4 import ChatMessage, FunctionCall, ToolCall


def with_ids(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The messages, with `tool_calls` in place of `tool_call` and a `tool_call_id` in every answer that follows one."""
    taken: list[ChatMessage] = []
    waiting: list[str] = []
    for index, message in enumerate(messages):
        if message.tool_call is not None:
            taken.append(_called(message, message.tool_call, f"call_{index}"))
        elif message.role == "tool" and message.tool_call_id is None and waiting:
            taken.append(msgspec.structs.replace(message, tool_call_id=waiting.pop(0)))
        else:
            taken.append(message)
            if message.tool_call_id in waiting:
                waiting.remove(message.tool_call_id)
        calls = taken[-1].tool_calls
        if calls is not None:
            waiting = [call.id for call in calls]
    return taken


def _called(message: ChatMessage, call: FunctionCall, id: str) -> ChatMessage:
    calls = message.tool_calls
    if calls is None:
        calls = [ToolCall(id=id, function=msgspec.structs.replace(call, arguments=call.arguments or "{}"))]
    return msgspec.structs.replace(message, tool_call=None, tool_calls=calls)

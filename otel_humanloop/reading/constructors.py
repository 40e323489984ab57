"""LangChain's messages as LangChain serialises them: by the constructor that makes them again, or as type and data.

`{"lc": 1, "type": "constructor", "id": [..., "HumanMessage"], "kwargs": {"content": "hi", "type": "human"}}`, and
`{"type": "human", "data": {"content": "hi"}}`. Nothing here raises.
"""

from __future__ import annotations

from typing import Any, cast

from otel_humanloop.reading.values import within

ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool", "AIMessageChunk": "assistant"}
"""Whose words a message of that type is."""

_CLASSES = {
    "HumanMessage": "human",
    "AIMessage": "ai",
    "AIMessageChunk": "ai",
    "SystemMessage": "system",
    "ToolMessage": "tool",
}
"""The types of LangChain's classes of messages."""


def opened(value: Any) -> Any:
    """What a constructor is given, or what stands beside a message's type; any other value as it is.

    Of a generation, its message, with why it stopped.
    """
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    if isinstance(fields.get("kwargs"), dict) and "lc" in fields:
        return {**_type_of(fields.get("id")), **cast("dict[str, Any]", fields["kwargs"])}
    if isinstance(fields.get("data"), dict) and fields.get("type") in ROLES:
        return {**cast("dict[str, Any]", fields["data"]), "type": fields["type"]}
    if isinstance(fields.get("message"), dict) and "generation_info" in fields:
        reason = within(fields, "generation_info", "finish_reason")
        message = opened(fields["message"])
        if isinstance(message, dict) and isinstance(reason, str):
            return {**cast("dict[str, Any]", message), "finish_reason": reason}
        return cast("Any", message)
    return fields


def _type_of(path: Any) -> dict[str, str]:
    """The type of a message that only the name of its class tells, as LangChain.js has it."""
    name = cast("list[Any]", path)[-1] if isinstance(path, list) and path else None
    kind = _CLASSES.get(name) if isinstance(name, str) else None
    return {} if kind is None else {"type": kind}


def tool_output(value: Any) -> Any:
    """What a tool gave, where it stands in a message (perhaps under `output`); any other value as it is."""
    inner = opened(within(value, "output") if isinstance(value, dict) and "output" in value else value)
    if isinstance(inner, dict) and cast("dict[str, Any]", inner).get("type") == "tool":
        return cast("dict[str, Any]", inner).get("content")
    return cast("Any", value)

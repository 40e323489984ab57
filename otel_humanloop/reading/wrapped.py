"""Parts of messages that name their type by a key around them, as the typed parts `parts` knows.

Gemini, Genkit, Haystack and Bedrock write `{"functionCall": {...}}` where others write `{"type": "tool_call", ...}`.
Nothing here raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

Fields = Mapping[str, Any]


def typed(part: Fields) -> dict[str, Any] | None:
    """The part with its type in a field; None where no key of it is known to name one."""
    for key, make in _WRAPPERS.items():
        inner = part.get(key)
        if isinstance(inner, dict):
            return make(cast("dict[str, Any]", inner))
    if isinstance(part.get("reasoning"), str) and "text" not in part:
        return {"type": "reasoning", "content": part["reasoning"]}
    if part.get("thought") is True and isinstance(part.get("text"), str):
        return {"type": "reasoning", "content": part["text"]}
    return None


def _call(inner: Fields) -> dict[str, Any]:
    arguments: Any = next((inner[key] for key in ("args", "input", "arguments") if key in inner), "")
    name = next((inner[key] for key in ("name", "tool_name") if inner.get(key)), None)
    return {"type": "tool_call", "id": _id(inner), "name": name, "arguments": arguments}


def _result(inner: Fields) -> dict[str, Any]:
    response = next((inner[key] for key in ("response", "output", "result", "content") if key in inner), "")
    origin = inner.get("origin")  # Haystack: the call it answers
    call = cast("dict[str, Any]", origin) if isinstance(origin, dict) else inner
    return {"type": "tool_call_response", "id": _id(call), "response": response}


def _id(inner: Fields) -> Any:
    return next((inner[key] for key in ("id", "ref", "toolUseId", "tool_use_id") if inner.get(key)), None)


def _media(inner: Fields) -> dict[str, Any]:
    mime_type = next((inner[key] for key in ("contentType", "mimeType", "mime_type") if inner.get(key)), None)
    url = next((inner[key] for key in ("url", "fileUri", "file_uri") if inner.get(key)), None)
    if url is not None:
        return {"type": "uri", "uri": url, "mime_type": mime_type}
    return {"type": "blob", "content": inner.get("data"), "mime_type": mime_type}


def _thought(inner: Fields) -> dict[str, Any]:
    text = inner.get("reasoningText", inner.get("text"))
    inner_text = cast("dict[str, Any]", text).get("text") if isinstance(text, dict) else text
    return {"type": "reasoning", "content": inner_text}


_WRAPPERS: Mapping[str, Callable[[Fields], dict[str, Any]]] = {
    "functionCall": _call,
    "function_call": _call,
    "toolRequest": _call,
    "toolUse": _call,
    "tool_call": _call,
    "functionResponse": _result,
    "function_response": _result,
    "toolResponse": _result,
    "toolResult": _result,
    "tool_call_result": _result,
    "media": _media,
    "inlineData": _media,
    "inline_data": _media,
    "fileData": _media,
    "file_data": _media,
    "reasoningContent": _thought,
}

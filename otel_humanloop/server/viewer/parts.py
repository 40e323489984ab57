"""Parts of a log by name, whole, as text: what a page shows only the beginning of."""

from __future__ import annotations

from typing import Any

import msgspec

from otel_humanloop import v4
from otel_humanloop.server.lines import as_text
from otel_humanloop.server.viewer.jsonview import laid_out
from otel_humanloop.server.viewer.shapes import array_of, object_of

_FIELDS = frozenset(
    {
        "inputs",
        "messages",
        "output",
        "output_message",
        "error",
        "config",
        "metadata",
        "judgment",
        "stdout",
        "provider_request",
        "provider_response",
    }
)


def part_of(log: v4.LogResponse, part: str) -> str | None:
    """A field of a log, or what is below it: `output`, `inputs/question`, `messages/3`, `raw`; None if there is none.

    Of a message it is what it says.
    """
    if part == "raw":
        return msgspec.json.format(msgspec.json.encode(log), indent=2).decode()
    field, _, below = part.partition("/")
    raw: Any = getattr(log, field) if field in _FIELDS else msgspec.UNSET
    if raw is msgspec.UNSET:
        return None
    value = msgspec.json.decode(raw)
    if field == "messages" and below.isascii() and below.isdecimal():
        value = dict(enumerate(array_of(value))).get(int(below[:9]))
    elif below:
        value = object_of(value).get(below)
    if (field == "output_message" or (field == "messages" and below)) and isinstance(value, dict):
        value = _words(object_of(value))
    return None if value is None else value if isinstance(value, str) else laid_out(value)


def _words(message: dict[str, Any]) -> str:
    content = message.get("content")
    parts = array_of(content) if isinstance(content, list) else [content]
    words = [object_of(part).get("text") if object_of(part).get("type") == "text" else part for part in parts]
    texts = [as_text(word) for word in words if word is not None]
    calls = message.get("tool_calls") or message.get("tool_call")
    return "\n".join([*texts, *([laid_out(calls)] if calls else [])])

"""Templates: `{{name}}` stands for the input of that name. A name that is not among the inputs is left as it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from otel_humanloop import v4

_VARIABLE = re.compile(r"\{\{([^{}]*)\}\}")


def render(template: str, inputs: Mapping[str, Any]) -> str:
    """The template with its variables replaced. Inputs that are no text are written as JSON."""

    def value(match: re.Match[str]) -> str:
        name = match[1].strip()
        if name not in inputs:
            return match[0]
        given = inputs[name]
        return given if isinstance(given, str) else msgspec.json.encode(given).decode()

    return _VARIABLE.sub(value, template)


def render_message(message: v4.ChatMessage, inputs: Mapping[str, Any]) -> v4.ChatMessage:
    """A message with its variables replaced, in its text and in each text among its parts."""
    content = message.content
    if isinstance(content, str):
        return msgspec.structs.replace(message, content=render(content, inputs))
    if content is None:
        return message
    parts = [
        msgspec.structs.replace(part, text=render(part.text, inputs)) if isinstance(part, v4.TextContent) else part
        for part in content
    ]
    return msgspec.structs.replace(message, content=parts)

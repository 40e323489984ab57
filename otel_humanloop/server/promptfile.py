"""A model config as a `.prompt` file: YAML between two lines of dashes, and below them the template.

A chat's template is a message after the other, as `<role>`, its lines indented, `</role>`. A message that this form
cannot say (one with images, tool calls, or a closing tag in its text) puts the whole template above, as YAML; so does
a completion's template that would be read as messages.
"""

from __future__ import annotations

import re
from typing import Any, cast

import yaml

from otel_humanloop import v4
from otel_humanloop.server.configs import PARAMETERS
from otel_humanloop.server.failures import Invalid

_LOC = ("body", "config")
_SHOWN = (*PARAMETERS, "tools", "other", "name", "description")
_FILE = re.compile(r"\A\ufeff?---[ \t]*\n(?P<front>.*?)^---[ \t]*(?:\n(?P<body>.*))?\Z", re.DOTALL | re.MULTILINE)
_MESSAGE = re.compile(r"\s*<(?P<role>[a-z]+)>\n?(?P<text>.*?)\n?</(?P=role)>", re.DOTALL)
_INDENT = "  "


def written(config: dict[str, Any]) -> str:
    """The file that says this config (a `ModelConfigResponse`, its id aside)."""
    front = {field: config[field] for field in _SHOWN if config.get(field) not in (None, {})}
    template: str = config.get("prompt_template") or ""
    chat = config.get("chat_template")
    if chat is not None:
        template = "\n\n".join(_message(message) for message in chat)
        if _messages(_lines(template)) != chat or not chat:
            front["chat_template"], template = chat, ""
    elif "\r" in template or _messages(template):
        front["prompt_template"], template = template, ""
    said = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{said}---\n\n{template}\n" if template else f"---\n{said}---\n"


def parsed(text: str) -> dict[str, Any]:
    """The config a file says, as a request would.

    Raises:
        Invalid: The file has another form.
    """
    match = _FILE.match(_lines(text))
    if match is None:
        raise Invalid(_LOC, "must begin with YAML between two lines of `---`")
    try:
        front: Any = yaml.safe_load(match["front"])
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Invalid(_LOC, f"the part between the lines of `---` is not YAML: {error}") from error
    if not isinstance(front, dict) or not all(isinstance(name, str) for name in cast("dict[Any, Any]", front)):
        raise Invalid(_LOC, "the part between the lines of `---` must say names and values")
    config = cast("dict[str, Any]", front)
    body = (match["body"] or "").removeprefix("\n").removesuffix("\n")
    messages = _messages(body)
    if messages:
        config.setdefault("endpoint", "chat")
        config["chat_template"] = messages
    elif body:
        config["prompt_template"] = body
    return config


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _message(message: dict[str, Any]) -> str:
    text = message.get("content")
    lines = text.split("\n") if isinstance(text, str) else []
    said = "\n".join(f"{_INDENT}{line}" if line else "" for line in lines)
    return f"<{message['role']}>\n{said}\n</{message['role']}>"


def _messages(text: str) -> list[dict[str, Any]]:
    """The messages a text consists of; none if there is anything else in it."""
    found: list[dict[str, Any]] = []
    place = 0
    while place < len(text.rstrip()):
        match = _MESSAGE.match(text, place)
        if match is None or match["role"] not in v4.ROLES:
            return []
        lines = match["text"].split("\n")
        if all(line.startswith(_INDENT) for line in lines if line):
            lines = [line[len(_INDENT) :] for line in lines]
        found.append({"role": match["role"], "content": "\n".join(lines)})
        place = match.end()
    return found

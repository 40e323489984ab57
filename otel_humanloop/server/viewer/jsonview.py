"""JSON laid out for reading, its parts told apart by class."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from markupsafe import Markup, escape

from otel_humanloop.server.lines import shown

COLOURED = 60_000
"""Characters of JSON whose parts are told apart; a browser is slow with more elements than that makes."""

_PART = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=\s*:)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?\d[\d.eE+-]*)|(?P<word>true|false|null)'
)


def laid_out(value: Any) -> str:
    """A value, or JSON as bytes, indented."""
    raw = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return shown(msgspec.json.format(raw, indent=2).decode())


def coloured(text: str) -> Markup:
    """JSON text with its keys, strings, numbers and words in elements of their own; all of it escaped."""
    if len(text) > COLOURED:
        return escape(text)
    parts: list[str] = []
    end = 0
    for match in _PART.finditer(text):
        parts.append(str(escape(text[end : match.start()])))
        parts.append(f'<span class="j-{match.lastgroup}">{escape(match[0])}</span>')
        end = match.end()
    parts.append(str(escape(text[end:])))
    return Markup("".join(parts))


def json_in(text: str) -> str | None:
    """Text that is a JSON object or array, laid out; None for any other."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return laid_out(msgspec.json.decode(text))
    except (msgspec.DecodeError, RecursionError):
        return None

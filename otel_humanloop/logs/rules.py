"""What the setting `redact` asks for, applied to texts and to values of any shape.

A text that is JSON, as messages and arguments are on a span, is redacted inside, so that patterns for keys are met
there too and no escape hides a character. A text that only looks like it (it was cut, or is Python's notation) cannot
be taken apart: from the first key that is to be redacted on, all of it goes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import msgspec

from otel_humanloop.edge import Edge
from otel_humanloop.logs.naming import MARK
from otel_humanloop.logs.secrets import SECRETS, Secret

Hide = Callable[[str, str], str]
"""Given a key and a text, the text to put in its place. It may be given what it has returned before."""

_DEEPEST = 60
"""Levels of lists and maps that are looked into; what is nested deeper is redacted whole."""

_QUOTED_KEY = re.compile(
    r"""(?:\\(?P<escaped>["'])(?P<within>[^"'\\]{1,200})\\(?P=escaped)"""
    r"""|(?P<quote>["'])(?P<key>(?:\\.|(?!(?P=quote))[^\\]){1,200})(?P=quote))\s{0,20}[:=]"""
)
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def rules_of(entries: Sequence[str | Hide], *, edge: Edge) -> Rules:
    """What `settings.redact` asks for. `edge` is where what a callable raises ends."""
    secrets: list[tuple[str, Secret]] = []
    callables: list[Hide] = []
    for entry in entries:
        if not isinstance(entry, str):
            callables.append(entry)
        elif entry.startswith("key:"):
            secrets.append(("key", Secret(keys=re.compile(entry[4:]))))
        elif entry.startswith("value:"):
            secrets.append(("value", Secret(values=re.compile(entry[6:]))))
        else:
            secrets.append((entry, SECRETS[entry]))
    return Rules(secrets, callables, edge)


class Rules:
    """Patterns by key, patterns by value, and callables, in that order. A callable is given texts only."""

    def __init__(self, secrets: Sequence[tuple[str, Secret]], callables: Sequence[Hide], edge: Edge) -> None:
        self._keys = [(secret.keys, f"{MARK}:{name}]") for name, secret in secrets if secret.keys is not None]
        self._values = [
            (secret.values, secret.length, f"{MARK}:{name}]") for name, secret in secrets if secret.values is not None
        ]
        self._callables = callables
        self._edge = edge

    def mapping(self, fields: Mapping[str, Any], *, depth: int = 0) -> dict[str, Any]:
        """The same entries, with their keys and values redacted."""
        redacted: dict[str, Any] = {}
        for key, value in fields.items():
            name = base = self._matched(str(key))
            number = 1
            while name in redacted:  # two keys that only what was redacted told apart
                number += 1
                name = f"{base} {number}"
            redacted[name] = self.value(str(key), value, depth=depth)
        return redacted

    def value(self, key: str, value: Any, *, depth: int = 0) -> Any:
        """A value of any shape, found under that key."""
        for pattern, mark in self._keys:
            if pattern.search(key) is not None and value is not None:
                return mark
        if isinstance(value, str):
            return self.text(key, value, depth=depth)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)):
            written = str(value)
            return value if self._matched(written) == written else self._matched(written)
        if isinstance(value, bytes):
            written = value.decode("latin-1")
            redacted = self.text(key, written)
            return value if redacted == written else redacted
        if depth >= _DEEPEST:
            return f"{MARK}:deep]"
        if isinstance(value, Mapping):
            return self.mapping(cast("Mapping[str, Any]", value), depth=depth + 1)
        if isinstance(value, (list, tuple)):
            items = cast("Sequence[Any]", value)
            return [self.value(key, item, depth=depth + 1) for item in items]
        return self.text(key, str(value))

    def text(self, key: str, text: str, *, depth: int = 0) -> str:
        """A text, found under that key."""
        for pattern, mark in self._keys:
            if pattern.search(key) is not None:
                return mark
        return self.said(key, text, depth=depth)

    def said(self, key: str, text: str, *, depth: int = 0) -> str:
        """A text whose own key is not the program's: patterns for keys are only met inside of it."""
        decoded = _decoded(text) if depth < _DEEPEST else None
        if decoded is not None:
            redacted = self._within(key, decoded, depth + 1)
            return self._matched(text if redacted == decoded else msgspec.json.encode(redacted).decode())
        if self._keys:
            text = self._cut_at_keys(text)
        text = self._matched(text)
        for hide in self._callables:
            text = self._hidden(hide, key, text)
        return text

    def _within(self, key: str, value: Any, depth: int) -> Any:
        return self.said(key, value, depth=depth) if isinstance(value, str) else self.value(key, value, depth=depth)

    def _hidden(self, hide: Hide, key: str, text: str) -> str:
        with self._edge:
            hidden = cast("object", hide(key, text))
            return hidden if isinstance(hidden, str) else f"{MARK}]"
        return f"{MARK}:failed]"

    def _matched(self, text: str) -> str:
        """The text with what patterns find in it replaced, whether it is written plainly or in JSON's escapes."""
        redacted = self._replaced(text)
        if "\\u" in redacted:
            plain = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), redacted)
            if (unescaped := self._replaced(plain)) != plain:
                return unescaped
        return redacted

    def _replaced(self, text: str) -> str:
        for pattern, length, mark in self._values:

            def replace(found: re.Match[str], length: Callable[[str], int] = length, mark: str = mark) -> str:
                size = length(found[0])
                return mark + found[0][size:] if size else found[0]

            text = pattern.sub(replace, text)
        return text

    def _cut_at_keys(self, text: str) -> str:
        for found in _QUOTED_KEY.finditer(text):
            key = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), found["key"] or found["within"])
            for pattern, mark in self._keys:
                if pattern.search(key) is not None:
                    return f"{text[: found.end()]} {mark}"
        return text


def _decoded(text: str) -> Any:
    """What a text holds that is the JSON of a list, a map or a text; None where it is none of these."""
    start = text.lstrip()[:1]
    if start not in ("{", "[", '"') or not start:
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError, ValueError):
        return None

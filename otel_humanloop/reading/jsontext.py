"""JSON as attributes hold it: whole, cut off by a limit, or not JSON at all. Nothing here raises."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec

MAX_DEPTH = 100
"""Deeper values are kept as text: whoever writes them out again would run out of stack. Protobuf has the same bound."""

_LEAST_BRACKETS = MAX_DEPTH // 2


class NotJson:
    """The answer for text that is not JSON, for None is JSON too."""


NOT_JSON = NotJson()


def parse(text: str) -> Any:
    """The value JSON text stands for; `NOT_JSON` where it is not whole JSON, or nested deeper than `MAX_DEPTH`."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        value = _parse_with_surrogates(text)
    if text.count("[") + text.count("{") > _LEAST_BRACKETS and is_too_deep(value):
        return NOT_JSON
    return value


def write(value: Any) -> str:
    """JSON text of any value an attribute may hold; text that is no value of JSON's is written as Python prints it."""
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError):  # lone surrogates are a ValueError
        return '"nested too deep"' if is_too_deep(value) else json.dumps(value, default=repr, skipkeys=True)


def _parse_with_surrogates(text: str) -> Any:
    # JavaScript writes half of a surrogate pair as "\ud83d" where a text was cut; only the standard library reads it.
    if "\\ud" not in text and "\\uD" not in text:
        return NOT_JSON
    try:
        whole = json.dumps(json.loads(text), ensure_ascii=False)
        return msgspec.json.decode(whole.encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return NOT_JSON


def is_too_deep(value: Any) -> bool:
    """Whether a value is nested deeper than `MAX_DEPTH`."""
    if not isinstance(value, (dict, list)):
        return False
    level: list[dict[Any, Any] | list[Any]] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent) if isinstance(child, (dict, list))]
        if not level:
            return False
    return True


def _children(parent: dict[Any, Any] | list[Any]) -> Iterable[Any]:
    return parent.values() if isinstance(parent, dict) else parent

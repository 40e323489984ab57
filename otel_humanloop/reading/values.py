"""Attribute values as what they are meant to be. None for what cannot be that; nothing here raises."""

from __future__ import annotations

import math
from typing import Any, cast

from otel_humanloop.reading import jsontext
from otel_humanloop.spans import Value

_LONGEST_NUMBER = 40
_LARGEST_INTEGER = 2**64


def as_identifier(value: Value) -> str | None:
    """What names something, as text."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _LARGEST_INTEGER:
        return None
    return str(value)


def as_integer(value: Value) -> int | None:
    """A whole number that is exact."""
    if type(value) is int:
        return value
    exact = as_number(value)
    return int(exact) if exact is not None and exact == int(exact) else None


def as_number(value: Value) -> float | None:
    """A finite number, as it is."""
    if type(value) is int:
        return value
    if type(value) is float:
        return value if math.isfinite(value) else None
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER:
        value = _number(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def as_value(value: Value) -> Any:
    """The JSON value of text, or the value as it is; None where that is nested too deep to be written again."""
    if not isinstance(value, str):
        return None if jsontext.is_too_deep(value) else value
    parsed = jsontext.parse(value)
    return value if parsed is jsontext.NOT_JSON else parsed


def as_structure(value: Value) -> Any:
    """An object or array from text, or the value as it is."""
    parsed = as_value(value)
    is_scalar = isinstance(value, str) and not isinstance(parsed, (dict, list))
    return value if is_scalar else cast("Any", parsed)


def as_object(value: Value) -> dict[str, Any] | None:
    """A JSON object, from text or as it is."""
    parsed = as_value(value)
    return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else None


def as_strings(value: Value) -> tuple[str, ...] | None:
    """Texts of an array; what is not text in it is left out."""
    if isinstance(value, list):
        items = cast("list[Any]", value)
        texts = tuple([item for item in items if isinstance(item, str)])
        if len(texts) == len(items):
            return texts
    parsed = as_value(value)
    if isinstance(parsed, list):
        return tuple([item for item in cast("list[Any]", parsed) if isinstance(item, str)])
    return (value,) if isinstance(value, str) and value else None


def within(value: Any, *path: str) -> Any:
    """What stands at a path of keys in nested objects; None where it ends before."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = cast("dict[str, Any]", value).get(key)
    return value


def as_text(value: Value) -> str | None:
    """A value that is text."""
    return value if isinstance(value, str) else None


def as_boolean(value: Value) -> bool | None:
    """True or false, or the words."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None


def as_objects(value: Value) -> tuple[dict[str, Any], ...] | None:
    """The objects of a JSON array."""
    parsed = as_value(value)
    if not isinstance(parsed, list):
        return None
    return tuple(cast("dict[str, Any]", item) for item in cast("list[Any]", parsed) if isinstance(item, dict))


def _number(text: str) -> float | None:
    for parse in (int, float):
        try:
            return parse(text)
        except ValueError:
            continue
    return None

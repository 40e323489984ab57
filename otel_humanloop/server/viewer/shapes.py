"""JSON values of which nobody promised anything, by the shape they have."""

from __future__ import annotations

from typing import Any, cast


def object_of(value: Any) -> dict[str, Any]:
    """The object a value is; an empty one where it is none."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def array_of(value: Any) -> list[Any]:
    """The array a value is; an empty one where it is none."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def text_of(value: Any) -> str | None:
    """The string a value is; None where it is none."""
    return value if isinstance(value, str) else None

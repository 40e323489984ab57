"""Records as JSON, whatever a span put into them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import msgspec

_LARGEST = 2**63


def encode(record: msgspec.Struct | Mapping[str, Any]) -> bytes:
    """The record as JSON text in UTF-8. Never raises for what attribute values can be."""
    try:
        return msgspec.json.encode(record)
    except (UnicodeEncodeError, OverflowError, TypeError, ValueError, RecursionError):
        # Lone surrogates, integers beyond 64 bits, keys that are no text, nesting without end: rare, so paid for
        # only when met.
        return msgspec.json.encode(clean(record, depth=100))


def plain_text(value: Any) -> str:
    """A value as a log's text: text as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value).decode()
    except (UnicodeEncodeError, OverflowError, TypeError, ValueError, RecursionError):
        return msgspec.json.encode(clean(value, depth=100)).decode()


def clean(value: Any, *, depth: int) -> Any:
    """The value without what JSON cannot hold: text that is not Unicode, numbers too large, nesting too deep."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_LARGEST <= value < _LARGEST else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value
    if depth == 0:
        return "..."
    if isinstance(value, Mapping):
        mapping = cast("Mapping[Any, Any]", value)
        return {clean(str(key), depth=0): clean(item, depth=depth - 1) for key, item in mapping.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = cast("list[Any]", value)
        return [clean(item, depth=depth - 1) for item in items]
    if isinstance(value, msgspec.Struct):
        return _fields(value, depth)
    return clean(str(value), depth=0)


def _fields(record: msgspec.Struct, depth: int) -> dict[str, Any]:
    """A record as it would be encoded: its tag, and its fields that are not at rest."""
    config = record.__struct_config__
    fields: dict[str, Any] = {config.tag_field: config.tag} if config.tag_field is not None else {}
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if value is not None or not config.omit_defaults:
            fields[name] = clean(value, depth=depth - 1)
    return fields

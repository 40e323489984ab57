"""Tokens and costs, read so that the parts are contained in the wholes.

A convention that counts cached tokens beside the prompt's, not among them, converts in its own file.
"""

from __future__ import annotations

from typing import Any

import msgspec

from otel_humanloop.operation import Cost, Usage
from otel_humanloop.reading.convention import Reader
from otel_humanloop.reading.readers import attribute, gathered, mapped, number
from otel_humanloop.reading.values import as_integer
from otel_humanloop.spans import Value


def tokens(**keys: str | tuple[str, ...]) -> Reader[Usage]:
    """A reader of `Usage`: for each of its fields the key, or the keys in the order they are looked for.

    A count below zero is no count.
    """
    return mapped(gathered({field: attribute(_count, *_several(key)) for field, key in keys.items()}), _usage)


def dollars(**keys: str | tuple[str, ...]) -> Reader[Cost]:
    """A reader of `Cost`, likewise."""
    return mapped(gathered({field: number(*_several(key)) for field, key in keys.items()}), _cost)


def cache_beside(usage: Usage) -> Usage:
    """Counts whose prompt leaves out what was read from and written to a cache, with it; and a total that does, too."""
    if usage.prompt_tokens is None:
        return usage
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    total = usage.total_tokens
    if total is not None and total == usage.prompt_tokens + (usage.output_tokens or 0):
        total += cached
    return msgspec.structs.replace(usage, prompt_tokens=usage.prompt_tokens + cached, total_tokens=total)


def _several(key: str | tuple[str, ...]) -> tuple[str, ...]:
    return (key,) if isinstance(key, str) else key


def _count(value: Value) -> int | None:
    count = value if type(value) is int else as_integer(value)
    return count if count is not None and count >= 0 else None


def _usage(counts: dict[str, Any]) -> Usage:
    return Usage(**counts)


def _cost(amounts: dict[str, Any]) -> Cost:
    return Cost(**amounts)

"""Tokens and costs, read so that the parts are contained in the wholes.

A convention that counts cached tokens beside the prompt's, not among them, converts in its own file.
"""

from __future__ import annotations

from typing import Any

from otel_humanloop.operation import Cost, Usage
from otel_humanloop.reading.convention import Reader
from otel_humanloop.reading.readers import gathered, integer, mapped, number


def tokens(**keys: str | tuple[str, ...]) -> Reader[Usage]:
    """A reader of `Usage`: for each of its fields the key, or the keys in the order they are looked for.

    A count below zero is no count.
    """
    return mapped(
        gathered({field: mapped(integer(*_several(key)), _not_negative) for field, key in keys.items()}), _usage
    )


def dollars(**keys: str | tuple[str, ...]) -> Reader[Cost]:
    """A reader of `Cost`, likewise."""
    return mapped(gathered({field: number(*_several(key)) for field, key in keys.items()}), _cost)


def _several(key: str | tuple[str, ...]) -> tuple[str, ...]:
    return (key,) if isinstance(key, str) else key


def _not_negative(count: int) -> int | None:
    return count if count >= 0 else None


def _usage(counts: dict[str, Any]) -> Usage:
    return Usage(**counts)


def _cost(amounts: dict[str, Any]) -> Cost:
    return Cost(**amounts)

"""A session's logs as cards, nested as the work was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from otel_humanloop import v4

_ICONS = {"model": "model", "tool": "tool", "agent": "agent"}
_LONGEST = 2_000
"""Characters of an input or output that are shown; the rest is in the API."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One log as it is shown.

    Attributes:
        duration: In words; None where it is not known.
        inputs: Name and value as text.
        waits: Its parent has not been logged yet.
        nested: How many logs are below it.
    """

    id: str
    short_id: str
    kind: str
    title: str
    duration: str | None
    inputs: list[tuple[str, str]]
    output: str | None
    error: str | None
    waits: bool
    nested: int


class Step(msgspec.Struct, frozen=True):
    """A card that opens, or (None) the end of the one opened last and not ended yet."""

    card: Card | None


def steps(logs: Sequence[v4.LogResponse]) -> Iterator[Step]:
    """The tree, walked from the top: siblings in the order given, each between its opening and its end.

    It is walked without recursion, for a session may be nested deeper than Python's stack.
    """
    known = {log.id for log in logs}
    below: dict[str | None, list[v4.LogResponse]] = {}
    for log in logs:
        below.setdefault(log.parent_id if log.parent_id in known else None, []).append(log)
    nested = _nested(below)
    todo: list[v4.LogResponse | None] = [*reversed(below.get(None, []))]
    while todo:
        next_one = todo.pop()
        if next_one is None:
            yield Step(None)
            continue
        yield Step(_card(next_one, nested[next_one.id]))
        todo.append(None)
        todo.extend(reversed(below.get(next_one.id, [])))


def _nested(below: dict[str | None, list[v4.LogResponse]]) -> dict[str, int]:
    """How many logs are below each, counted from the leaves up."""
    order: list[v4.LogResponse] = list(below.get(None, []))
    for log in order:  # grows while it is read
        order.extend(below.get(log.id, []))
    counts: dict[str, int] = {}
    for log in reversed(order):
        counts[log.id] = sum(1 + counts[child.id] for child in below.get(log.id, []))
    return counts


def _card(log: v4.LogResponse, nested: int) -> Card:
    config: dict[str, Any] = msgspec.json.decode(log.config)
    inputs: dict[str, Any] = {} if log.inputs is msgspec.UNSET else msgspec.json.decode(log.inputs)
    return Card(
        id=log.id,
        short_id=log.id.partition("_")[2][:5],
        kind=_ICONS.get(config["type"], "step"),
        title=log.project,
        duration=None if log.duration is None else f"{log.duration:.2f} s",
        inputs=[(name, _text(value)) for name, value in inputs.items()],
        output=None if log.output is msgspec.UNSET else _text(_value(log.output)),
        error=None if log.error is msgspec.UNSET else _text(_value(log.error)),
        waits=log.parent_id is None and log.parent_reference_id is not None,
        nested=nested,
    )


def _value(raw: msgspec.Raw | msgspec.UnsetType) -> Any:
    return None if raw is msgspec.UNSET else msgspec.json.decode(raw)


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def when(timestamp: str) -> str:
    """An ISO 8601 time, to the second, for reading."""
    return datetime.fromisoformat(timestamp).strftime("%Y-%m-%d %H:%M:%S UTC")


def excerpt(raw: msgspec.Raw | msgspec.UnsetType) -> str:
    """A JSON value as a line of text; nothing for nothing."""
    return "" if raw is msgspec.UNSET else " ".join(_text(_value(raw)).split())[:200]

"""Which of the spans that are still open are to be logged as they stand, and from when."""

from __future__ import annotations

from collections.abc import Callable

from otel_humanloop.logs.draft import Draft, Role
from otel_humanloop.logs.trace import Node
from otel_humanloop.spans import SpanKey


def is_worth_showing(node: Node, look: Callable[[SpanKey], Draft | None]) -> bool:
    """Is an open span one that something waits for, or that an open AI operation runs under?"""
    if node.waiters:
        return True
    own = look(node.key)
    if own is None or own.is_call:
        return False
    stack = [child for child in node.children or () if child.open]
    while stack:
        child = stack.pop()
        seen = look(child.key)
        if seen is not None and seen.role is Role.AI:
            return True
        stack.extend(below for below in child.children or () if below.open)
    return False


def patience(call: Node, hold: float) -> float:
    """Until when the children of an open call of a model wait for its end."""
    return min((waiter.since for waiter in call.waiters or ()), default=call.since) + hold

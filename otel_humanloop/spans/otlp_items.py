"""What is made of the items of one group of a request: of one resource and one scope."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from otel_humanloop.errors import DecodeError
from otel_humanloop.spans import LogRecord, Resource, Scope, Span

WireT = TypeVar("WireT")
ItemT = TypeVar("ItemT", Span, LogRecord)


def made(
    make: Callable[[WireT, Resource, Scope], ItemT], items: Iterable[WireT], resource: Resource, scope: Scope
) -> Iterator[ItemT | DecodeError]:
    """Each of them, in its order; for one that is none, what it lacks."""
    for item in items:
        try:
            yield make(item, resource, scope)
        except DecodeError as error:
            yield error

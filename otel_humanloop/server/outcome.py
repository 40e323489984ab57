"""What came of work that one does for others: theirs is the result, and theirs the error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def outcome(work: Callable[[], T]) -> T | Exception:
    """What it returned, or what it raised.

    For whoever must go on to the next in either case: the writer, whose neighbours in a batch are not to notice, and
    the receiver's requests, of which none is to hold up those behind it.
    """
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - whoever asked for the work is told
        return error

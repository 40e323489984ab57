"""What the commands' arguments are made of."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # What `add_subparsers` gives has no public name.
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage]


def count(text: str) -> int:
    """A whole number, 1 or more."""
    return _whole(text, 1, None, "1 or more")


def port(text: str) -> int:
    """A TCP port; 0 for any that is free."""
    return _whole(text, 0, 65535, "0 to 65535")


def seconds(text: str) -> float:
    """Seconds, more than none and no more than a day."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 86_400:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number of seconds, above 0 and up to 86400")
    return number


def _whole(text: str, least: int, most: int | None, allowed: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if number < least or (most is not None and number > most):
        raise argparse.ArgumentTypeError(f"`{text}` is not a whole number, {allowed}")
    return number

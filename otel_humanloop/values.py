"""What a setting's value may be: each function makes it of text, or of the plain value that was given in code.

Each raises ValueError or TypeError (`truth` also KeyError) for what it cannot be; which values these are, and what is
said of them to a person, is the table's (`settings.py`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

REDACTION_SETS = ("api_keys", "bearer", "email", "phone", "card", "iban")
"""What is known to `redact` by name; `logs/secrets.py` says how each is recognised."""

_PATTERN = re.compile(r"(key|value):(.+)", re.DOTALL)


def text(value: Any) -> str:
    """Text that is not empty, without the blanks around it."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value.strip()


def plain_ascii(value: Any) -> str:
    """Text as a header can hold it."""
    said = text(value)
    if not said.isascii() or not said.isprintable():
        raise ValueError
    return said


def url(value: Any) -> str:
    """An address of HTTP, without a slash at its end."""
    said = plain_ascii(value)
    parts = urlsplit(said)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    _ = parts.port  # raises ValueError where it is not a number a port can be
    return said.rstrip("/")


def seconds(value: Any) -> float:
    """0 or more."""
    return _number(value, least=0, whole=False)


def positive_seconds(value: Any) -> float:
    """More than 0."""
    number = seconds(value)
    if number == 0:
        raise ValueError
    return number


def count(value: Any) -> float:
    """A whole number, 1 or more."""
    return _number(value, least=1, whole=True)


def one_of(*choices: str) -> Callable[[Any], str]:
    """One of these words, in letters of any size."""

    def parse(value: Any) -> str:
        said = text(value).lower()
        if said not in choices:
            raise ValueError
        return said

    return parse


def truth(value: Any) -> bool:
    """True or false, also as a word or a digit."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False, "1": True, "0": False}[text(value).lower()]


def redactions(value: Any) -> tuple[Any, ...]:
    """What to redact, one by one: a set's name, `key:` or `value:` and a regular expression, or a callable."""
    if isinstance(value, str):
        words = text(value).split()
        entries = [entry for word in words for entry in ([word] if _PATTERN.match(word) else word.split(","))]
        return redactions([entry for entry in entries if entry])
    if callable(value):
        return (value,)
    if not isinstance(value, (list, tuple)) or not value:
        raise TypeError
    for entry in cast("Sequence[Any]", value):
        if callable(entry):
            continue
        if not isinstance(entry, str):
            raise TypeError
        if (pattern := _PATTERN.match(entry)) is not None:
            try:
                re.compile(pattern[2])
            except (re.error, OverflowError, RecursionError) as error:
                raise ValueError from error
        elif entry not in REDACTION_SETS:
            raise ValueError
    return tuple(cast("Sequence[Any]", value))


def _number(value: Any, *, least: float, whole: bool) -> float:
    if isinstance(value, bool):
        raise TypeError
    number = float(value)
    if not math.isfinite(number) or number < least or (whole and number != int(number)):
        raise ValueError
    return int(number) if whole else number

"""Ids as Humanloop made them: a prefix and 21 characters of 0-9, A-Z, a-z."""

from __future__ import annotations

import hashlib
import secrets
import time
from functools import lru_cache

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 21
_STAMP = 7
"""Of these, those that say when an id was made, in milliseconds: enough until 2081."""

_EVEN = 4 * len(_ALPHABET)
_DIGIT_OF = (_ALPHABET.encode() * 5)[:256]
_UNEVEN = bytes(range(_EVEN, 256))
"""Bytes left out of random ones, for the rest falls on each digit as often as on any other."""


def new_id(prefix: str) -> str:
    """A new id, of 125 random bits, which nobody can guess."""
    return f"{prefix}_{_random(_LENGTH)}"


def timely_id(prefix: str) -> str:
    """The same of what there is much of: `timely_id("data")` gives `data_`, the time, and 83 random bits.

    What is made at one time stands together in an index, as with a ULID: were it random, each row would change a page
    of its own there. People tell such ids by their ends.
    """
    return f"{prefix}_{_stamp(time.time_ns() // 1_000_000)}{_random(_LENGTH - _STAMP)}"


def _random(length: int) -> str:
    digits = b""
    while len(digits) < length:
        digits += secrets.token_bytes(32).translate(_DIGIT_OF, _UNEVEN)
    return digits[:length].decode()


@lru_cache(maxsize=4)
def _stamp(milliseconds: int) -> str:
    """The time since the epoch, so that what is later comes later in the order of ASCII."""
    return _digits(milliseconds, _STAMP)


def derived_id(prefix: str, seed: bytes) -> str:
    """An id that is the same for the same seed."""
    number = int.from_bytes(hashlib.sha256(seed).digest()[:20], "big")
    return f"{prefix}_{_digits(number, _LENGTH)[::-1]}"


def _digits(number: int, length: int) -> str:
    """The last digits of a number to the base 62."""
    digits: list[str] = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))

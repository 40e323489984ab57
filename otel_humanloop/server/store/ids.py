"""Ids as Humanloop made them: a prefix and 21 characters of 0-9, A-Z, a-z."""

from __future__ import annotations

import hashlib
import secrets

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 21

_EVEN = 4 * len(_ALPHABET)
_DIGIT_OF = (_ALPHABET.encode() * 5)[:256]
_UNEVEN = bytes(range(_EVEN, 256))
"""Bytes left out of random ones, for the rest falls on each digit as often as on any other."""


def new_id(prefix: str) -> str:
    """A random id: `new_id("data")` gives `data_` and 125 bits."""
    digits = b""
    while len(digits) < _LENGTH:
        digits += secrets.token_bytes(32).translate(_DIGIT_OF, _UNEVEN)
    return f"{prefix}_{digits[:_LENGTH].decode()}"


def derived_id(prefix: str, seed: bytes) -> str:
    """An id that is the same for the same seed."""
    number = int.from_bytes(hashlib.sha256(seed).digest()[:20], "big")
    digits: list[str] = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return f"{prefix}_{''.join(digits)}"

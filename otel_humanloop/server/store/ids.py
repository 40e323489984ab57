"""Ids as Humanloop made them: a prefix and 21 characters of 0-9, A-Z, a-z."""

from __future__ import annotations

import hashlib
import secrets
import struct

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_THREES = [a + b + c for c in _ALPHABET for b in _ALPHABET for a in _ALPHABET]
"""Three digits at once, the least first."""
_SEVEN = 7  # times three digits
_NUMBERS = struct.Struct(">7I")


def new_id(prefix: str) -> str:
    """A random id: `new_id("data")` gives `data_` and 125 bits."""
    return f"{prefix}_{''.join([_THREES[number % 238_328] for number in _NUMBERS.unpack(secrets.token_bytes(28))])}"


def derived_id(prefix: str, seed: bytes) -> str:
    """An id that is the same for the same seed."""
    return f"{prefix}_{_digits(int.from_bytes(hashlib.sha256(seed).digest()[:20], 'big'))}"


def _digits(number: int) -> str:
    digits = ""
    for _ in range(_SEVEN):
        number, three = divmod(number, 238_328)
        digits += _THREES[three]
    return digits

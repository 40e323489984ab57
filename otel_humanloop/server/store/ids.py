"""Ids as Humanloop made them: a prefix and 21 characters of 0-9, A-Z, a-z."""

from __future__ import annotations

import hashlib
import secrets
import struct

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 21
_PAIRS = [low + high for high in _ALPHABET for low in _ALPHABET]
"""Two digits at once, the lower first."""
_RANDOM = struct.Struct(">11I")


def new_id(prefix: str) -> str:
    """A random id: `new_id("data")` gives `data_` and 125 bits."""
    numbers: tuple[int, ...] = _RANDOM.unpack(secrets.token_bytes(_RANDOM.size))
    return f"{prefix}_{''.join([_PAIRS[number % 3_844] for number in numbers])[:_LENGTH]}"


def derived_id(prefix: str, seed: bytes) -> str:
    """An id that is the same for the same seed."""
    number = int.from_bytes(hashlib.sha256(seed).digest()[:20], "big")
    digits: list[str] = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return f"{prefix}_{''.join(digits)}"

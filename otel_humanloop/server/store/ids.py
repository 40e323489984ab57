"""Ids as Humanloop made them: a prefix and 21 characters of 0-9, A-Z, a-z."""

from __future__ import annotations

import hashlib
import secrets

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 21


def new_id(prefix: str) -> str:
    """A random id: `new_id("data")` gives `data_` and 125 bits."""
    return f"{prefix}_{_digits(int.from_bytes(secrets.token_bytes(20), 'big'))}"


def derived_id(prefix: str, seed: bytes) -> str:
    """An id that is the same for the same seed."""
    return f"{prefix}_{_digits(int.from_bytes(hashlib.sha256(seed).digest()[:20], 'big'))}"


def _digits(number: int) -> str:
    digits: list[str] = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(digits)

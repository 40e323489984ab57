"""Attachments: what was too large for a message, and the words that stand in the message in its place.

A picture in base64 makes each log that repeats its conversation as large as itself, beyond what a server takes and a
person reads. So the message says `[image/png, 48213 bytes, sha256 9f86d0...]`, and a server of ours keeps the bytes,
once, by that hash. Such a server is known by a header it answers with; no other is ever sent any bytes.
"""

from __future__ import annotations

import hashlib
import re

import msgspec

KNOWN_BY = "Otel-Humanloop-Attachments"
"""The header in each answer of a server that keeps attachments."""

MAX_SIZE = 32 * 1024 * 1024
"""Bytes of the largest attachment."""

PATH = "attachments/sha256"
"""Where attachments are, below an address of the API or of the viewer; their hash follows."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_STAND_IN = re.compile(r"\[([^\[\],\s]{1,100}), ([0-9]{1,12}) bytes, sha256 ([0-9a-f]{64})\]")
_NAMED = re.compile(rb" bytes, sha256 ([0-9a-f]{64})\]")


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """One picture, sound or file.

    Attributes:
        sha256: Of `content`, in hex.
        media_type: As it was stated, `image/png`; or its kind alone, `image`, where no more is known.
    """

    sha256: str
    media_type: str
    content: bytes


class StandIn(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a message in place of an attachment. `size` is in bytes."""

    media_type: str
    size: int
    sha256: str

    def __str__(self) -> str:
        return f"[{self.media_type}, {self.size} bytes, sha256 {self.sha256}]"


def attachment(content: bytes, media_type: str) -> Attachment:
    """Those bytes as an attachment."""
    return Attachment(sha256=digest(content), media_type=media_type, content=content)


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def is_digest(text: str) -> bool:
    """Could this be what `digest` gives?"""
    return _SHA256.fullmatch(text) is not None


def parse(text: str) -> StandIn | None:
    """The stand-in a whole text is; None for any other text."""
    match = _STAND_IN.fullmatch(text)
    if match is None:
        return None
    return StandIn(media_type=match[1], size=int(match[2]), sha256=match[3])


def named_in(content: bytes) -> set[str]:
    """The hashes of the stand-ins within JSON text."""
    if b", sha256" not in content:  # found to be absent twice as fast as with the blank behind it
        return set()
    return {name.decode() for name in _NAMED.findall(content)}

"""Sound and pictures that stand in a message whole: large ones leave it, and are described in their place.

A picture in base64 makes each log that repeats its conversation as large as itself, beyond what a server takes and a
person reads. What is told of it instead is enough to know it again: its type, its size, and the hash of its bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from otel_humanloop.operation import Media

INLINE_LIMIT = 32 * 1024
"""Characters of a `data:` URI that stay in a message."""

_BASE64 = ";base64"


def is_large(media: Media) -> bool:
    """Whether it stands in the message whole, and is too large to stay there."""
    return media.url is not None and media.url.startswith("data:") and len(media.url) > INLINE_LIMIT


def described(media: Media) -> dict[str, Any]:
    """What is known of it, in place of it where it is too large to be kept."""
    facts: dict[str, Any] = {"modality": media.modality, "file_id": media.file_id, "mime_type": media.mime_type}
    if is_large(media) and media.url is not None:
        head, _, data = media.url.partition(",")
        content = _content(data, head)
        facts["mime_type"] = media.mime_type or head.removeprefix("data:").partition(";")[0] or None
        facts["bytes"] = len(content)
        facts["sha256"] = hashlib.sha256(content).hexdigest()
    else:
        facts["url"] = media.url
    return {name: value for name, value in facts.items() if value is not None}


def placeholder(media: Media) -> str:
    """Words that stand in a message for what left it."""
    facts = described(media)
    return f"[{facts.get('mime_type', media.modality)}, {facts['bytes']} bytes, sha256 {facts['sha256']}]"


def _content(data: str, head: str) -> bytes:
    """The bytes themselves; of what is not base64, its characters."""
    written = data.encode("utf-8", "surrogatepass")
    if not head.endswith(_BASE64):
        return written
    try:
        return base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        return written

"""Sound and pictures that stand in a message whole: large ones leave it, and are described in their place.

What is told of them is enough to know them again: their type, their size, and the hash of their bytes. A server of ours
is brought the bytes besides (`delivery/uploads.py`).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Iterator
from typing import Any

from otel_humanloop.attachments import Attachment, StandIn, attachment
from otel_humanloop.operation import Media, Operation

INLINE_LIMIT = 32 * 1024
"""Characters of a `data:` URI that stay in a message."""

_BASE64 = ";base64"

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,60}")


def is_large(media: Media) -> bool:
    """Whether it stands in the message whole, and is too large to stay there."""
    return media.url is not None and media.url.startswith("data:") and len(media.url) > INLINE_LIMIT


def described(media: Media) -> dict[str, Any]:
    """What is known of it, in place of it where it is too large to be kept."""
    facts: dict[str, Any] = {"modality": media.modality, "file_id": media.file_id, "mime_type": media.mime_type}
    if is_large(media):
        left = _left(media)
        facts["mime_type"] = media.mime_type or (left.media_type if "/" in left.media_type else None)
        facts["bytes"] = len(left.content)
        facts["sha256"] = left.sha256
    else:
        facts["url"] = media.url
    return {name: value for name, value in facts.items() if value is not None}


def stand_in(media: Media) -> str:
    """Words that stand in a message for what left it."""
    left = _left(media)
    return str(StandIn(media_type=left.media_type, size=len(left.content), sha256=left.sha256))


def has_large(operation: Operation) -> bool:
    """Whether anything leaves the messages of an operation: of most nothing does, which is known cheaply."""
    for messages in (operation.messages, operation.output_messages):
        for message in messages or ():
            for part in message.parts:
                if type(part) is Media and is_large(part):
                    return True
    return False


def left_out(operation: Operation, hashes: Collection[str]) -> Iterator[Attachment]:
    """What left the messages of an operation, of those with these hashes."""
    for message in (*(operation.messages or ()), *(operation.output_messages or ())):
        for part in message.parts:
            if isinstance(part, Media) and is_large(part):
                left = _left(part)
                if left.sha256 in hashes:
                    yield left


def _left(media: Media) -> Attachment:
    head, _, data = (media.url or "").partition(",")
    stated = (media.mime_type or head.removeprefix("data:")).partition(";")[0].strip().lower()
    known = stated if _MEDIA_TYPE.fullmatch(stated) else media.modality
    return attachment(_content(data, head), known)


def _content(data: str, head: str) -> bytes:
    """The bytes themselves; of what is not base64, its characters."""
    written = data.encode("utf-8", "surrogatepass")
    if not head.endswith(_BASE64):
        return written
    try:
        return base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        return written

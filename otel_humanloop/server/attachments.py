"""`/attachments/sha256/{hash}`: pictures, sound and files that were too large for a log's messages.

Not part of v4. Whoever sends logs asks (`HEAD`) whether the bytes are here, and brings them (`PUT`) where they are not.
"""

from __future__ import annotations

import re
from functools import partial

from starlette.responses import Response

from otel_humanloop.attachments import KNOWN_BY, Attachment, digest, is_digest
from otel_humanloop.server import moments
from otel_humanloop.server.failures import Invalid
from otel_humanloop.server.requests import Call
from otel_humanloop.server.store import attachments

_KNOWN = {KNOWN_BY: "taken"}

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}(/[a-z0-9][a-z0-9.+-]{0,60})?")

_OPENED = re.compile(
    r"image/(png|jpeg|gif|webp|avif|bmp)"
    r"|audio/(mpeg|mp3|mp4|wav|x-wav|wave|ogg|opus|flac|aac|webm)"
    r"|video/(mp4|webm|ogg)"
)
"""What a browser may show within a page: none of these can hold a script."""

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, max-age=3600",
}


def ask(call: Call) -> Response:
    """`HEAD`: 200 where the bytes are here, 404 where they would be taken."""
    here = call.store.read(partial(attachments.is_kept, sha256=_hash(call)))
    return Response(status_code=200 if here else 404, headers=_KNOWN)


def get(call: Call) -> Response:
    """`GET`: the bytes."""
    found = call.store.read(partial(attachments.find, sha256=_hash(call)))
    return Response(status_code=404, headers=_KNOWN) if found is None else served(found)


def keep(call: Call) -> Response:
    """`PUT`: takes the bytes, which must have that hash; 201 where they are new."""
    sha256 = _hash(call)
    if digest(call.body) != sha256:
        raise Invalid(("body",), f"the bytes have another SHA-256 than {sha256}")
    media_type = call.media_type.partition(";")[0].strip().lower()
    if _MEDIA_TYPE.fullmatch(media_type) is None:
        raise Invalid(("header", "Content-Type"), "must be a media type such as image/png")
    made = Attachment(sha256=sha256, media_type=media_type, content=call.body)
    new = call.store.write(partial(attachments.keep, attachment=made, now=moments.now()))
    return Response(status_code=201 if new else 200, headers=_KNOWN)


def is_opened(media_type: str) -> bool:
    """May a browser show it within a page?"""
    return _OPENED.fullmatch(media_type) is not None


def served(attachment: Attachment) -> Response:
    """The bytes as an answer that cannot harm whoever opens it: what is not shown within pages is saved as a file."""
    if is_opened(attachment.media_type):
        return Response(attachment.content, media_type=attachment.media_type, headers={**_KNOWN, **_HEADERS})
    saved = {"Content-Disposition": f'attachment; filename="{attachment.sha256[:12]}"'}
    return Response(attachment.content, media_type="application/octet-stream", headers={**_KNOWN, **_HEADERS, **saved})


def _hash(call: Call) -> str:
    sha256 = call.path["sha256"]
    if not is_digest(sha256):
        raise Invalid(("path", "sha256"), "must be a SHA-256 in lowercase hex")
    return sha256

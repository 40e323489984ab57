"""zstd, where it is installed: part of Python from 3.14 on, and before that a package with the same face.

It is imported when it is first needed, for an application may never need it.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from otel_humanloop.errors import DecodeError

_LEVEL = 1
"""Higher levels take twice the time for a tenth fewer bytes."""

_WINDOW = 25
"""Of 2 to this power are the bytes a frame may refer back to: what a decoder has to hold."""


def has_zstd() -> bool:
    """Is zstd installed?"""
    return _library() is not None


def zstd(body: bytes) -> bytes:
    """The body as a frame of zstd, which must be installed."""
    library = _library()
    assert library is not None
    return bytes(library.compress(body, level=_LEVEL))


def unzstd(body: bytes, most: int) -> bytes:
    """What frames of zstd hold, but never more than one byte beyond `most`: that there is more is all one may learn.

    Raises:
        DecodeError: It is not zstd, ends in its middle, or refers back further than 32 MiB.
    """
    library = _library()
    assert library is not None
    whole = bytearray()
    while body and len(whole) <= most:
        frame = library.ZstdDecompressor(options={library.DecompressionParameter.window_log_max: _WINDOW})
        try:
            whole += frame.decompress(body, max_length=most + 1 - len(whole))
            while not (frame.eof or frame.needs_input) and len(whole) <= most:
                whole += frame.decompress(b"", max_length=most + 1 - len(whole))
        except library.ZstdError as error:
            raise DecodeError(f"the body cannot be decompressed: {error}") from error
        if not frame.eof and len(whole) <= most:
            raise DecodeError("the compressed body ends in its middle")
        body = frame.unused_data if frame.eof else b""
    return bytes(whole)


@cache
def _library() -> Any:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:
        return None
    return zstd

"""gzip and zstd, by the fastest that is installed, and unpacked within bounds.

gzip is Python's own zlib, or isal (the extra `gzip`), which writes and reads the same format in a quarter to a
third of the time.
zstd is part of Python from 3.14 on, and before that a package with the same face; without it there is none. Both are
imported when they are first needed, for an application may never need them.
"""

from __future__ import annotations

import sys
import zlib
from functools import cache
from typing import Any

from otel_humanloop.errors import DecodeError

_ZLIB_LEVEL = 1
"""Higher levels cost four times the time for a fifth fewer bytes."""

_ISAL_LEVEL = 2
"""Of logs, up to a fortieth fewer bytes than at level 1 in the same time; level 3 takes 1.2 to 2 times as long."""

_ZSTD_LEVEL = 1
"""Of logs, level 3 takes a third more time for 2 to 24 % fewer bytes: the more, the longer what repeats in a body."""

_GZIP = 16 + zlib.MAX_WBITS
"""What zlib and isal call the format of gzip."""

_FLAGS, _RESERVED = 3, 0xE0
"""Where a member has its flags, and those of them that nobody may set (RFC 1952, 2.3.1): isal lets them pass."""

_WINDOW = 25
"""Of 2 to this power are the bytes a frame of zstd may refer back to: what a decoder has to hold."""

_PIECE = 16 * 1024
"""Bytes of what follows a first member that are looked at at once. Each member makes a copy of what it leaves of them,
and a body may consist of a million empty ones."""


def prepare_gzip() -> None:
    """Imports what gzip is written with, which at a program's end would be too late (`pricing.prepare`)."""
    _isal()


def gzip(body: bytes) -> bytes:
    """The body as a member of gzip."""
    isal = _isal()
    if isal is not None:
        return bytes(isal.compress(body, _ISAL_LEVEL, _GZIP))
    packing = zlib.compressobj(_ZLIB_LEVEL, zlib.DEFLATED, _GZIP)
    return packing.compress(body) + packing.flush()


def gunzip(body: bytes, most: int) -> bytes:
    """What members of gzip hold together, but never more than one byte beyond `most`: as `unzstd`.

    Raises:
        DecodeError: It is not gzip, is not what was packed (by its checksum), or ends in its middle.
    """
    isal = _isal()
    return _inflated(body, most, zlib if isal is None else isal, _GZIP)


def inflate(body: bytes, most: int) -> bytes:
    """What HTTP's `deflate` holds, but never more than one byte beyond `most`: as `unzstd`.

    Raises:
        DecodeError: It is not that, or ends in its middle.
    """
    # RFC 9110 means zlib's format by "deflate"; some senders take the word literally. That has no checksum, so it is
    # zlib's to read, which finds fault with more than isal does.
    is_zlib = len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    return _inflated(body, most, zlib, zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)


def has_zstd() -> bool:
    """Is zstd installed?"""
    return _zstd() is not None


def zstd(body: bytes) -> bytes:
    """The body as a frame of zstd, which must be installed."""
    library = _zstd()
    assert library is not None
    return bytes(library.compress(body, level=_ZSTD_LEVEL))


def unzstd(body: bytes, most: int) -> bytes:
    """What frames of zstd hold, but never more than one byte beyond `most`: that there is more is all one may learn.

    Raises:
        DecodeError: It is not zstd, ends in its middle, or refers back further than 32 MiB.
    """
    library = _zstd()
    assert library is not None
    options = {library.DecompressionParameter.window_log_max: _WINDOW}
    view, at, step = memoryview(body), 0, len(body)
    whole: list[bytes] = []
    room = most + 1
    while at < len(body) and room:
        frame = library.ZstdDecompressor(options=options)
        while not frame.eof and room:
            piece = view[at : at + step] if frame.needs_input else b""
            if frame.needs_input and not piece:
                raise DecodeError("the compressed body ends in its middle")
            try:
                whole.append(frame.decompress(piece, max_length=room))
            except library.ZstdError as error:
                raise DecodeError(f"the body cannot be decompressed: {error}") from error
            at += len(piece) - len(frame.unused_data)
            room -= len(whole[-1])
        step = _PIECE
    return b"".join(whole)


def _inflated(body: bytes, most: int, library: Any, window: int) -> bytes:
    """What streams that `library`, zlib or isal, reads hold together: at least one."""
    view, at, step = memoryview(body), 0, len(body)
    whole: list[bytes] = []
    room = most + 1
    while room and (at < len(body) or not whole):
        if window == _GZIP and at + _FLAGS < len(body) and body[at + _FLAGS] & _RESERVED:
            raise DecodeError("the body cannot be decompressed: unknown header flags set")
        stream = library.decompressobj(window)
        while not stream.eof and room:
            piece = view[at : at + step]
            if not piece:
                raise DecodeError("the compressed body ends in its middle")
            try:
                whole.append(stream.decompress(piece, room))
            except library.error as error:
                raise DecodeError(f"the body cannot be decompressed: {error}") from error
            at += len(piece) - len(stream.unused_data)
            room -= len(whole[-1])
        step = _PIECE
    return b"".join(whole)


@cache
def _isal() -> Any:
    try:
        from isal import isal_zlib
    except ImportError:
        return None
    return isal_zlib


@cache
def _zstd() -> Any:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:
        return None
    return zstd

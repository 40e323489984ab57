"""A request's body, decompressed, never longer than it may be: a small body may unfold into gigabytes."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from otel_humanloop.compression import unzstd
from otel_humanloop.errors import DecodeError, HumanloopError

MAX_BODY = 32 * 1024 * 1024
"""Bytes of a request, before and after decompression. A Collector's largest batch of long conversations fits."""


class TooLong(HumanloopError):
    """A body is longer than `MAX_BODY`, or would be once it is decompressed."""

    def __init__(self) -> None:
        super().__init__(
            f"the request is longer than {MAX_BODY >> 20} MiB",
            hint="let the exporter send less at once: sending_queue::batch::max_size",
        )


def decompress(body: bytes, encoding: str) -> bytes:
    """The body as it was before `encoding`, one of `ENCODINGS`.

    Raises:
        DecodeError: It is not in that encoding, or ends in its middle.
        TooLong: It is longer than `MAX_BODY`.
    """
    return _DECOMPRESS[encoding](body)


def _as_it_is(body: bytes) -> bytes:
    return body


def _gzip(body: bytes) -> bytes:
    return _inflate(body, 16 + zlib.MAX_WBITS)


def _deflate(body: bytes) -> bytes:
    # RFC 9110 means zlib's format by "deflate"; some senders take the word literally.
    is_zlib = len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    return _inflate(body, zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)


def _inflate(body: bytes, window: int) -> bytes:
    whole = b""
    while True:
        stream = zlib.decompressobj(window)
        try:
            whole += stream.decompress(body, MAX_BODY + 1 - len(whole))
        except zlib.error as error:
            raise DecodeError(f"the body cannot be decompressed: {error}") from error
        if len(whole) > MAX_BODY or stream.unconsumed_tail:
            raise TooLong
        if not stream.eof:
            raise DecodeError("the compressed body ends in its middle")
        body = stream.unused_data
        if not body:
            return whole


def _zstd(body: bytes) -> bytes:
    whole = unzstd(body, MAX_BODY)
    if len(whole) > MAX_BODY:
        raise TooLong
    return whole


_DECOMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "identity": _as_it_is,
    "gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
}

ENCODINGS = tuple(_DECOMPRESS)
"""The values of `Content-Encoding` that are understood."""

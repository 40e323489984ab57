"""A request's body, decompressed, never longer than it may be: a small body may unfold into gigabytes."""

from __future__ import annotations

from collections.abc import Callable

from otel_humanloop.compression import gunzip, inflate, unzstd
from otel_humanloop.errors import HumanloopError

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
    unpack = _UNPACK[encoding]
    if unpack is None:
        return body
    whole = unpack(body, MAX_BODY)
    if len(whole) > MAX_BODY:
        raise TooLong
    return whole


_UNPACK: dict[str, Callable[[bytes, int], bytes] | None] = {
    "identity": None,
    "gzip": gunzip,
    "deflate": inflate,
    "zstd": unzstd,
}

ENCODINGS = tuple(_UNPACK)
"""The values of `Content-Encoding` that are understood."""

"""Encoded spans one behind the other, as a batch of them is written, and where each of them begins."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from otel_humanloop.errors import DecodeError


class _Part(msgspec.Struct, array_like=True, gc=False):
    """The bytes of one span: how many they are, and the size the span was kept with."""

    length: int
    size: int


_decoder = msgspec.msgpack.Decoder(list[_Part])


def pack(pieces: Sequence[bytes], sizes: Sequence[int]) -> tuple[bytes, bytes]:
    """What tells the spans apart, and the spans themselves."""
    parts = [_Part(len(piece), size) for piece, size in zip(pieces, sizes, strict=True)]
    return msgspec.msgpack.encode(parts), b"".join(pieces)


def unpack(parts: bytes, content: bytes) -> tuple[list[bytes], list[int]]:
    """The pieces and sizes `pack` was given.

    Raises:
        DecodeError: These bytes are something else.
    """
    try:
        known = _decoder.decode(parts)
    except msgspec.DecodeError as error:
        raise DecodeError(f"what was written of a batch cannot be read: {error}") from error
    pieces: list[bytes] = []
    start = 0
    for part in known:
        end = start + part.length
        pieces.append(content[start:end])
        start = end
    if start != len(content) or any(part.length < 0 for part in known):
        raise DecodeError(f"what was written of a batch is {len(content)} bytes, and not {start}")
    return pieces, [part.size for part in known]

"""How a batch of spans is written: as it came, or its spans encoded one behind the other.

A batch is two things, of which the first, `parts`, tells what is in the other, `content`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from otel_humanloop.delivery.encoding import decode, encode
from otel_humanloop.errors import DecodeError
from otel_humanloop.spans import Span, otlp


class _Piece(msgspec.Struct, array_like=True, gc=False):
    """One span of those encoded: how many bytes it takes, and the size it was kept with."""

    length: int
    size: int


class _Came(msgspec.Struct, gc=False):
    """A request in OTLP: what it is written in, and the sizes its spans were kept with."""

    media_type: str
    sizes: list[int]


_decoder = msgspec.msgpack.Decoder(list[_Piece] | _Came)


def pack(pieces: Sequence[bytes], sizes: Sequence[int]) -> tuple[bytes, bytes]:
    """Encoded spans as a batch."""
    parts = [_Piece(len(piece), size) for piece, size in zip(pieces, sizes, strict=True)]
    return msgspec.msgpack.encode(parts), b"".join(pieces)


def pack_request(body: bytes, media_type: str, sizes: Sequence[int]) -> tuple[bytes, bytes]:
    """A request in OTLP as a batch, for nothing that was read of it need be written again."""
    return msgspec.msgpack.encode(_Came(media_type, list(sizes))), body


class Packed(msgspec.Struct, frozen=True):
    """A batch that was read.

    Attributes:
        sizes: Of each span, the size it was kept with.
        content: Its spans: each encoded, or as `otlp.sift` had them.
    """

    sizes: list[int]
    content: list[bytes] | list[Span]

    def spans(self) -> list[Span | DecodeError]:
        """Its spans; in place of one that was damaged, what is wrong with it."""
        return [each if isinstance(each, Span) else _decoded(each) for each in self.content]

    def some(self, which: Sequence[int]) -> tuple[bytes, bytes]:
        """The spans at these places, as a batch of their own."""
        chosen = [self.content[index] for index in which]
        pieces = [encode(each) if isinstance(each, Span) else each for each in chosen]
        return pack(pieces, [self.sizes[index] for index in which])


def unpack(parts: bytes, content: bytes) -> Packed:
    """What was packed.

    Raises:
        DecodeError: These bytes are something else.
        MissingExtra: The request cannot be read in this installation.
    """
    try:
        known = _decoder.decode(parts)
    except msgspec.DecodeError as error:
        raise DecodeError(f"what was written of a batch cannot be read: {error}") from error
    if isinstance(known, _Came):
        return _request(content, known)
    pieces: list[bytes] = []
    start = 0
    for piece in known:
        end = start + piece.length
        pieces.append(content[start:end])
        start = end
    if start != len(content) or any(piece.length < 0 for piece in known):
        raise DecodeError(f"what was written of a batch is {len(content)} bytes, and not {start}")
    return Packed([piece.size for piece in known], pieces)


def _request(body: bytes, came: _Came) -> Packed:
    spans = otlp.decode(body, came.media_type)
    if len(spans) != len(came.sizes):
        raise DecodeError(f"a request has {len(spans)} spans, and not {len(came.sizes)}")
    return Packed(came.sizes, spans)


def _decoded(piece: bytes) -> Span | DecodeError:
    try:
        return decode(piece)
    except DecodeError as error:
        return error

"""zstd, within bounds."""

from __future__ import annotations

import contextlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from otel_humanloop.compression import has_zstd, unzstd, zstd
from otel_humanloop.errors import DecodeError


@given(st.binary(max_size=5000))
def test_what_is_packed_here_is_unpacked_anywhere_and_the_other_way_round(body: bytes) -> None:
    assert has_zstd()
    assert zstandard.ZstdDecompressor().decompress(zstd(body), max_output_size=5000) == body
    assert unzstd(zstandard.compress(body), 5000) == body


@given(st.lists(st.binary(max_size=300), max_size=4), st.integers(0, 1500))
def test_no_more_than_one_byte_beyond_the_bound_is_unpacked(pieces: list[bytes], most: int) -> None:
    packed = b"".join(zstd(piece) for piece in pieces)
    assert unzstd(packed, most) == b"".join(pieces)[: most + 1]


@given(st.binary(min_size=1, max_size=300))
def test_what_is_not_zstd_is_said_not_to_be(body: bytes) -> None:
    with contextlib.suppress(DecodeError):
        unzstd(body, 1000)


def test_what_ends_in_its_middle_and_what_wants_too_much_memory_is_refused() -> None:
    packed = zstd(bytes(range(256)) * 100)
    with pytest.raises(DecodeError, match="middle"):
        unzstd(packed[:-3], 10**6)
    far = zstandard.ZstdCompressor(compression_params=zstandard.ZstdCompressionParameters(window_log=27)).compressobj()
    with pytest.raises(DecodeError):
        unzstd(far.compress(b"x" * 10**6) + far.flush(), 10**7)

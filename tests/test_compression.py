"""gzip, by zlib and by isal, and zstd, within bounds."""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from types import ModuleType

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from otel_humanloop import compression
from otel_humanloop.compression import has_zstd, inflate, unzstd, zstd
from otel_humanloop.errors import DecodeError


@pytest.fixture(scope="module", params=["isal", "zlib"])
def gzips(request: pytest.FixtureRequest) -> ModuleType:
    """The module as it is where isal is installed, and as it is where it is not."""
    if request.param == "isal":
        pytest.importorskip("isal")
        return compression
    assert compression.__spec__ is not None
    assert compression.__spec__.origin is not None
    spec = importlib.util.spec_from_file_location("compression_without_isal", compression.__spec__.origin)
    assert spec is not None
    assert spec.loader is not None
    without = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as hidden:
        hidden.setitem(sys.modules, "isal", None)
        spec.loader.exec_module(without)
        without.prepare_gzip()
    return without


@given(body=st.binary(max_size=5000))
def test_gzip_written_here_is_read_anywhere_and_the_other_way_round(gzips: ModuleType, body: bytes) -> None:
    assert gzip.decompress(gzips.gzip(body)) == body
    assert gzips.gunzip(gzips.gzip(body), 5000) == body
    for level in (0, 1, 9):
        assert gzips.gunzip(gzip.compress(body, level), 5000) == body


@given(pieces=st.lists(st.binary(max_size=300), min_size=1, max_size=4), most=st.integers(0, 1500))
def test_members_of_gzip_are_one_body_of_which_no_more_than_one_byte_beyond_the_bound_is_unpacked(
    gzips: ModuleType, pieces: list[bytes], most: int
) -> None:
    assert gzips.gunzip(b"".join(map(gzip.compress, pieces)), most) == b"".join(pieces)[: most + 1]


@given(
    pieces=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=3),
    at=st.floats(0, 1, exclude_max=True),
    instead=st.integers(0, 255),
)
def test_damaged_gzip_is_never_taken_for_something_else(
    gzips: ModuleType, pieces: list[bytes], at: float, instead: int
) -> None:
    packed = bytearray(b"".join(map(gzip.compress, pieces)))
    packed[int(at * len(packed))] = instead
    with contextlib.suppress(DecodeError):
        assert gzips.gunzip(bytes(packed), 5000) == b"".join(pieces)  # what was changed is said to mean nothing


@given(body=st.binary(min_size=1, max_size=300))
def test_what_is_not_gzip_is_said_not_to_be(gzips: ModuleType, body: bytes) -> None:
    with pytest.raises(DecodeError):
        gzips.gunzip(body, 1000)


def test_gzip_that_ends_in_its_middle_and_what_comes_behind_gzip_is_refused(gzips: ModuleType) -> None:
    packed = gzip.compress(bytes(range(256)) * 100)
    for end in range(len(packed)):
        with pytest.raises(DecodeError, match="middle"):
            gzips.gunzip(packed[:end], 10**6)
        if end:
            with pytest.raises(DecodeError):
                gzips.gunzip(packed + packed[:end], 10**6)
    for behind in (b"x", bytes(8), packed[1:]):
        with pytest.raises(DecodeError):
            gzips.gunzip(packed + behind, 10**6)


@pytest.mark.parametrize("flag", [0x20, 0x40, 0x80])
def test_gzip_that_says_of_itself_what_nobody_knows_is_refused(gzips: ModuleType, flag: int) -> None:
    packed = gzip.compress(b"a body")
    unknown = packed[:3] + bytes([packed[3] | flag]) + packed[4:]
    for body in (unknown, packed + unknown):
        with pytest.raises(DecodeError):
            gzips.gunzip(body, 1000)


def test_a_gzip_bomb_is_unpacked_to_its_bound_and_no_further(gzips: ModuleType) -> None:
    bomb = gzip.compress(bytes(1 << 26))
    began = time.process_time()
    assert gzips.gunzip(bomb, 1000) == bytes(1001)
    assert gzips.gunzip(bomb * 3, 1 << 20) == bytes((1 << 20) + 1)
    bounded = time.process_time() - began
    began = time.process_time()
    assert len(gzips.gunzip(bomb, 1 << 26)) == 1 << 26
    assert bounded < time.process_time() - began


@pytest.mark.parametrize("wbits", [zlib.MAX_WBITS, -zlib.MAX_WBITS])
@given(body=st.binary(max_size=3000), most=st.integers(0, 4000))
def test_deflate_is_read_in_the_formats_of_zlib_and_of_itself(wbits: int, body: bytes, most: int) -> None:
    packing = zlib.compressobj(wbits=wbits)
    packed = packing.compress(body) + packing.flush()
    assert inflate(packed, most) == body[: most + 1]
    if len(body) <= most:
        with pytest.raises(DecodeError):
            inflate(packed[:-1], most)


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
    with pytest.raises(DecodeError, match="middle"):
        unzstd(packed * 2 + packed[:-3], 10**6)
    far = zstandard.ZstdCompressor(compression_params=zstandard.ZstdCompressionParameters(window_log=27)).compressobj()
    with pytest.raises(DecodeError):
        unzstd(far.compress(b"x" * 10**6) + far.flush(), 10**7)


def test_a_body_of_many_empty_members_takes_as_much_more_as_it_is_longer(gzips: ModuleType) -> None:
    assert _growth(gzip.compress, gzips.gunzip) < 50


def test_a_body_of_many_empty_frames_takes_as_much_more_as_it_is_longer() -> None:
    assert _growth(zstd, unzstd) < 50


def _growth(pack: Callable[[bytes], bytes], unpack: Callable[[bytes, int], bytes]) -> float:
    """Of the time, with 16 times as many pieces: 16 where each takes the same, 256 where each moves all behind it."""

    def seconds(pieces: int) -> float:
        body = pack(b"") * pieces + pack(b"end")
        began = time.process_time()
        assert unpack(body, 10) == b"end"
        return time.process_time() - began

    return seconds(40_000) / min(seconds(2_500) for _ in range(3))


MAKES = """
import sys
from otel_humanloop.delivery.coding import Coding
Coding(sys.argv[1], is_near=sys.argv[2] == "near")
print("isal.isal_zlib" in sys.modules)
"""


@pytest.mark.parametrize(
    ("setting", "where", "is_imported"),
    [("auto", "far", True), ("gzip", "near", True), ("auto", "near", False), ("none", "far", False)],
)
def test_what_packs_is_imported_when_an_exporter_is_made_that_will_need_it(
    setting: str, where: str, is_imported: bool
) -> None:
    pytest.importorskip("isal")
    done = subprocess.run(
        [sys.executable, "-c", MAKES, setting, where],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == str(is_imported)

"""What has been packed can always be unpacked, also by later versions."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from otel_humanloop.server.store import packing
from otel_humanloop.server.store.packing import pack, unpack

PACKED = "KLUv/SNpbAMwgK0BAGPCB1UVvX0eOGhQdhM9TSQ9mWeHNI2k0byFaiKJRyNZdBAF/IcCgKVf6upRZRaS5VHhKNEZ"
"""What the first version that packs anything made of `SAID`."""
SAID = {
    "messages": [{"role": "user", "content": "Who won the Eurovision in 1974?"}],
    "output": "Sweden",
    "metadata": {"finish_reason": "stop"},
}


@given(st.dictionaries(st.text(), st.text() | st.integers(0, 2**60)))
def test_what_is_packed_is_unpacked(said: dict[str, object]) -> None:
    content = msgspec.json.encode(said)
    assert unpack(pack(content)) == content
    assert len(pack(content)) <= len(content)


def test_text_gets_smaller_and_what_cannot_stays_as_it_is() -> None:
    said = msgspec.json.encode({"messages": [{"role": "user", "content": "Who won the Eurovision in 1974?"}] * 5})
    assert len(pack(said)) < len(said) / 4
    assert pack(b"{}") == b"{}"


def test_the_dictionary_is_never_changed() -> None:
    kept = Path(packing.__file__).with_suffix(".dictionary").read_bytes()
    assert hashlib.sha256(kept).hexdigest() == "5c61d8e9d0fbd29ef0b16b0fcf63739cf0bfdc8d5d4696fcad15011462d7c287"


def test_what_a_released_version_packed_is_read() -> None:
    assert msgspec.json.decode(unpack(base64.b64decode(PACKED))) == SAID

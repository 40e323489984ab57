"""Contents as they lie on the disk: JSON, compressed with what the contents of logs have in common.

A content alone is too small to compress well, so zstd is given a dictionary, which lies beside this file. What has
been packed with a dictionary can be read with no other: the file is never changed, and a test holds it to its hash.
"""

from __future__ import annotations

import sys
from pathlib import Path

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_LEVEL = 1
"""With the dictionary as small as higher levels, in half the time."""

_DICTIONARY = zstd.ZstdDict(Path(__file__).with_suffix(".dictionary").read_bytes())
_COMPRESSOR = zstd.ZstdCompressor(_LEVEL, zstd_dict=_DICTIONARY)


def pack(content: bytes) -> bytes:
    """A JSON object, small; as it is where it does not get smaller."""
    packed = _COMPRESSOR.compress(content, mode=zstd.ZstdCompressor.FLUSH_FRAME)
    return packed if len(packed) < len(content) else content


def unpack(kept: bytes) -> bytes:
    """The JSON object that was packed. No frame of zstd begins with a brace."""
    return kept if kept.startswith(b"{") else zstd.decompress(kept, zstd_dict=_DICTIONARY)

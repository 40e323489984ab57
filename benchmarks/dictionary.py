"""Makes a dictionary of what the contents of logs have in common: `python -m benchmarks.dictionary EXPORT FILE`.

A log is small, and compressed alone it is most of the time the same few names and structures. A dictionary that holds
these makes a log's content half as large, or less. EXPORT is what `otel-humanloop export` wrote; the one that the store
uses (`otel_humanloop/server/store/packing.py`) was made of the spans in `tests/corpus`, replayed to a server.
A dictionary that has packed anything is never changed: what it packed could not be read any more.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from typing import Any

import msgspec

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SIZE = 16 * 1024


class _Log(msgspec.Struct):
    content: msgspec.Raw


class _Line(msgspec.Struct):
    log: _Log | None = None


def trained(export: Path) -> Any:
    """A dictionary of the logs in an export."""
    decoder = msgspec.json.Decoder(_Line)
    with export.open("rb") as lines:
        contents = [bytes(said.log.content) for line in lines if (said := decoder.decode(line)).log is not None]
    random.Random(1).shuffle(contents)  # the end of a dictionary is the cheapest to refer to
    return zstd.train_dict(contents, SIZE)


def main() -> int:
    """Writes a dictionary."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dictionary", description=__doc__)
    parser.add_argument("export", metavar="EXPORT", type=Path)
    parser.add_argument("file", metavar="FILE", type=Path)
    arguments = parser.parse_args()
    arguments.file.write_bytes(trained(arguments.export).dict_content)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Brings a SQLite file to a number of logs: `fill FILE NUMBER`. They are those of `benchmarks.viewer`."""

from __future__ import annotations

import sys

from benchmarks.viewer import fill
from otel_humanloop.server.store import open_store


def main() -> None:
    """Fills, and ends."""
    file, number = sys.argv[1:]
    with open_store(f"sqlite:///{file}") as store:
        fill(store, int(number))


if __name__ == "__main__":
    main()

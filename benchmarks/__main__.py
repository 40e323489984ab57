"""`python -m benchmarks`: measures, prints a row for each target, and writes `RESULTS.md`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import report
from benchmarks.finding import Finding
from benchmarks.measures import bridge, exporters, growth, imports, on_end, reads, servers
from benchmarks.scale import FULL, QUICK, Scale

MEASURES: dict[str, Callable[[Scale], Finding]] = {
    "exporters": exporters.measure,
    "on_end": on_end.measure,
    "imports": imports.measure,
    "servers": servers.measure,
    "bridge": bridge.measure,
    "reads": reads.measure,
    "growth": growth.measure,
}
"""In the order of the report."""


def main() -> int:
    """Measures what is asked for. Numbers that fall short of a target are told, and are no failure."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only see that everything runs; RESULTS.md is left alone")
    parser.add_argument("--only", nargs="+", choices=MEASURES, metavar="NAME", help=f"of {', '.join(MEASURES)}")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often contestants take turns")
    arguments = parser.parse_args()
    scale = QUICK if arguments.quick else FULL
    if arguments.rounds is not None:
        scale = scale._replace(rounds=arguments.rounds)
    with TemporaryDirectory() as elsewhere:
        folder = Path(elsewhere) if arguments.quick else report.HERE
        kept = report.Kept(folder)
        for name in arguments.only or MEASURES:
            sys.stderr.write(f"{name}\n")
            finding = MEASURES[name](scale)
            kept.keep(name, finding)
            for target in finding.targets:
                sys.stdout.write(report.row(target) + "\n")
        report.write(folder / "RESULTS.md", kept, MEASURES)
    return 0


if __name__ == "__main__":
    sys.exit(main())

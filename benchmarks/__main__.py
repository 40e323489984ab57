"""`python -m benchmarks`: measures, prints a row for each target, and writes `RESULTS.md`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import capacity, report
from benchmarks.finding import Measure
from benchmarks.kept import Kept
from benchmarks.machine import watched
from benchmarks.measures import bridge, database, exporters, growth, hour, imports, on_end, parts, servers
from benchmarks.scale import FULL, QUICK

MEASURES: dict[str, Measure] = {
    "exporters": exporters,
    "on_end": on_end,
    "imports": imports,
    "servers": servers,
    "bridge": bridge,
    "hour": hour,
    "database": database,
    "growth": growth,
    "parts": parts,
}
"""In the order of the report."""

_LONG = ("hour",)
"""Only where it is asked for."""


def main() -> int:
    """Measures what is asked for. Numbers that fall short of a target are told, and are no failure."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only see that everything runs; RESULTS.md is left alone")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=MEASURES,
        metavar="NAME",
        help=f"of {', '.join(MEASURES)}; all but {', '.join(_LONG)}",
    )
    parser.add_argument("--hour", action="store_true", help="only the measure that takes an hour")
    parser.add_argument(
        "--write", action="store_true", help="measure nothing; write RESULTS.md of the figures that are kept"
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="how often contestants take turns")
    arguments = parser.parse_args()
    scale = QUICK if arguments.quick else FULL
    if arguments.rounds is not None:
        scale = scale._replace(rounds=arguments.rounds)
    names = _names(arguments)
    with TemporaryDirectory() as elsewhere:
        folder = Path(elsewhere) if arguments.quick else report.HERE
        kept = Kept(folder)
        for name in names:
            sys.stderr.write(f"{name}\n")
            measure = MEASURES[name]
            with watched() as seen:
                figures = measure.measure(scale)
            kept.keep(name, figures, seen, measure.ENVIRONMENTS)
            for target in measure.find(figures).targets:
                sys.stdout.write(report.row(target) + "\n")
            sys.stdout.flush()
        report.write(folder, kept.runs, MEASURES)
        if not arguments.quick and "parts" in kept.runs:
            capacity.PAGE.write_text(capacity.filled(capacity.PAGE.read_text(), kept.runs["parts"].figures))
    return 0


def _names(arguments: argparse.Namespace) -> list[str]:
    if arguments.write:
        return []
    if arguments.hour:
        return list(_LONG)
    return arguments.only or [name for name in MEASURES if name not in _LONG]


if __name__ == "__main__":
    sys.exit(main())

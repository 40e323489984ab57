"""Figures of the latest run of each measure, in `results.json`: a run of some measures leaves those of the others."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.environments import PROJECT, environment
from benchmarks.finding import Figures
from benchmarks.machine import Watched, machine


class Run(NamedTuple):
    """One run of one measure.

    Attributes:
        figures: What was measured.
        when: The minute it ended, in UTC.
        commit: What was measured; with a plus where files differed from it.
        machine: On what.
        seconds: How long it took.
        others: What part of the machine's CPU time others used meanwhile, from 0 to 1.
        versions: Environment -> package -> version.
    """

    figures: Figures
    when: str
    commit: str
    machine: str
    seconds: float
    others: float
    versions: Mapping[str, Mapping[str, str]]


class Kept:
    """What `folder` holds of earlier runs, by measure."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "results.json"
        self.runs: dict[str, Run] = {}
        if self._file.exists():
            kept: dict[str, dict[str, Any]] = json.loads(self._file.read_text())
            self.runs = {name: Run(**each) for name, each in kept.items()}

    def keep(self, name: str, figures: Figures, seen: Watched, environments: tuple[str, ...]) -> None:
        """Writes one run down, in the place of an earlier one."""
        self.runs[name] = Run(
            figures=figures,
            when=time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
            commit=_commit(),
            machine=machine(),
            seconds=round(seen.seconds, 1),
            others=round(seen.others, 3),
            versions={each: environment(each).versions() for each in environments},
        )
        kept = {name: run._asdict() for name, run in self.runs.items()}
        self._file.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def _commit() -> str:
    """Of the checkout, or nothing where there is none."""
    commands = (["git", "rev-parse", "--short", "HEAD"], ["git", "status", "--porcelain", "--", "otel_humanloop"])
    try:
        said = [
            subprocess.run(each, cwd=PROJECT, capture_output=True, text=True, check=True).stdout for each in commands
        ]
    except (OSError, subprocess.CalledProcessError):
        return ""
    return said[0].strip() + ("+" if said[1].strip() else "")

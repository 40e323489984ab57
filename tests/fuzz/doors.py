"""Every door through which something comes that we did not write, as a function of bytes that must not raise.

What a door says of bad input is its own error; anything else is a finding. `test_doors.py` tries them for a moment, and

    make fuzz ARGS="[DOOR...] [--seconds N] [--mutants]"

for as long as one likes: with atheris, where that is installed (coverage tells it where to go on), or else by mutation
of the corpus alone. A finding is written to `tests/fuzz/findings/DOOR-<hash>`, and is tried by the tests from then on.
"""

from __future__ import annotations

import re
from pathlib import Path

from fuzz import file_doors, network_doors, span_doors
from fuzz.mutants import FINDINGS, Door

DOORS: dict[str, Door] = {**span_doors.DOORS, **network_doors.DOORS, **file_doors.DOORS}


def door_of(path: Path) -> str:
    """The door a finding is named after; libFuzzer puts a word of its own before the hash: `v4-crash-1a2b...`."""
    return re.sub(r"(-(crash|timeout|oom|slow-unit|leak))?-[0-9a-f]+$", "", path.name)


def found(name: str) -> list[bytes]:
    """What was found at that door before."""
    return [path.read_bytes() for path in sorted(FINDINGS.glob(f"{name}-*")) if door_of(path) == name]


def corpus(name: str) -> list[bytes]:
    """What that door is known to be entered with, and what was found there."""
    return [*found(name), *DOORS[name].seeds()]

"""The clock of the machine is set, by hours and by years and back, while spans are open: nothing comes of it."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hostile.backends import backend
from humanloop import Humanloop

PROGRAM = Path(__file__).parent / "clocks.py"
SOURCE = Path(__file__).parent / "clock.c"
SPANS = 24


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What a program did: how it ended, its output, and the seconds of work it made."""

    code: int
    out: str
    err: str
    work: float


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What gives a program a clock of its own; skips where nothing can compile it."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs Linux and a C compiler")
    library = tmp_path_factory.mktemp("clock") / "clock.so"
    command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True, timeout=60)
    return library


def run(library: Path, folder: Path, *, traced: bool = True, **variables: str) -> Ran:
    clock = folder / "clock"
    clock.write_bytes(bytes(8))
    environ = {
        **os.environ,
        "LD_PRELOAD": str(library),
        "CLOCK": str(clock),
        "TRACED": "yes" if traced else "no",
        "HUMANLOOP_DELAY": "0.05",
        "HUMANLOOP_SHUTDOWN_TIMEOUT": "20",
        "NO_PROXY": "*",
        **variables,
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, str(PROGRAM), str(SPANS)]
    program = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Ran(
        code=program.returncode,
        out=program.stdout,
        err=program.stderr,
        work=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    )


def delivered(humanloop: Humanloop) -> list[dict[str, Any]]:
    return [log for body in humanloop.posts() for log in body]


@pytest.mark.parametrize(
    ("refused", "spool"),
    [
        (1, "memory:"),
        pytest.param(0, "memory:", marks=pytest.mark.slow),
        pytest.param(1, "sqlite:///{folder}/spool.db", marks=pytest.mark.slow),
    ],
)
def test_every_span_is_delivered_once_and_lasts_no_less_than_nothing(
    library: Path, spool: str, refused: int, humanloop: Humanloop, tmp_path: Path
) -> None:
    humanloop.answers = [503] * refused
    ran = run(library, tmp_path, HUMANLOOP_BASE_URL=humanloop.base_url, HUMANLOOP_SPOOL=spool.format(folder=tmp_path))
    assert (ran.code, ran.out) == (3, f"result {SPANS}\n")
    assert "could not be delivered" not in ran.err
    logs = {log["reference_id"]: log for log in delivered(humanloop)}
    assert len(logs) == SPANS + 1
    assert len(delivered(humanloop)) == len(logs) + refused, (
        "what was answered with 503 is sent again, and nothing else"
    )
    assert all(log["duration"] >= 0 for log in logs.values())
    assert len(humanloop.logs(humanloop.session())) == SPANS + 1


@pytest.mark.slow
def test_a_clock_that_is_set_makes_no_work_and_costs_no_more_than_the_deadline(library: Path, tmp_path: Path) -> None:
    alone = run(library, tmp_path, traced=False)
    with backend("black hole") as base_url:
        ran = run(library, tmp_path, HUMANLOOP_BASE_URL=base_url, HUMANLOOP_SHUTDOWN_TIMEOUT="2")
    assert (ran.code, ran.out) == (alone.code, alone.out) == (3, f"result {SPANS}\n")
    assert f"{SPANS + 1} spans could not be delivered" in ran.err
    assert "Traceback" not in ran.err
    assert ran.work < alone.work + 1.5, "a thread that waits for a time that is past, or far away, spins"

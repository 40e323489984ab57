"""A program is what it was without us, whatever the backend does and however the program ends."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hostile.backends import EVERY, backend
from humanloop import Humanloop

PROGRAM = Path(__file__).parent / "program.py"
SPANS = 100
DEADLINE = 0.5
MARGIN = 2.0  # seconds the machine may take for what is ours
MARGIN_OF_PROGRAMS = 20.0  # seconds: busy cores start and end a program slowly

ENDINGS = {
    "return": 0,
    "exit": 3,
    "raise": 1,
    "interrupt": -2,
    "terminated": -15,
    "terminated politely": 4,
    "fails at exit": 0,
    "traces at exit": 0,
    "at once": 5,
    "killed when kept": -9,
}


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What a program did: its output, how it ended, how long it took, and what was told of its spans."""

    code: int
    out: str
    err: str
    seconds: float
    told: dict[str, Any] | None


def run(folder: Path, *, work: str = "plainly", ending: str = "exit", traced: bool = True, **variables: str) -> Ran:
    counts = folder / f"counts-{traced}.json"
    environ = {
        **os.environ,
        "TRACED": "yes" if traced else "no",
        "HUMANLOOP_SHUTDOWN_TIMEOUT": str(DEADLINE),
        "HUMANLOOP_TIMEOUT": "1",
        "HUMANLOOP_DELAY": "0.1",
        "NO_PROXY": "*",
        **variables,
    }
    began = time.monotonic()
    program = subprocess.run(
        [sys.executable, str(PROGRAM), work, ending, str(counts)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ran(
        code=program.returncode,
        out=program.stdout,
        err=program.stderr,
        seconds=time.monotonic() - began,
        told=json.loads(counts.read_text()) if counts.exists() else None,
    )


@functools.cache
def without_us(work: str = "plainly", ending: str = "exit") -> Ran:
    """The same program without a line of ours."""
    with tempfile.TemporaryDirectory() as folder:
        return run(Path(folder), work=work, ending=ending, traced=False)


def assert_unharmed(ran: Ran, alone: Ran) -> None:
    """The program's result, exit code and own messages are those it has without us, and it ends in time."""
    assert (ran.code, ran.out) == (alone.code, alone.out)
    assert ran.err.count("Traceback") == alone.err.count("Traceback")
    assert ran.err.count("Exception ignored") == alone.err.count("Exception ignored")
    assert ran.seconds < alone.seconds + DEADLINE + MARGIN_OF_PROGRAMS
    if ran.told is not None:
        assert ran.told.pop("ending") < DEADLINE + MARGIN


@pytest.mark.slow  # tests/test_application.py has the dead and the silent ones in the default run
@pytest.mark.parametrize("kind", EVERY)
def test_a_bad_backend_costs_the_program_its_deadline_and_its_spans_are_counted(kind: str, tmp_path: Path) -> None:
    alone = without_us()
    with backend(kind) as base_url:
        ran = run(tmp_path, HUMANLOOP_BASE_URL=base_url)
    assert_unharmed(ran, alone)
    assert ran.out == "result 100\n"
    assert ran.told is not None
    assert ran.told.pop("longest") < 0.5, "ending a span must not wait for the network"
    assert sum(ran.told.values()) == SPANS, "every span is exported or lost, with the reason"
    assert "" not in ran.told
    said = Counter(line[:30] for line in ran.err.splitlines() if line.strip())
    assert max(said.values()) == 1, "each cause is told once a minute"
    assert len(said) <= 8


def mostly_slow(every: Iterable[str], *, but: Collection[str]) -> list[Any]:
    """All of them, of which only some are in the default run: each starts two programs."""
    return [each if each in but else pytest.param(each, marks=pytest.mark.slow) for each in every]


@pytest.mark.parametrize(
    "ending",
    mostly_slow([each for each in ENDINGS if "kept" not in each], but=("exit", "interrupt", "terminated")),
)
def test_a_program_ends_as_it_would_without_us(ending: str, tmp_path: Path) -> None:
    alone = without_us(ending=ending)
    assert alone.code == ENDINGS[ending]
    with backend("black hole") as base_url:
        ran = run(tmp_path, ending=ending, HUMANLOOP_BASE_URL=base_url)
    assert_unharmed(ran, alone)


@pytest.mark.parametrize("work", mostly_slow(["threads", "asyncio"], but=["threads"]))
def test_threads_and_coroutines_are_not_held_up_either(work: str, tmp_path: Path) -> None:
    alone = without_us(work=work)
    with backend("black hole") as base_url:
        ran = run(tmp_path, work=work, HUMANLOOP_BASE_URL=base_url)
    assert_unharmed(ran, alone)
    assert ran.told is not None
    assert ran.told["shutdown"] == SPANS


@pytest.mark.parametrize(
    "ending", mostly_slow(["terminated", "at once", "interrupt", "killed when kept"], but=["killed when kept"])
)
def test_what_a_durable_spool_has_kept_is_delivered_by_the_next_process(
    ending: str, tmp_path: Path, humanloop: Humanloop
) -> None:
    spool = f"sqlite:///{tmp_path}/spool.db"
    with backend("fails") as base_url:
        ran = run(tmp_path, ending=ending, HUMANLOOP_BASE_URL=base_url, HUMANLOOP_SPOOL=spool, HUMANLOOP_DELAY="0")
    assert ran.code == ENDINGS[ending]
    with contextlib.closing(sqlite3.connect(tmp_path / "spool.db")) as database:
        (kept,) = database.execute("SELECT spans FROM depth").fetchone()
    if ending in ("interrupt", "killed when kept"):
        assert kept == SPANS
    patient = {"HUMANLOOP_SHUTDOWN_TIMEOUT": "30", "HUMANLOOP_TIMEOUT": "30"}  # a busy machine has time, too
    following = run(tmp_path, ending="exit", HUMANLOOP_BASE_URL=humanloop.base_url, HUMANLOOP_SPOOL=spool, **patient)
    assert following.code == ENDINGS["exit"]
    sent = [log["reference_id"] for body in humanloop.posts() for log in body]
    assert len(sent) == len(set(sent)) == kept + SPANS


@pytest.mark.slow
def test_what_a_wrong_key_left_in_a_durable_spool_is_delivered_with_the_right_one(
    tmp_path: Path, humanloop: Humanloop
) -> None:
    spool = f"sqlite:///{tmp_path}/spool.db"
    with backend("unauthorized") as base_url:
        ran = run(tmp_path, HUMANLOOP_BASE_URL=base_url, HUMANLOOP_SPOOL=spool)
    assert_unharmed(ran, without_us())
    assert "HUMANLOOP_API_KEY" in ran.err
    following = run(tmp_path, HUMANLOOP_BASE_URL=humanloop.base_url, HUMANLOOP_SPOOL=spool, HUMANLOOP_TIMEOUT="30")
    assert following.code == ENDINGS["exit"]
    sent = [log["reference_id"] for body in humanloop.posts() for log in body]
    assert len(sent) == len(set(sent)) == 2 * SPANS


def test_a_disk_that_is_full_costs_spans_and_nothing_else(tmp_path: Path) -> None:
    alone = without_us()
    limited = (
        "import resource, runpy, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    with backend("dead") as base_url:
        environ = {
            **os.environ,
            "TRACED": "yes",
            "SAID": "10000",  # together more than fits
            "HUMANLOOP_BASE_URL": base_url,
            "HUMANLOOP_SPOOL": f"sqlite:///{tmp_path}/spool.db",
            "HUMANLOOP_SHUTDOWN_TIMEOUT": "1",
        }
        counts = tmp_path / "counts.json"
        program = subprocess.run(
            [sys.executable, "-c", limited, str(PROGRAM), "plainly", "exit", str(counts)],
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (program.returncode, program.stdout) == (alone.code, alone.out)
    assert "Traceback" not in program.stderr
    assert program.stderr.count("the spool is full") == 1
    told = json.loads(counts.read_text())
    assert 0 < told["full"] < SPANS, "those are kept that there is room for"

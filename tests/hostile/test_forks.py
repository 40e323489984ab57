"""Child processes, however they come about and end: each sends its own spans, once, and not its parent's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hostile.backends import backend
from humanloop import Humanloop

from otel_humanloop.delivery.spools import open_spool

PROGRAM = Path(__file__).parent / "forking.py"
TASKS = 3

KINDS = [
    "fork",
    "spawn",
    "forkserver",
    "pool",
    "executor",
    "pre-fork",
    "fork without hooks",
    "generations",
]

pytestmark = [
    pytest.mark.slow,  # a program for each way to fork; tests/test_application.py has one in the default run
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork"),
]


def run(kind: str, base_url: str, spool: str, *, deadline: float = 20) -> subprocess.CompletedProcess[str]:
    environ = {
        **os.environ,
        "HUMANLOOP_BASE_URL": base_url,
        "HUMANLOOP_SPOOL": spool,
        "HUMANLOOP_SHUTDOWN_TIMEOUT": str(deadline),
        "HUMANLOOP_DELAY": "60",
        "NO_PROXY": "*",
    }
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(PROGRAM), kind]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)


WITH_A_FILE = ["pool", "pre-fork", "generations"]


@pytest.mark.parametrize(
    ("kind", "where"), [*((kind, "memory") for kind in KINDS), *((kind, "file") for kind in WITH_A_FILE)]
)
def test_every_child_sends_what_is_its_own(kind: str, where: str, humanloop: Humanloop, tmp_path: Path) -> None:
    spool = "memory:" if where == "memory" else f"sqlite:///{tmp_path}/spool.db"
    program = run(kind, humanloop.base_url, spool)
    assert (program.returncode, program.stderr) == (0, "")
    sent = [log["config"]["model"] for body in humanloop.posts() for log in body]
    parents = [] if kind in ("spawn", "forkserver") else ["task-1000"]
    assert sorted(sent) == sorted([*(f"task-{number}" for number in range(TASKS)), *parents])
    if where == "file":
        reopened = open_spool(spool, max_spans=1000, max_bytes=1 << 20)
        assert list(reopened.waiting()) == [], "no child leaves a span behind"
        reopened.close()


def test_children_that_cannot_send_leave_their_spans_to_the_next_process(humanloop: Humanloop, tmp_path: Path) -> None:
    spool = f"sqlite:///{tmp_path}/spool.db"
    with backend("dead") as base_url:
        assert run("pool", base_url, spool, deadline=0).returncode == 0
    assert run("pre-fork", humanloop.base_url, spool).returncode == 0
    sent = [log["config"]["model"] for body in humanloop.posts() for log in body]
    assert sorted(sent) == sorted(["task-1000", *(f"task-{number}" for number in range(TASKS))] * 2)

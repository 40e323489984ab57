"""Servers that fork: real ones, whose workers come and go and end in ways of their own; nothing of theirs is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from humanloop import Humanloop

from otel_humanloop.delivery.spools import open_spool

pytestmark = pytest.mark.instrumentation

SPOOLS = ["memory:", "sqlite:///{folder}/spool.db"]


def models(humanloop: Humanloop) -> list[str]:
    return sorted(log["config"]["model"] for body in humanloop.posts() for log in body)


def nothing_waits(spool: str) -> bool:
    if spool == "memory:":
        return True
    opened = open_spool(spool, max_spans=1000, max_bytes=1 << 20)
    waiting = list(opened.waiting())
    opened.close()
    return waiting == []


@pytest.mark.parametrize("spool", SPOOLS)
def test_celery_whose_processes_end_after_two_tasks(spool: str, humanloop: Humanloop, run: Any, tmp_path: Path) -> None:
    url = spool.format(folder=tmp_path)
    # With such a delay nothing is sent but by the last word of each process.
    run("celery_pool.py", "celery", HUMANLOOP_DELAY="60", HUMANLOOP_SHUTDOWN_TIMEOUT="20", HUMANLOOP_SPOOL=url)
    assert models(humanloop) == sorted(f"task-{number}" for number in range(9))
    assert nothing_waits(url)


@pytest.mark.parametrize("spool", SPOOLS)
def test_gunicorn_whose_workers_end_after_three_requests(
    spool: str, humanloop: Humanloop, run: Any, tmp_path: Path
) -> None:
    url = spool.format(folder=tmp_path)
    run("gunicorn_workers.py", "gunicorn", HUMANLOOP_DELAY="60", HUMANLOOP_SHUTDOWN_TIMEOUT="20", HUMANLOOP_SPOOL=url)
    assert models(humanloop) == sorted(f"request-{number}" for number in range(12))
    assert nothing_waits(url)

"""What is kept on a disk is for whoever keeps it, whatever the machine is set to."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from otel_humanloop.delivery.size import size_of
from otel_humanloop.delivery.spools import open_spool
from otel_humanloop.server.store import open_store
from otel_humanloop.spans import Span


@pytest.fixture
def generous() -> Iterator[None]:
    """A machine on which files may be read by all, unless their maker says otherwise."""
    before = os.umask(0o000)
    yield
    os.umask(before)


def readable_by_others(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]


@pytest.mark.usefixtures("generous")
def test_a_spool_with_its_side_files(tmp_path: Path) -> None:
    spool = open_spool(f"sqlite:///{tmp_path}/spool.db", max_spans=10, max_bytes=1 << 20)
    span = Span(trace_id="1" * 32, span_id="2" * 16)
    spool.keep(span, size_of(span))
    names = {path.name for path in tmp_path.iterdir()}
    assert {"spool.db", "spool.db-wal"} <= names
    assert [name for name in readable_by_others(tmp_path) if "-owner-" not in name] == []
    spool.close()


@pytest.mark.usefixtures("generous")
def test_a_servers_database_with_its_side_files(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/humanloop.db"):
        assert {"humanloop.db", "humanloop.db-wal"} <= {path.name for path in tmp_path.iterdir()}
        assert readable_by_others(tmp_path) == []
    assert readable_by_others(tmp_path) == []

"""A process is present as long as it holds its sign."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from otel_humanloop.delivery.presence import Presence, is_present


def test_presence_ends_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "here"
    assert not is_present(path)
    holder = Presence(path)
    assert is_present(path)
    with pytest.raises(sqlite3.OperationalError):
        Presence(path)
    holder.close()
    assert not is_present(path)
    assert not path.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_does_not_end_its_parents_presence(tmp_path: Path) -> None:
    path = tmp_path / "here"
    holder = Presence(path)
    child = os.fork()
    if child == 0:
        try:
            holder.close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert is_present(path)
    holder.close()

"""Fixtures every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import humanloop as humanloops
import pytest


@pytest.fixture
def humanloop() -> Iterator[humanloops.Humanloop]:
    """A Humanloop of the test's own, which holds everything it is sent to the published contract."""
    with humanloops.humanloop() as server:
        yield server

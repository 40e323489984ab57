"""A bridge of the test's own, between a Humanloop of the test's own and whoever sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from humanloop import Humanloop

from otel_humanloop.bridge import addresses, service
from otel_humanloop.settings import load

Bridges = Callable[..., AbstractContextManager[service.RunningBridge]]

BOTH = ("http://127.0.0.1:0", "grpc://127.0.0.1:0")


@pytest.fixture
def bridges(humanloop: Humanloop, tmp_path: Path) -> Bridges:
    """Starts bridges to `humanloop`, one after the other on one spool."""

    @contextmanager
    def running(*receive: str, tokens: tuple[str, ...] = (), **settings: Any) -> Iterator[service.RunningBridge]:
        given = {
            "base_url": humanloop.base_url,
            "spool": f"sqlite:///{tmp_path}/spool.db",
            "delay": 0.02,
            "hold": 0.3,
            **settings,
        }
        receivers = [addresses.parse(url) for url in receive or BOTH]
        with service.running(load(given, {}), receivers, tokens=tokens) as bridge:
            yield bridge

    return running


@pytest.fixture
def bridge(bridges: Bridges) -> Iterator[service.RunningBridge]:
    """One that listens for HTTP and gRPC."""
    with bridges() as running:
        yield running

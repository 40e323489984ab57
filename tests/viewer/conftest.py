"""An empty server for each test, and its pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support_server import Api

from otel_humanloop.server.app import create_app
from otel_humanloop.server.store import Store, open_store


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store("sqlite://") as store:
        yield store


@pytest.fixture
def api(store: Store) -> Api:
    return Api(create_app(store))

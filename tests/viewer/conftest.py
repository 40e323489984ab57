"""An empty server for each test, and its pages: on SQLite, and in the tier `postgres` on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import postgres
import pytest
from sqlalchemy import text
from support_server import Api

from otel_humanloop.server.app import create_app
from otel_humanloop.server.store import Store, open_store
from otel_humanloop.server.store.schema import metadata


@pytest.fixture(scope="session")
def viewed_url() -> Iterator[str]:
    """A database of PostgreSQL's, emptied for each test; skips where there is none."""
    if not postgres.available():
        pytest.skip(f"needs PostgreSQL: apt install postgresql, or set {postgres.ELSEWHERE}")
    with postgres.cluster() as server, postgres.database(server, "viewed") as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "sqlite":
        with open_store("sqlite://") as store:
            yield store
        return
    with open_store(request.getfixturevalue("viewed_url")) as store:
        tables = ", ".join([*(table.name for table in metadata.sorted_tables), "log_words"])
        store.write(lambda tx: tx.execute(text(f"TRUNCATE {tables}")))
        yield store


@pytest.fixture
def api(store: Store) -> Api:
    return Api(create_app(store))

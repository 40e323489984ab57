"""An empty server for each test: on SQLite, and in the tier `postgres` the same tests on PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import postgres
import pytest
from sqlalchemy import Connection, text
from support_server import Api

from otel_humanloop.server.app import create_app
from otel_humanloop.server.store import Store, open_store
from otel_humanloop.server.store.schema import metadata

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL; skips where there is none."""
    if not postgres.available():
        pytest.skip(f"needs PostgreSQL: apt install postgresql, or set {postgres.ELSEWHERE}")
    with postgres.cluster() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty database of PostgreSQL's."""
    with postgres.database(postgres_server, f"humanloop_{next(_numbers)}") as url:
        yield url


@pytest.fixture(scope="session")
def kept_url(postgres_server: str) -> Iterator[str]:
    """A database that is emptied for each test, which is quicker than to make one."""
    with postgres.database(postgres_server, "humanloop") as url:
        yield url


def _emptied(store: Store) -> None:
    def work(tx: Connection) -> None:
        tables = [*(table.name for table in metadata.sorted_tables), "log_words"]
        tx.execute(text(f"TRUNCATE {', '.join(tables)}"))

    store.write(work)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "sqlite":
        with open_store("sqlite://") as store:
            yield store
        return
    with open_store(request.getfixturevalue("kept_url")) as store:
        _emptied(store)
        yield store


@pytest.fixture
def api(store: Store) -> Api:
    return Api(create_app(store))

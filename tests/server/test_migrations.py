"""A database that an earlier version kept is brought up to date, with everything in it.

`data/schema-NNNN.sql` is what the version with that schema wrote. A released one is never changed.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Boolean, Connection, MetaData, create_engine, insert, make_url, text
from support_server import Api

from otel_humanloop.server import store
from otel_humanloop.server.app import create_app
from otel_humanloop.server.store import open_store

OLD = sorted((Path(__file__).parent / "data").glob("schema-*.sql"))


MIGRATIONS = Path(store.__file__).parent / "migrations"


@pytest.fixture(params=OLD, ids=[path.stem for path in OLD])
def old_sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as database:
        database.executescript(request.param.read_text(encoding="utf-8"))
    database.close()
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def old(request: pytest.FixtureRequest, old_sqlite: str) -> str:
    """An old database; on PostgreSQL its rows stand in the tables that the migrations of its time make."""
    if request.param == "sqlite":
        return old_sqlite
    url = str(request.getfixturevalue("postgres_url"))
    there = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with create_engine(old_sqlite).begin() as here, there.begin() as tx:
        _migrated(tx, here.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
        metadata = MetaData()
        metadata.reflect(tx)
        for table in metadata.sorted_tables:
            rows = here.execute(text(f"SELECT * FROM {table.name}")).mappings().all()
            if rows and table.name != "alembic_version":
                flags = [column.name for column in table.columns if isinstance(column.type, Boolean)]
                tx.execute(insert(table), [{**row, **{name: bool(row[name]) for name in flags}} for row in rows])
    there.dispose()
    return url


def _migrated(tx: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = tx
    command.upgrade(config, revision)


def test_an_old_database_is_brought_up_to_date(old: str) -> None:
    with open_store(old) as opened:
        api = Api(create_app(opened))
        projects = {project["name"]: project for project in api.ask("GET", "projects")["records"]}
        assert {name: project["data_count"] for name, project in projects.items()} == {
            "shop": 2,
            "other": 1,
            "tools": 1,
        }
        shop = {"project_id": projects["shop"]["id"]}
        (session,) = api.ask("GET", "sessions", params=shop)["records"]
        assert (session["datapoints_count"], session["last_output"]) == (2, "Sweden")
        counted = [log for log in api.logs(session["reference_id"]) if "tokens" in log]
        assert session.get("prompt_tokens") == (sum(log["prompt_tokens"] for log in counted) if counted else None)
        root, tool = api.logs(session["reference_id"])
        assert tool["parent_id"] == root["id"]
        assert "feedback" not in root
        assert api.ask("GET", "logs", params={**shop, "search": "eurovision"})["total"] == 2
        assert api.ask("GET", "logs", params={**shop, "metadata_search": "année"})["total"] == 0
        assert api.ask("GET", "logs", params={**shop, "metadata_search": "anné"})["total"] == 1
        assert api.ask("GET", "logs", params={**shop, "model_filter": "gpt-4"})["records"] == [root]
        assert api.ask("GET", "logs", params={**shop, "version_status": "committed"})["records"] == [root]
        assert api.ask("POST", "feedback", json={"type": "rating", "value": "good", "data_id": root["id"]})


def test_it_is_brought_up_to_date_once(old: str) -> None:
    for _ in range(2):
        with open_store(old) as opened:
            assert Api(create_app(opened)).log(project="shop")["project_id"]


def test_there_is_one_of_every_released_schema() -> None:
    assert [path.stem for path in OLD] == ["schema-0001"]

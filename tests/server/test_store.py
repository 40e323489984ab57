"""What every store promises. One suite, run on each kind of database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, func, insert, select, text

from otel_humanloop.errors import SettingsError
from otel_humanloop.server.failures import NotFound, RequestFailed
from otel_humanloop.server.store import Store, migrate, open_store
from otel_humanloop.server.store.schema import metadata, projects

KEEPERS = {"file": "sqlite:///{path}", "not kept": "sqlite://"}


@pytest.fixture(params=[*KEEPERS, pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return KEEPERS[request.param].format(path=tmp_path / "humanloop.db")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that outlives who has it open, and that several may."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'kept.db'}"


def adding(name: str) -> Callable[[Connection], str]:
    def work(tx: Connection) -> str:
        key = tx.execute(select(func.coalesce(func.max(projects.c.key), 0) + 1)).scalar_one()
        row = {"key": key, "id": f"pr_{name}", "name": name, "logs": 0, "created_at": 0, "updated_at": 0}
        tx.execute(insert(projects), row)
        return name

    return work


def names(tx: Connection) -> set[str]:
    return set(tx.execute(select(projects.c.name)).scalars())


def test_what_is_written_is_read(url: str) -> None:
    with open_store(url) as store:
        assert store.read(names) == set()
        assert store.write(adding("a")) == "a"
        assert store.read(names) == {"a"}


def test_a_write_that_fails_keeps_nothing_and_harms_no_other(url: str) -> None:
    failing = threading.Barrier(3)

    def fails(tx: Connection) -> None:
        adding("half")(tx)
        raise NotFound("anything", "x")

    def breaks(tx: Connection) -> None:
        adding("half")(tx)
        tx.execute(text("INSERT INTO nothing VALUES (1)"))

    with open_store(url) as store, ThreadPoolExecutor(30) as pool:
        blocked = threading.Event()
        first = pool.submit(store.write, lambda _: blocked.wait(10))  # what comes now is committed together
        done = [pool.submit(store.write, adding(str(n))) for n in range(10)]
        bad = [pool.submit(store.write, work) for work in (fails, breaks, fails)]
        more = [pool.submit(store.write, adding(str(n))) for n in range(10, 20)]
        blocked.set()
        assert first.result() is True
        no_table = "OperationalError" if url.startswith("sqlite") else "ProgrammingError"
        assert [future.result() for future in (*done, *more)] == [str(n) for n in range(20)]
        assert [type(future.exception()).__name__ for future in bad] == ["NotFound", no_table, "NotFound"]
        assert store.read(names) == {str(n) for n in range(20)}
    assert failing.n_waiting == 0


def test_readers_do_not_wait_for_the_writer_and_see_what_is_committed(url: str) -> None:
    writing, go_on = threading.Event(), threading.Event()

    def slow(tx: Connection) -> None:
        adding("slow")(tx)
        writing.set()
        assert go_on.wait(10)

    with open_store(url) as store, ThreadPoolExecutor(1) as pool:
        store.write(adding("before"))
        pending = pool.submit(store.write, slow)
        assert writing.wait(10)
        assert store.read(names) == {"before"}
        go_on.set()
        pending.result()
        assert store.read(names) == {"before", "slow"}


def test_readers_cannot_write(url: str) -> None:
    with open_store(url) as store:
        with pytest.raises(Exception, match=r"(?i)read.?only"):
            store.read(adding("a"))
        assert store.read(names) == set()


def test_writes_that_come_together_are_committed_together(url: str) -> None:
    with open_store(url) as store, ThreadPoolExecutor(50) as pool:
        blocked = threading.Event()
        first = pool.submit(store.write, lambda _: blocked.wait(10))
        seen = [pool.submit(store.write, lambda tx, n=n: (adding(str(n))(tx), len(names(tx)))[1]) for n in range(40)]
        committed = len(store.read(names))
        blocked.set()
        first.result()
        assert sorted(future.result() for future in seen) == list(range(1, 41))
        assert committed == 0


def test_closing_finishes_what_was_handed_in_and_takes_nothing_more(url: str) -> None:
    store = open_store(url)
    with ThreadPoolExecutor(20) as pool:
        pending = [pool.submit(store.write, adding(str(n))) for n in range(20)]
        assert {future.result() for future in pending} == {str(n) for n in range(20)}
    store.close()
    store.close()
    with pytest.raises(RequestFailed) as refused:
        store.write(adding("late"))
    assert refused.value.status == 503


def test_what_is_kept_is_found_again(shared: str) -> None:
    with open_store(shared) as store:
        store.write(adding("a"))
    with open_store(shared) as store:
        assert store.read(names) == {"a"}


def test_a_store_that_is_not_kept_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with open_store("sqlite://") as store:
        store.write(adding("a"))
        assert list(tmp_path.rglob("*.db"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["mysql://host/db", "humanloop.db", "sqlite:////no/such/folder/x.db", "sqlite:nonsense"]
)
def test_an_address_that_cannot_be_is_said(url: str) -> None:
    with pytest.raises(SettingsError, match="the database"):
        open_store(url)


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be looked at as one")
    with pytest.raises(SettingsError, match="not a database"):
        open_store(f"sqlite:///{path}")


def _is_a_plain_table(name: str | None, kind: str, _: object) -> bool:
    """The index of words is each database's own, and no part of the common schema."""
    return kind != "table" or name is None or not name.startswith(("log_words", "log_facts"))


def test_the_migrations_make_the_schema(shared: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = create_engine(shared.replace("postgresql:", "postgresql+psycopg:"))
    migrate.migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _is_a_plain_table})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_newest_migration_is_the_one_a_store_looks_for() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.HEAD]


def test_several_open_a_new_database_at_once(shared: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        stores: list[Store] = list(pool.map(open_store, [shared] * 6))
    for number, store in enumerate(stores):
        store.write(adding(str(number)))
    assert stores[0].read(names) == {str(n) for n in range(6)}
    for store in stores:
        store.close()


def test_several_that_write_at_once_are_one_writer(shared: str) -> None:
    """Each write counts what is there and adds one: two that ran side by side would count the same."""

    def work(tx: Connection) -> int:
        count = len(names(tx))
        adding(str(count))(tx)
        return count

    stores = [open_store(shared) for _ in range(3)]
    with ThreadPoolExecutor(12) as pool:
        counts = list(pool.map(lambda number: stores[number % 3].write(work), range(60)))
    assert sorted(counts) == list(range(60))
    for store in stores:
        store.close()


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:9/none", "postgres://user:secret@127.0.0.1:9/none"])
def test_a_postgresql_that_is_not_there_is_said_without_the_password(url: str) -> None:
    with pytest.raises(SettingsError, match="cannot be opened") as refused:
        open_store(url)
    assert "secret" not in str(refused.value)

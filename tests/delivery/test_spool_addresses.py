"""Where a spool's file may be, and what is said of where it may not."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from otel_humanloop.delivery.spools import Spool, open_spool
from otel_humanloop.errors import SettingsError


def open_at(url: str) -> Spool:
    return open_spool(url, max_spans=1000, max_bytes=10**6)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/spool.db"


@pytest.mark.parametrize("url", ["sqlite:", "sqlite:spool.db", "sqlite://spool.db", "sqlite:///"])
def test_an_address_that_names_no_file_shows_how_one_is_written(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_at(url)
    assert f"HUMANLOOP_SPOOL is `{url}`" in caught.value.message
    assert "sqlite:////var/lib/spool.db" in str(caught.value.hint)


def test_a_directory_that_does_not_exist_is_said_with_the_way_to_write_an_absolute_path(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        open_at(f"sqlite:///{tmp_path}/missing/spool.db")
    assert str(tmp_path / "missing") in caught.value.message
    assert "four slashes" in str(caught.value.hint)


def test_a_file_that_is_no_spool_is_left_as_it_is(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("not a database, but long enough to look like one " * 100)
    before = other.read_bytes()
    with pytest.raises(SettingsError, match=r"notes\.txt cannot be used"):
        open_at(f"sqlite:///{other}")
    assert other.read_bytes() == before


def test_another_programs_database_is_left_as_it_is(url: str, tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE logs (id TEXT)")
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="is not a spool"):
        open_at(url)
    assert path.read_bytes() == before


def test_a_file_of_a_later_version_is_left_as_it_is(url: str, tmp_path: Path) -> None:
    open_at(url).close()
    with contextlib.closing(sqlite3.connect(tmp_path / "spool.db")) as database:
        database.execute("PRAGMA user_version = 7")
    with pytest.raises(SettingsError, match="its format is 7"):
        open_at(url)


def test_a_relative_path_has_three_slashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_at("sqlite:///spool.db").close()
    assert (tmp_path / "spool.db").exists()

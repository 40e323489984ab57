"""What one process writes down for the next, beside its spool."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from otel_humanloop.delivery.notes import Note, Notes
from otel_humanloop.errors import SpoolFull


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Notes]:
    with contextlib.closing(Notes(tmp_path / "spool.db")) as opened:
        yield opened


def note(number: int, content: bytes = b"x") -> Note:
    return Note(key=("t", str(number)), kind="known", content=content)


def record(number: int) -> Note:
    return Note(key=("t", str(number)), kind="record", content=b"r")


def test_the_next_process_finds_them_in_their_order(notes: Notes, tmp_path: Path) -> None:
    notes.promise([record(1), record(1)])
    notes.replace([note(2), note(3)], [("t", "2"), ("t", "3")])
    with contextlib.closing(Notes(tmp_path / "spool.db")) as later:
        assert later.all("known") == [note(2), note(3)]
        assert later.all("record") == [record(1), record(1)]


def test_replacing_forgets_all_else_of_these_spans(notes: Notes) -> None:
    notes.promise([record(1), record(2)])
    notes.replace([note(1, b"old")], [("t", "1")])
    notes.replace([note(1, b"new")], [("t", "1")])
    assert notes.all("known") == [note(1, b"new")]
    assert notes.all("record") == [record(2)]


def test_they_are_bounded_and_the_oldest_go_first(tmp_path: Path) -> None:
    with contextlib.closing(Notes(tmp_path / "spool.db", most=10, most_bytes=100)) as notes:
        for number in range(25):
            notes.replace([note(number)], [("t", str(number))])
        left = notes.all("known")
        assert 5 < len(left) <= 10
        assert left[-1] == note(24)
        notes.replace([note(30, bytes(60))], [])
        notes.replace([note(31, bytes(60))], [])
        assert notes.all("known") == [note(31, bytes(60))]


def test_those_of_an_hour_ago_are_of_no_use(notes: Notes, tmp_path: Path) -> None:
    notes.replace([note(1), note(2)], [])
    with contextlib.closing(sqlite3.connect(tmp_path / "spool.db")) as database, database:
        database.execute("UPDATE notes SET at = at - 4000 WHERE span_id = '1'")
    with contextlib.closing(Notes(tmp_path / "spool.db")) as later:
        assert later.all("known") == [note(2)]


def test_a_file_that_cannot_be_written_costs_the_notes_only_but_a_promise_is_not_made(
    notes: Notes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "spool.db")) as database:
        database.execute("DROP TABLE notes")
    notes.replace([note(1)], [])
    assert "cannot be written" in caplog.text
    with pytest.raises(SpoolFull):
        notes.promise([record(1)])

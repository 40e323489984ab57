"""What one process writes down for the next, beside its spool."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from otel_humanloop.delivery.file import SpoolFile
from otel_humanloop.delivery.notes import Notes
from otel_humanloop.errors import SpoolFull
from otel_humanloop.spans import SpanKey


@contextlib.contextmanager
def opened(folder: Path, **bounds: int) -> Iterator[Notes]:
    with contextlib.closing(SpoolFile(folder / "spool.db")) as file:
        yield Notes(file, **bounds)


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Notes]:
    with opened(tmp_path) as notes:
        yield notes


def key(number: int) -> SpanKey:
    return "t", str(number)


def test_the_next_process_finds_them_in_their_order(notes: Notes, tmp_path: Path) -> None:
    notes.promise([(key(1), b"r1"), (key(1), b"r2")])
    notes.settle(b"k2", [key(2)])
    notes.settle(b"k3", [key(3)])
    with opened(tmp_path) as later:
        assert later.known() == [b"k2", b"k3"]
        assert later.records() == [b"r1", b"r2"]


def test_log_records_of_a_span_that_was_let_go_are_forgotten(notes: Notes, tmp_path: Path) -> None:
    notes.promise([(key(1), b"r1"), (key(2), b"r2"), (key(3), b"r3")])
    notes.settle(b"k", [key(1)])
    assert notes.records() == [b"r2", b"r3"]
    with opened(tmp_path) as later:
        later.settle(b"", [key(2)])
        assert later.known() == [b"k"]
        assert later.records() == [b"r3"]


def test_they_are_bounded_and_the_oldest_go_first(tmp_path: Path) -> None:
    with opened(tmp_path, most=10, most_bytes=100) as notes:
        for number in range(25):
            notes.settle(bytes([number]), [key(number)])
        assert notes.known() == [bytes([number]) for number in range(15, 25)]
        notes.settle(bytes(60), [])
        notes.settle(b"x" * 60, [])
        assert notes.known() == [b"x" * 60]


def test_those_of_an_hour_ago_are_of_no_use(notes: Notes, tmp_path: Path) -> None:
    notes.settle(b"old", [key(1)])
    with contextlib.closing(sqlite3.connect(tmp_path / "spool.db")) as database, database:
        database.execute("UPDATE notes SET at = at - 4000")
    notes.settle(b"new", [key(2)])
    with opened(tmp_path) as later:
        assert later.known() == [b"new"]


def test_a_file_that_cannot_be_written_costs_the_notes_only_but_a_promise_is_not_made(
    notes: Notes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "spool.db")) as database:
        database.execute("DROP TABLE notes")
    notes.settle(b"k", [key(1)])
    assert "cannot be written" in caplog.text
    assert notes.known() == notes.records() == []
    with pytest.raises(SpoolFull):
        notes.promise([(key(1), b"r")])

"""What only a file can promise: it outlives its process, and processes share it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from otel_humanloop.delivery.packing import pack, unpack
from otel_humanloop.delivery.spools import Refusal, Spool, open_spool
from otel_humanloop.spans import Span

PRELUDE = """
import sys
from otel_humanloop.delivery.spools import Refusal, open_spool
from otel_humanloop.errors import SpoolFull
from otel_humanloop.spans import Span

def span(number, **fields):
    return Span(trace_id=f"{number:032x}", span_id=f"{number:016x}", **fields)

def say(*words):
    print(*words, flush=True)

spool = open_spool(sys.argv[1], max_spans=1000, max_bytes=10**6)
"""

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/spool.db"


@pytest.fixture
def start(url: str) -> Iterator[Start]:
    """Starts a Python process with `spool` open on the file, which goes on with the given program."""
    with contextlib.ExitStack() as stack:

        def start(program: str) -> subprocess.Popen[str]:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", PRELUDE + program, url],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            return process

        yield start


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def opened(url: str, *, max_spans: int = 1000, max_bytes: int = 10**6) -> Spool:
    return open_spool(url, max_spans=max_spans, max_bytes=max_bytes)


def span(number: int) -> Span:
    return Span(trace_id=f"{number:032x}", span_id=f"{number:016x}")


def numbers(spool: Spool) -> list[int]:
    return [int(span.span_id, 16) for span in spool.waiting()]


def test_what_was_kept_survives_kill_9_the_moment_after(url: str, start: Start) -> None:
    process = start(
        """
for number in range(10**6):
    spool.keep(span(number, attributes={"b": b"\\xff", "n": 2**80}), 10)
    if number >= 2:
        spool.release([(f"{number - 2:032x}", f"{number - 2:016x}")])
    say(number)
"""
    )
    last = -1
    while last < 50:
        last = int(line_of(process))
    process.kill()
    process.wait(10)
    assert process.stdout is not None
    said = [int(line) for line in process.stdout.read().split("\n")[:-1]]  # what it still said before it died
    last = said[-1] if said else last

    spool = opened(url)
    left = list(spool.waiting())
    found = [int(span.span_id, 16) for span in left]
    # It may have died between two statements: after a keep, or a release, that it had no time to speak of.
    assert found in ([last - 1, last], [last - 1, last, last + 1], [last, last + 1])
    assert left[0].attributes == {"b": b"\xff", "n": 2**80}
    assert spool.spans == len(found)
    assert list(spool.waiting()) == [], "a span is given once"
    spool.close()


def test_the_spans_of_a_living_process_are_left_to_it(url: str, start: Start) -> None:
    process = start("spool.keep(span(1), 10); say('kept'); sys.stdin.readline()")
    assert line_of(process) == "kept"
    spool = opened(url)
    assert numbers(spool) == []
    assert spool.spans == 1, "but they count against the bound, which is the file's"
    process.kill()
    process.wait(10)
    assert numbers(spool) == [1]
    spool.close()


def test_two_that_ask_at_once_get_each_span_once(start: Start) -> None:
    left = start("spool.keep_many([(span(n), 10) for n in range(100)]); say('kept'); sys.stdin.readline()")
    assert line_of(left) == "kept"
    program = (
        "say('ready'); sys.stdin.readline(); say(*(int(s.span_id, 16) for s in spool.waiting())); sys.stdin.readline()"
    )
    heirs = [start(program) for _ in range(3)]
    assert [line_of(heir) for heir in heirs] == ["ready"] * 3
    left.kill()
    left.wait(10)
    for heir in heirs:
        assert heir.stdin is not None
        heir.stdin.write("\n")
        heir.stdin.flush()
    assert sorted(int(word) for heir in heirs for word in line_of(heir).split()) == list(range(100))


def test_processes_that_start_together_on_a_new_file_share_it_and_its_bound(url: str, start: Start) -> None:
    program = """
kept = 0
try:
    for number in range(1000):
        spool.keep(span(number + 10_000 * int.from_bytes(__import__("os").urandom(4), "big")), 10)
        kept += 1
except SpoolFull:
    pass
say(kept)
sys.stdin.readline()
"""
    processes = [start(program) for _ in range(4)]
    kept = [int(line_of(process)) for process in processes]
    assert sum(kept) == 1000
    spool = opened(url)
    assert (spool.spans, spool.bytes) == (1000, 10_000)
    spool.close()


def test_closing_leaves_what_waits_to_the_next(url: str) -> None:
    first = opened(url)
    first.keep_many([(span(number), 10) for number in (3, 1, 2)])
    first.keep(span(3), 20)
    first.close()
    second = opened(url)
    assert numbers(second) == [1, 2, 3], "in the order they were last kept"
    assert (second.spans, second.bytes) == (3, 40)
    second.close()
    third = opened(url)
    assert numbers(third) == [1, 2, 3]
    third.close()


def test_a_span_that_two_kept_is_given_once(url: str) -> None:
    first, second, third = opened(url), opened(url), opened(url)
    first.keep_many([(span(1), 10), (span(2), 10)])
    second.keep(span(1), 10)
    assert second.spans == 3, "each has to deliver what it kept"
    first.close()
    assert numbers(third) == [1, 2]
    second.close()
    assert numbers(third) == []
    assert (third.spans, third.bytes) == (2, 20)
    third.close()


def test_what_was_refused_is_known_to_the_next(url: str) -> None:
    refusal = Refusal(reference_id="a", project="é", status=422, detail="no", body=b"{\xff}", at=1.25, method="PATCH")
    first = opened(url)
    first.refuse(refusal)
    first.close()
    second = opened(url)
    assert list(second.refused()) == [refusal]
    second.close()


def test_nothing_but_the_file_is_left_behind(url: str, tmp_path: Path, start: Start) -> None:
    process = start("spool.keep(span(1), 10); say('kept'); sys.stdin.readline()")
    line_of(process)
    process.kill()
    process.wait(10)
    spool = opened(url)
    assert numbers(spool) == [1]
    spool.close()
    assert [path.name for path in tmp_path.iterdir()] == ["spool.db"]


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_prompts_and_answers_on_the_disk_are_for_their_owner_only(url: str, tmp_path: Path) -> None:
    spool = opened(url)
    spool.keep(span(1), 10)
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("spool.db*") if "owner" not in path.name
    }
    assert set(modes) == {"spool.db", "spool.db-wal", "spool.db-shm"}
    assert set(modes.values()) == {0o600}
    spool.close()


def test_a_damaged_span_is_let_go_with_a_word_and_its_siblings_come_back(
    url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = opened(url)
    first.keep_many([(span(number), 10) for number in (1, 2, 3)])
    first.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "spool.db")) as database:
        ((parts, content),) = database.execute("SELECT parts, content FROM contents")
        packed = unpack(parts, content)
        pieces = [each for each in packed.content if isinstance(each, bytes)]
        pieces[1] = b"\xc1" * len(pieces[1])
        database.execute("UPDATE contents SET content = ?", pack(pieces, packed.sizes)[1:])
        database.commit()
    second = opened(url)
    assert numbers(second) == [1, 3]
    assert (second.spans, second.bytes) == (2, 20)
    assert "damaged" in caplog.text
    second.close()


@pytest.mark.parametrize(
    "damage",
    ["content = substr(content, 2)", "content = 'text'", "content = 7", "parts = x'c1'", "parts = x'90'"],
)
def test_what_was_kept_at_once_and_is_not_whole_is_let_go_with_a_word_and_the_rest_comes_back(
    url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    first = opened(url)
    first.keep_many([(span(1), 10), (span(2), 10)])
    first.keep_many([(span(3), 10), (span(4), 10)])
    first.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "spool.db")) as database:
        database.execute(f"UPDATE contents SET {damage} WHERE batch = 1")
        database.commit()
    second = opened(url)
    assert numbers(second) == [3, 4]
    assert (second.spans, second.bytes) == (2, 20)
    assert "damaged" in caplog.text
    second.close()


def test_spans_that_wait_for_long_keep_no_room_for_those_they_came_with(url: str, tmp_path: Path) -> None:
    def written() -> int:
        with contextlib.closing(sqlite3.connect(tmp_path / "spool.db")) as database:
            ((total,),) = database.execute("SELECT sum(length(content)) FROM contents")
        return int(total)

    size, batches, of_each = 100_000, 30, 10
    first = opened(url, max_bytes=1 << 30)
    for number in range(batches):
        which = range(number * of_each, (number + 1) * of_each)
        large = [msgspec.structs.replace(span(each), attributes={"said": f"{each}" + "x" * size}) for each in which]
        first.keep_many([(each, size) for each in large])
        first.release([(each.trace_id, each.span_id) for each in large[1:]])
    assert first.spans == batches
    assert written() < 2 * (16 << 20), "a batch is written anew without what was let go of it"
    first.release([(span(0).trace_id, span(0).span_id)])
    first.close()

    second = opened(url, max_bytes=1 << 30)
    left = list(second.waiting())
    assert [each.attributes["said"].rstrip("x") for each in left] == [str(n * of_each) for n in range(1, batches)]
    second.release([(each.trace_id, each.span_id) for each in left])
    assert (second.spans, second.bytes) == (0, 0)
    assert is_empty(tmp_path)
    second.close()


def is_empty(folder: Path) -> bool:
    with contextlib.closing(sqlite3.connect(folder / "spool.db")) as database:
        return not any(database.execute(f"SELECT 1 FROM {table}").fetchall() for table in ("batches", "contents"))


@pytest.mark.skipif(sys.platform != "linux", reason="limits a file's size as a full disk would")
def test_a_full_disk_is_a_full_spool_and_loses_nothing_kept_before(url: str, start: Start) -> None:
    process = start(
        """
import os, resource
spool.keep(span(0), 10)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
number = 1
try:
    while True:
        spool.keep(span(number, attributes={"long": "x" * 9000}), 10)
        number += 1
except SpoolFull as full:
    assert "cannot be written" in str(full), full
say(number, os.path.getsize(sys.argv[1].removeprefix("sqlite:///") + "-wal"))
try:
    spool.keep(span(0, attributes={"long": "x" * 9000}), 10)
except SpoolFull:
    say("still full")
resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))  # not even what is small fits now
spool.refuse(Refusal(reference_id="a", status=422, detail="no", body=b"x" * 9000, at=0.0))
spool.release([(f"{number:032x}", f"{number:016x}") for number in (0, 1)])
say(len(spool.refused()), spool.spans)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
spool.keep(span(1, attributes={"again": True}), 10)
spool.release([])
say(spool.spans)
"""
    )
    kept, written = (int(word) for word in line_of(process).split())
    assert 200_000 - written < written / kept, "there was no room for another one"
    assert line_of(process) == "still full"
    assert line_of(process) == f"0 {kept}", "neither is remembered while nothing can be written"
    assert int(line_of(process)) == kept - 1, (
        "what was delivered is let go as soon as it can be, but not what was kept anew"
    )
    process.wait(10)
    spool = opened(url)
    assert sorted(numbers(spool)) == list(range(1, kept))
    spool.close()

"""What a spool in a file keeps as it came, and beside the file."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToJson
from support_otlp import body
from support_otlp import request as wire_request
from support_otlp import span as wire_span

from otel_humanloop.delivery.large import LARGE, Folder
from otel_humanloop.delivery.size import size_of
from otel_humanloop.delivery.spools import Lot, Refusal, Spool, open_spool
from otel_humanloop.errors import SpoolFull
from otel_humanloop.spans import Span
from otel_humanloop.spans.otlp import JSON, PROTOBUF, decode

FORMAT_2 = Path(__file__).parent / "data/spool-2.sql"


def opened(folder: Path, *, max_spans: int = 1000, max_bytes: int = 1 << 30) -> Spool:
    return open_spool(f"sqlite:///{folder}/spool.db", max_spans=max_spans, max_bytes=max_bytes)


def request(*numbers: int, length: int = LARGE) -> bytes:
    """Spans of one trace, each with a text of that many characters."""
    return body(*(wire_span(1, number, attributes={"said": f"{number}" + "x" * length}) for number in numbers))


def lot(*requests: bytes, media_type: str = PROTOBUF) -> list[Lot]:
    return [
        Lot(entries=[(span, size_of(span)) for span in decode(each, media_type)], body=each, media_type=media_type)
        for each in requests
    ]


def files(folder: Path) -> list[Path]:
    return sorted((folder / "spool.db-large").glob("*"))


def numbers(spans: Sequence[Span]) -> list[int]:
    return [int(span.span_id, 16) for span in spans]


def keys(*numbers: int) -> list[tuple[str, str]]:
    return [(f"{1:032x}", f"{number:016x}") for number in numbers]


@contextlib.contextmanager
def database(folder: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(folder / "spool.db")) as connection:
        yield connection
        connection.commit()


@pytest.mark.parametrize("length", [10, LARGE])
def test_what_came_as_a_request_is_there_for_the_next_process_as_it_was_read(tmp_path: Path, length: int) -> None:
    came = request(1, 2, 3, length=length)
    (kept,) = lots = lot(came)
    first = opened(tmp_path)
    first.keep_lots(lots)
    first.release(keys(2))
    first.close()
    assert [path.read_bytes() for path in files(tmp_path)] == ([came] if length == LARGE else [])

    second = opened(tmp_path)
    left = list(second.waiting())
    assert left == [kept.entries[0][0], kept.entries[2][0]]
    assert second.bytes == kept.entries[0][1] + kept.entries[2][1]
    second.release(keys(1, 3))
    assert (second.spans, second.bytes) == (0, 0)
    second.close()
    assert [path.name for path in tmp_path.iterdir()] == ["spool.db"], "nothing but the file is left behind"


def test_a_request_in_json_likewise(tmp_path: Path) -> None:
    message = wire_request([wire_span(1, 2, attributes={"said": "é"})])
    came = MessageToJson(message).encode()
    (kept,) = lots = lot(came, media_type=JSON)
    first = opened(tmp_path)
    first.keep_lots(lots)
    first.close()
    second = opened(tmp_path)
    assert list(second.waiting()) == [kept.entries[0][0]]
    assert kept.entries[0][0].attributes == {"said": "é"}
    second.close()


def test_spans_that_did_not_come_as_they_are_have_a_file_too_where_they_are_large(tmp_path: Path) -> None:
    spans = [Span(trace_id="1" * 32, span_id=f"{n:016x}", attributes={"said": "\ud800" + "x" * LARGE}) for n in (1, 2)]
    first = opened(tmp_path)
    first.keep_many([(span, size_of(span)) for span in spans])
    first.close()
    assert len(files(tmp_path)) == 1
    second = opened(tmp_path)
    assert list(second.waiting()) == spans
    second.close()


def test_a_span_that_is_in_a_request_twice_is_kept_as_it_came_last(tmp_path: Path) -> None:
    twice = body(wire_span(1, 1, attributes={"said": "first"}), wire_span(1, 1, attributes={"said": "last"}))
    first = opened(tmp_path)
    first.keep_lots(lot(twice))
    assert first.spans == 1
    first.close()
    second = opened(tmp_path)
    assert [span.attributes for span in second.waiting()] == [{"said": "last"}]
    second.close()


def test_all_lots_are_kept_or_none(tmp_path: Path) -> None:
    spool = opened(tmp_path, max_spans=3)
    spool.keep_lots(lot(request(1)))
    with pytest.raises(SpoolFull, match="4 spans"):
        spool.keep_lots(lot(request(2), request(3, 4)))
    assert (spool.spans, len(files(tmp_path))) == (1, 1)
    spool.keep_lots(lot(request(1, 2), request(3)))  # one of them stands for what was kept before
    assert spool.spans == 3
    spool.close()
    assert len(files(tmp_path)) == 2


def test_prompts_and_answers_beside_the_file_are_for_their_owner_only(tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        spool = opened(tmp_path)
        spool.keep_lots(lot(request(1)))
    finally:
        os.umask(before)
    (path,) = files(tmp_path)
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path.parent, path)] == [0o700, 0o600]
    spool.close()


def test_what_a_killed_process_began_to_write_is_removed_and_nothing_else(tmp_path: Path) -> None:
    living = opened(tmp_path)
    living.keep_lots(lot(request(1)))
    folder = tmp_path / "spool.db-large"
    (folder / "whose-1").write_bytes(b"x")
    before = files(tmp_path)
    Folder(folder, "f" * 32).put(b"what nobody was told of that it is kept")
    assert len(files(tmp_path)) == len(before) + 1
    heir = opened(tmp_path)
    assert list(heir.waiting()) == []
    assert files(tmp_path) == before
    living.close()
    assert numbers(list(heir.waiting())) == [1]
    heir.close()


def test_what_has_no_file_any_longer_is_let_go_with_a_word_and_the_rest_comes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = opened(tmp_path)
    first.keep_lots(lot(request(1), request(2)))
    first.close()
    files(tmp_path)[0].unlink()
    second = opened(tmp_path)
    assert numbers(list(second.waiting())) == [2]
    assert second.spans == 1
    assert "damaged" in caplog.text
    second.close()


@pytest.mark.parametrize("damage", [b"", b"\xff\xff", request(1), request(1, 2, 3), request(1, 2)[:-1]])
def test_a_file_that_holds_something_else_is_let_go_with_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes
) -> None:
    first = opened(tmp_path)
    first.keep_lots(lot(request(1, 2)))
    first.close()
    files(tmp_path)[0].write_bytes(damage)
    second = opened(tmp_path)
    assert list(second.waiting()) == []
    assert (second.spans, second.bytes) == (0, 0)
    assert "damaged" in caplog.text
    second.close()


@pytest.mark.parametrize("name", ["'../outside'", "7", "x'00'"])
def test_a_damaged_name_leads_nowhere_else(tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    first = opened(tmp_path)
    first.keep_lots(lot(request(1)))
    first.close()
    shutil.copy(files(tmp_path)[0], tmp_path / "outside")
    with database(tmp_path) as connection:
        connection.execute(f"UPDATE files SET name = {name}")
    second = opened(tmp_path)
    assert list(second.waiting()) == []
    assert "damaged" in caplog.text
    assert (tmp_path / "outside").exists()
    second.close()


def test_spans_that_wait_for_long_keep_no_large_file_for_those_they_came_with(tmp_path: Path) -> None:
    batches, of_each, length = 12, 4, 1 << 19
    first = opened(tmp_path)
    for batch in range(batches):
        which = [batch * of_each + place + 1 for place in range(of_each)]
        first.keep_lots(lot(request(*which, length=length)))
        first.release(keys(*which[1:]))
    with database(tmp_path) as connection:
        ((in_files,),) = connection.execute("SELECT count(*) FROM files")
    assert in_files < batches, "a batch is written anew without what was let go of it"
    assert sum(path.stat().st_size for path in files(tmp_path)) < 3 * (16 << 20)
    first.close()
    second = opened(tmp_path)
    left = list(second.waiting())
    assert [span.attributes["said"].rstrip("x") for span in left] == [str(n * of_each + 1) for n in range(batches)]
    second.release([(span.trace_id, span.span_id) for span in left])
    assert (second.spans, second.bytes) == (0, 0)
    second.close()
    assert files(tmp_path) == []


def test_a_file_that_nothing_is_kept_in_is_written_again(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.keep_lots(lot(request(1, 2)))
    (path,) = files(tmp_path)
    long = path.stat().st_size
    first.release(keys(1, 2))
    (shorter,) = lots = lot(request(3))
    first.keep_lots(lots)
    assert files(tmp_path) == [path], "which is longer than what is in it now"
    assert path.stat().st_size == long
    first.keep_lots(lot(request(4)))
    assert len(files(tmp_path)) == 2
    first.close()
    second = opened(tmp_path)
    left = list(second.waiting())
    assert left[0] == shorter.entries[0][0]
    assert numbers(left) == [3, 4]
    second.close()


def test_files_nothing_is_kept_in_are_few(tmp_path: Path) -> None:
    which = range(1, 61)
    spool = opened(tmp_path)
    for number in which:
        spool.keep_lots(lot(request(number, length=1 << 20)))
    assert len(files(tmp_path)) == 60
    spool.release(keys(*which))
    assert sum(path.stat().st_size for path in files(tmp_path)) <= 32 << 20
    spool.close()
    assert files(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="limits a file's size as a full disk would")
def test_a_full_disk_is_a_full_spool_and_leaves_no_half(tmp_path: Path) -> None:
    code = f"""
import resource
from test_spool_large import *
folder = Path({str(tmp_path)!r})
spool = opened(folder)
spool.keep_lots(lot(request(1)))
resource.setrlimit(resource.RLIMIT_FSIZE, (LARGE * 2, resource.RLIM_INFINITY))
try:
    spool.keep_lots(lot(request(2), request(3, 4, 5)))
except SpoolFull as full:
    assert "cannot be written" in str(full), full
else:
    raise AssertionError("was kept")
assert spool.spans == 1
spool.close()
assert len(files(folder)) == 1
"""
    path = os.pathsep.join([*sys.path, str(Path(__file__).parent)])
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, check=True, timeout=60)
    spool = opened(tmp_path)
    assert numbers(list(spool.waiting())) == [1]
    spool.close()


def test_a_spool_of_the_version_before_is_gone_on_with(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "spool.db", isolation_level=None)) as connection:
        connection.executescript(FORMAT_2.read_text("utf-8"))
    spool = opened(tmp_path)
    left = list(spool.waiting())
    assert [span.name for span in left] == ["span 1", "span 3", "span 4"]
    assert left[0].attributes == {"said": "é", "n": 2**80}
    assert left[1].resource.attributes == {"service.name": "shop"}
    assert (spool.spans, spool.bytes) == (3, 80)
    assert list(spool.refused()) == [
        Refusal(reference_id="r", project="p", status=422, detail="no", body=b'{"a":1}', at=1.5)
    ]
    spool.keep_lots(lot(request(9)))
    spool.release([(span.trace_id, span.span_id) for span in left])
    spool.close()
    again = opened(tmp_path)
    assert numbers(list(again.waiting())) == [9]
    again.release(keys(9))
    assert (again.spans, again.bytes) == (0, 0)
    again.close()
    assert files(tmp_path) == []

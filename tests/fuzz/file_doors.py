"""Doors through which files come: OTLP for `replay` and `explain`, archives for `import`, and the file of a spool."""

from __future__ import annotations

import contextlib
import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fuzz.mutants import Door
from fuzz.span_doors import captured, log_of, spans, spans_in_protobuf

from otel_humanloop.cli import captures
from otel_humanloop.delivery.size import size_of
from otel_humanloop.delivery.spools import Refusal, open_spool
from otel_humanloop.errors import HumanloopError
from otel_humanloop.server.archive import restoring, vendor, writing
from otel_humanloop.server.store import open_store
from otel_humanloop.spans import Span
from otel_humanloop.spans.otlp import JSON, decode

_NAMES = ("spans.json", "spans.jsonl", "spans.pb", "spans.logs.json", "spans.logs.pb")
_SPAN = Span(trace_id="1" * 32, span_id="2" * 16, attributes={"gen_ai.operation.name": "chat"})


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=Path("/dev/shm") if Path("/dev/shm").is_dir() else None) as folder:
        yield Path(folder)


def _replayed(data: bytes) -> None:
    """A byte for the file's name, and what is in it."""
    with _folder() as folder:
        path = folder / _NAMES[data[0] % len(_NAMES) if data else 0]
        path.write_bytes(data[1:])
        with contextlib.suppress(HumanloopError):
            log_of(captures.read([str(path)]).joined())


def _imported(data: bytes) -> None:
    """The lines of an archive."""
    with open_store("sqlite://") as store:
        with contextlib.suppress(HumanloopError):
            restoring.read(store, data.splitlines(keepends=True))
        list(writing.written(store))


def _from_the_vendor(data: bytes) -> None:
    """A line for `file.json`; the rest are logs."""
    file, _, logs = data.partition(b"\n")
    with _folder() as folder, open_store("sqlite://") as store:
        (folder / "files/f/logs").mkdir(parents=True)
        (folder / "files/f/file.json").write_bytes(file)
        (folder / "files/f/logs/1.jsonl").write_bytes(logs)
        with contextlib.suppress(HumanloopError):
            vendor.read(store, folder)
        list(writing.written(store))


def _spool_file(data: bytes) -> None:
    """The whole file of a spool, as a disk that fails may leave it."""
    with _folder() as folder:
        (folder / "spool.db").write_bytes(data)
        with contextlib.suppress(HumanloopError):
            spool = open_spool(f"sqlite:///{folder}/spool.db", max_spans=1000, max_bytes=1 << 20)
            try:
                notes = spool.notes()
                assert notes is not None
                notes.known()
                notes.settle(b"x", [])
                log_of(list(spool.waiting()))
                spool.refused()
                spool.keep(_SPAN, size_of(_SPAN))
                spool.release([(_SPAN.trace_id, _SPAN.span_id)])
            finally:
                spool.close()


@functools.cache
def _spool_files() -> list[bytes]:
    with _folder() as folder:
        path = folder / "spool.db"
        spool = open_spool(f"sqlite:///{path}", max_spans=1000, max_bytes=1 << 20)
        spool.keep_many([(span, size_of(span)) for span in decode(spans()[0], JSON)])
        notes = spool.notes()
        assert notes is not None
        spool.refuse(Refusal(reference_id="r", project="p", status=422, detail="no", body=b"{}", at=1.0))
        notes.promise([(("1" * 32, "2" * 16), b"x")])
        notes.settle(b"x", [])
        spool.close()
        return [path.read_bytes()]


@functools.cache
def _archives() -> list[bytes]:
    from fuzz.network_doors import DOORS as NETWORK
    from fuzz.network_doors import SERVER

    for data in NETWORK["v4"].seeds():
        NETWORK["v4"].enter(data)
    lines = list(writing.written(SERVER.store))
    SERVER.close()
    return [b"".join(lines)]


_FILES = [b"\x00" + data for data in spans()[::5]]
_FILES += [b"\x01" + b"\n".join(spans()[:2]), *(b"\x02" + data for data in spans_in_protobuf()[::5])]
_FILES += [b"\x03" + data for data in captured(b"resourceLogs")[::5]]

_PROMPT = b"""{"id": "f", "type": "prompt", "path": "support/answer", "name": "answer"}
{"id": "log_1", "prompt": {"model": "gpt-4", "template": [{"role": "user", "content": "{{q}}"}]}, "inputs": {"q": 1}, \
"messages": [{"role": "user", "content": "hi"}], "output": "ho", "start_time": "2025-01-01T00:00:00", \
"end_time": "2025-01-01T00:00:01Z", "trace_id": "log_0", "prompt_tokens": 1, "prompt_cost": 0.1}
{"id": "log_2", "flow": {"attributes": {"a": 1}}, "trace_children": [{"id": "log_1", "trace_children": []}]}
"""

DOORS: dict[str, Door] = {
    "replay": Door(enter=_replayed, seeds=lambda: _FILES),
    "import": Door(enter=_imported, seeds=_archives),
    "import-vendor": Door(enter=_from_the_vendor, seeds=lambda: [_PROMPT, _PROMPT.replace(b'"prompt"', b'"tool"')]),
    "spool-file": Door(enter=_spool_file, seeds=_spool_files),
}

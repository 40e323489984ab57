"""Files of OTLP: as a Collector's file exporter writes them, as a test captured them, as protobuf."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from otel_humanloop.errors import DecodeError, HumanloopError, SettingsError
from otel_humanloop.logs.draft import draft
from otel_humanloop.logs.join import Joins
from otel_humanloop.spans import LogRecord, Span
from otel_humanloop.spans.otlp import JSON, PROTOBUF, sift, sift_logs

ENDINGS = (".json", ".jsonl", ".pb")
"""How the files that are read here end."""

_RECORDS = ".logs"


class Captured(msgspec.Struct, frozen=True, kw_only=True):
    """What files hold: spans and log records in their order, and what is wrong with the rest, by file."""

    spans: list[Span]
    records: list[LogRecord]
    errors: list[str]

    def joined(self) -> list[Span]:
        """The spans, each with its log records."""
        joins = Joins(hold=0)
        for record in self.records:
            joins.add_record(record, now=0)
        found = [joins.add_span(draft(span), now=0) for span in self.spans]
        return [span for span in found if span is not None]


def read(paths: Sequence[str]) -> Captured:
    """Reads files. Beside `name.json`, the log records in `name.logs.json` are read where that is there.

    Raises:
        SettingsError: A file is not there, or is of no kind that is read here.
        MissingExtra: A file is protobuf, which this installation cannot read.
    """
    captured = Captured(spans=[], records=[], errors=[])
    files = [Path(path) for path in paths]
    beside = [path.with_name(f"{path.stem}{_RECORDS}{path.suffix}") for path in files if not _is_of_records(path)]
    for path in [*files, *(path for path in beside if path.is_file() and path not in files)]:
        for body, media_type in _requests(path):
            try:
                _take(captured, body, media_type, str(path), only_records=_is_of_records(path))
            except DecodeError as error:
                captured.errors.append(f"{path}: {error.message}")
    return captured


def _requests(path: Path) -> Iterator[tuple[bytes, str]]:
    if path.suffix not in ENDINGS:
        raise SettingsError(f"`{path}` is no file of OTLP", hint=f"its name is to end in {', '.join(ENDINGS)}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"`{path}` cannot be read: {error.strerror}") from error
    if path.suffix == ".pb":
        yield content, PROTOBUF
    elif path.suffix == ".jsonl":
        for line in content.splitlines():
            if line.strip():
                yield line, JSON
    else:
        yield content, JSON


def _take(captured: Captured, body: bytes, media_type: str, path: str, *, only_records: bool) -> None:
    are_records = only_records or (media_type == JSON and _keys(body).isdisjoint({"resourceSpans", "resource_spans"}))
    sifted = sift_logs(body, media_type) if are_records else sift(body, media_type)
    items: list[HumanloopError] = list(sifted.errors)
    captured.errors.extend(f"{path}: {error.message}" for error in items)
    for item in sifted.items:
        if isinstance(item, Span):
            captured.spans.append(item)
        else:
            captured.records.append(item)


def _keys(body: bytes) -> set[str]:
    try:
        return set(msgspec.json.decode(body, type=dict[str, msgspec.Raw]))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {"resourceSpans"}  # let whoever reads it say what is wrong


def _is_of_records(path: Path) -> bool:
    return path.stem.endswith(_RECORDS)

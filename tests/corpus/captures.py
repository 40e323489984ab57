"""The corpus: spans captured from real instrumentations, and beside each file what becomes of them.

`<instrumentation>[/<mode>]/<scenario>.json` is OTLP/JSON as captured, `<scenario>.logs.json` the log records of the
same program where it wrote any. `<scenario>.operation.json` (what is understood) and `<scenario>.sent.json` (what
Humanloop is sent) are made from them by `refresh.py` and reviewed by eye when they change.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

from otel_humanloop import settings
from otel_humanloop.logs.build import build_log, build_replacement, build_update
from otel_humanloop.logs.draft import draft
from otel_humanloop.logs.encode import encode
from otel_humanloop.logs.join import Joins
from otel_humanloop.logs.moves import Complete, Create, Move
from otel_humanloop.logs.order import TraceAssembler
from otel_humanloop.reading import is_infrastructure, read
from otel_humanloop.spans import LogRecord, Span
from otel_humanloop.spans.otlp import JSON, decode, sift_logs

_LONG = 1_000
_SETTINGS = settings.load({"prices": "none"}, environ={})  # published prices change

FOLDER = Path(__file__).parent
GOLDEN = ".operation.json"
SENT = ".sent.json"
LOGS = ".logs.json"


def files() -> list[Path]:
    """Every captured file of spans."""
    return sorted(path for path in FOLDER.rglob("*.json") if not path.name.endswith((GOLDEN, SENT, LOGS)))


def spans(name: str) -> list[Span]:
    """The spans of one file, by its path in the corpus without `.json`, in the file's order.

    The log records captured beside it, if there are any, are joined to their spans.
    """
    found = decode((FOLDER / f"{name}.json").read_bytes(), JSON)
    joins = Joins(hold=0)
    for record in records(name):
        joins.add_record(record, now=0)
    joined = [joins.add_span(draft(span), now=0) for span in found]
    return [span for span in joined if span is not None]


def records(name: str) -> list[LogRecord]:
    """The log records captured beside a file of spans."""
    path = FOLDER / f"{name}{LOGS}"
    return sift_logs(path.read_bytes(), JSON).items if path.exists() else []


def name_of(path: Path) -> str:
    """A file's path in the corpus without `.json`."""
    return path.relative_to(FOLDER).as_posix().removesuffix(".json")


def goldens(path: Path) -> dict[Path, Any]:
    """Where stands what a captured file was understood to be and what was sent of it, and what it is now."""
    name = name_of(path)
    return {path.with_name(path.stem + GOLDEN): understood(name), path.with_name(path.stem + SENT): sent(name)}


def understood(name: str) -> list[dict[str, Any]]:
    """What each span of a file is read as, as plain JSON values; what is None is left out."""
    return [_understood(span) for span in spans(name)]


def sent(name: str) -> list[list[dict[str, Any]]]:
    """What Humanloop is sent for a file: waves of requests, each acknowledged before the next leaves."""
    assembler = TraceAssembler()
    for span in spans(name):
        assembler.add(draft(span), now=0)
    assembler.release(now=0)
    waves: list[list[dict[str, Any]]] = []
    while moves := assembler.take():
        waves.append([_request(move) for move in moves])
        for move in moves:
            assembler.acknowledge(move.key, now=0, completed=isinstance(move, Complete))
    return waves


def _request(move: Move) -> dict[str, Any]:
    if isinstance(move, Create):
        return json.loads(encode(build_log(move, _SETTINGS)))
    if isinstance(move, Complete):
        return json.loads(encode(build_update(move)))
    return json.loads(encode(build_replacement(move, _SETTINGS)))


def _understood(span: Span) -> dict[str, Any]:
    reading = read(span)
    return {
        "span": span.name,
        "infrastructure": is_infrastructure(span),
        "conventions": list(reading.conventions),
        "operation": _plain(reading.operation),
        "sources": {field: f"{source.convention}: {source.key}" for field, source in reading.sources.items()},
        "left": sorted(key for key in span.attributes if key not in reading.taken),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        tag = value.__struct_config__.tag
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        said = {name: _plain(one) for name, one in fields.items() if one is not None}
        return said if tag is None else {"type": tag, **said}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def written(value: Any) -> str:
    """The text of a golden file. Long texts are told by their beginning and their hash."""
    return json.dumps(_abbreviated(value), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _abbreviated(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _abbreviated(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_abbreviated(one) for one in value]
    if isinstance(value, str) and len(value) > _LONG:
        digest = hashlib.sha256(value.encode()).hexdigest()[:16]
        return f"{value[:80]}... ({len(value)} characters, sha256 {digest})"
    return value

"""The corpus: spans captured from real instrumentations, and beside each file what they were understood to be.

`<instrumentation>[/<mode>]/<scenario>.json` is OTLP/JSON as captured; `<scenario>.operation.json` is made from it by
`refresh.py` and reviewed by eye when it changes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

from otel_humanloop.reading import is_infrastructure, read
from otel_humanloop.spans import Span
from otel_humanloop.spans.otlp import JSON, decode

FOLDER = Path(__file__).parent
GOLDEN = ".operation.json"


def files() -> list[Path]:
    """Every captured file."""
    return sorted(path for path in FOLDER.rglob("*.json") if not path.name.endswith(GOLDEN))


def spans(name: str) -> list[Span]:
    """The spans of one file, by its path in the corpus without `.json`, in the file's order."""
    return decode((FOLDER / f"{name}.json").read_bytes(), JSON)


def name_of(path: Path) -> str:
    """A file's path in the corpus without `.json`."""
    return path.relative_to(FOLDER).as_posix().removesuffix(".json")


def golden(path: Path) -> Path:
    """Where stands what a captured file was understood to be."""
    return path.with_name(path.stem + GOLDEN)


def understood(name: str) -> list[dict[str, Any]]:
    """What each span of a file is read as, as plain JSON values; what is None is left out."""
    return [_understood(span) for span in spans(name)]


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


def written(name: str) -> str:
    """The text of a golden file."""
    return json.dumps(understood(name), indent=1, ensure_ascii=False, sort_keys=True) + "\n"

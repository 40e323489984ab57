"""What the vendor's own export tool left people with, into a store.

It wrote a folder for each file (`files/<id>/file.json`, `versions/`, `logs/1.jsonl`, ...), in v5's terms: files for
projects, versions for configs, traces for sessions. A prompt's log becomes a model's, a tool's and a flow's a tool's; a
flow says that it is one in `other.kind`. A log is named by its v5 id, so reading the folder again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec

from otel_humanloop import v4
from otel_humanloop.errors import DecodeError
from otel_humanloop.server import moments
from otel_humanloop.server.failures import Invalid
from otel_humanloop.server.logs import draft
from otel_humanloop.server.store import Store
from otel_humanloop.server.store.posting import post
from otel_humanloop.server.store.records import LogDraft

_TYPES = ("prompt", "tool", "flow", "agent")
_PIECE = 500
_PARAMETERS = (
    "model", "provider", "endpoint", "max_tokens", "temperature", "top_p", "stop", "presence_penalty",
    "frequency_penalty", "seed", "response_format", "tools",
)  # fmt: skip
_SAME = (
    "inputs", "messages", "output", "output_message", "error", "stdout", "metadata", "source", "prompt_tokens",
    "output_tokens", "prompt_cost", "output_cost", "provider_request", "provider_response",
)  # fmt: skip
_Request = v4.LogRequest[dict[str, Any]]


def folders(root: Path) -> list[Path]:
    """The folders of files below a folder: the tool's, one export of it, or one file's own."""
    return sorted(path.parent for path in root.rglob("file.json"))


def read(store: Store, root: Path) -> tuple[int, list[str]]:
    """Puts every log below `root` into a store; returns how many, and what could not be taken.

    Raises:
        DecodeError: There is no file of an export below it.
    """
    found = folders(root)
    if not found:
        raise DecodeError(f"there is no `file.json` below {root}", hint="name the folder that the export tool wrote")
    count, refused, below = 0, list[str](), dict[str, tuple[str, str]]()
    for folder in found:
        file = _object(folder / "file.json")
        if file.get("type") not in _TYPES:
            continue  # datasets and evaluators have no place here
        drafts: list[LogDraft] = []
        for place, line in _lines(folder):
            try:
                said = msgspec.json.decode(line, type=dict[str, Any])
                drafts.append(_draft(file, said))
                below.update(_children(said))
            except (Invalid, KeyError, TypeError, ValueError, msgspec.DecodeError, RecursionError) as error:
                refused.append(f"{place}: {error}")
        for start in range(0, len(drafts), _PIECE):
            piece = drafts[start : start + _PIECE]
            store.write(partial(post, drafts=piece, now=moments.now()))
            count += len(piece)
    for child, (parent, trace) in below.items():
        moved = LogDraft(session_reference_id=trace, reference_id=child, parent_reference_id=parent)
        try:
            store.write(partial(post, drafts=[moved], now=moments.now()))
        except Invalid as error:
            refused.append(f"{child} below {parent}: {error.message}")
    return count, refused


def _lines(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted((folder / "logs").glob("*.jsonl")):
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{path}:{number}", line


def _object(path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"{path} is not JSON: {error}") from error


def _draft(file: dict[str, Any], said: dict[str, Any]) -> LogDraft:
    kind = file["type"]
    id: str = said["id"]
    trace = said.get("trace_id") or (id if kind == "flow" else None)
    started, ended = said.get("start_time"), said.get("end_time")
    duration = None
    if started and ended:
        duration = max((_moment(ended) - _moment(started)).total_seconds(), 0.0)
    given = {name: said[name] for name in _SAME if said.get(name) is not None}
    if isinstance(given.get("output"), (dict, list)):
        given["output"] = msgspec.json.encode(given["output"]).decode()
    request = msgspec.convert(
        {
            **given,
            "project": file.get("path") or file["name"],
            "config": _config(kind, file, said.get(kind) or {}),
            "reference_id": id,
            "session_reference_id": trace,
            "parent_reference_id": trace if trace not in (None, id) else None,
            "created_at": ended or said.get("created_at"),
            "duration": duration,
        },
        _Request,
    )
    return draft(request, ())


def _moment(text: str) -> datetime:
    moment = msgspec.convert(text, datetime)
    return moment if moment.tzinfo is not None else moment.astimezone()


def _children(said: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """The logs that hang from this one, with it and their trace; those at the top of a trace hang from it anyway."""
    trace = said.get("trace_id")
    children = cast("list[Any]", said.get("trace_children") or [])
    found: dict[str, tuple[str, str]] = {}
    for child in children:
        id: Any = cast("dict[str, Any]", child).get("id") if isinstance(child, dict) else child
        if isinstance(id, str) and trace is not None and trace != said["id"]:
            found[id] = (said["id"], trace)
        if isinstance(child, dict):
            found.update(_children({"trace_id": trace, **cast("dict[str, Any]", child)}))
    return found


def _config(kind: str, file: dict[str, Any], version: dict[str, Any]) -> dict[str, Any]:
    name: Any = version.get("name") or file.get("name") or file.get("path")
    if kind == "prompt" and isinstance(version.get("model"), str):
        config = {field: version[field] for field in _PARAMETERS if version.get(field) is not None}
        template = version.get("template")
        if template is not None:
            config["chat_template" if isinstance(template, list) else "prompt_template"] = template
        return {"type": "model", **config, "other": {**(version.get("other") or {})}}
    function: dict[str, Any] = version.get("function") or {}
    other: dict[str, Any] = {"kind": kind} if kind != "tool" else {}
    if version.get("attributes"):
        other["attributes"] = version["attributes"]
    config = {"description": function.get("description"), "parameters": function.get("parameters")}
    config.update(strict=function.get("strict"), source_code=version.get("source_code"), other=other or None)
    said = {field: value for field, value in config.items() if value is not None}
    return {"type": "tool", "name": function.get("name") or name, **said}

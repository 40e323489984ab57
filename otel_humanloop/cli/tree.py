"""A session as a tree of nested logs, laid out as lines for a screen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from otel_humanloop.cli.screen import Line, Piece
from otel_humanloop.cli.text import ELLIPSIS, cells, clean, cut, share, shorten
from otel_humanloop.errors import DecodeError

SHORT = 5
"""How many characters after its prefix name an id among its neighbours, as Humanloop showed them."""

LEAST = 24
"""Columns a line keeps for what it says, however deep its log is nested."""


class _Config(msgspec.Struct, frozen=True, kw_only=True):
    """What a log's config says of its kind. `other.kind` tells an agent or a chain from a tool."""

    type: str = "model"
    model: str | None = None
    name: str | None = None
    other: Mapping[str, Any] | None = None


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a message's content; only text has `text`."""

    type: str
    text: str | None = None


class _Function(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that is asked for; `arguments` is JSON text."""

    name: str
    arguments: str | None = None


class _Call(msgspec.Struct, frozen=True, kw_only=True):
    function: _Function


class _Message(msgspec.Struct, frozen=True, kw_only=True):
    """A chat message."""

    role: str
    content: str | Sequence[_Part] | None = None
    tool_calls: Sequence[_Call] | None = None


class _Log(msgspec.Struct, frozen=True, kw_only=True):
    """What a tree shows of a log, as `GET /logs` answers it."""

    id: str
    project: str | None = None
    parent_id: str | None = None
    parent_reference_id: str | None = None
    config: _Config = _Config()
    inputs: Mapping[str, Any] | None = None
    messages: Sequence[_Message] | None = None
    output: str | None = None
    output_message: _Message | None = None
    error: str | None = None
    duration: float | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    prompt_cost: float | None = None
    output_cost: float | None = None


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """A log and where it stands: what is written before its first line, and before each further one."""

    log: _Log
    first: str
    further: str
    has_children: bool


def render_session(
    session: Mapping[str, Any], logs: Sequence[Mapping[str, Any]], *, width: int, page: str | None = None
) -> list[Line]:
    """A session and its logs as a tree.

    Args:
        session: As `GET /sessions/{id}` answers it.
        logs: As `GET /logs?session_id=` answers them, siblings in the order they are shown in.
        width: Columns; what does not fit is cut, with an ellipsis.
        page: The address that shows the session to a browser.

    Raises:
        DecodeError: Something in the logs is not what the v4 API promises.
    """
    try:
        read = msgspec.convert(logs, list[_Log])
    except msgspec.ValidationError as error:
        raise DecodeError(f"a log is not what Humanloop's v4 API promises: {error}") from error
    lines: list[Line] = [fit(_title(session, read), width)]
    if page is not None:
        lines.append([(clean(page), "address")])
    for place in _places(read):
        lines += _log_lines(place, width)
    return lines


def short_id(identifier: str) -> str:
    """The first characters of an id after its prefix: `lapkL` of `sesh_lapkL...`."""
    return clean(identifier.partition("_")[2] or identifier)[:SHORT]


def input_text(value: Any) -> str:
    """An input as text: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def fit(line: Line, width: int) -> Line:
    """The line, cut to `width` cells."""
    fitted: list[Piece] = []
    room = width
    for text, style in line:
        taken = cells(text)
        if taken > room:
            fitted.append((cut(text, room), style))
            break
        fitted.append((text, style))
        room -= taken
    return fitted


def _seconds(session: Mapping[str, Any]) -> float | None:
    """How long a session took, where the server says when it started and ended."""
    try:
        started, ended = (msgspec.convert(session.get(name), datetime) for name in ("started_at", "ended_at"))
        return (ended - started).total_seconds()
    except (msgspec.ValidationError, TypeError):  # absent, or one with a time zone and one without
        return None


def _title(session: Mapping[str, Any], logs: Sequence[_Log]) -> Line:
    said = [f"{len(logs)} log" if len(logs) == 1 else f"{len(logs)} logs"]
    seconds = _seconds(session)
    if seconds is not None:
        said.append(f"{seconds:.2f} s")
    said += _tokens(_total([log.prompt_tokens for log in logs]), _total([log.output_tokens for log in logs]))
    cost = _total([log.prompt_cost for log in logs] + [log.output_cost for log in logs])
    if cost is not None:
        said.append(f"${cost:.4f}")
    failed = sum(log.error is not None for log in logs)
    name = short_id(str(session.get("id")))
    title: list[Piece] = [(f"session {name}", "strong"), (" · " + " · ".join(said), "plain")]
    if failed:
        title.append((f" · {failed} failed", "error"))
    reference = session.get("reference_id")
    if reference is not None:
        title.append((f" · {clean(str(reference))}", "faint"))
    return title


def _places(logs: Sequence[_Log]) -> Iterator[_Place]:
    """Every log once, parents before their children. A log whose parent is not among them stands at the top."""
    by_id = {log.id: log for log in logs}
    parents = _parents(by_id)
    children: dict[str | None, list[_Log]] = {}
    for log in by_id.values():
        children.setdefault(parents[log.id], []).append(log)
    # A stack, not recursion: a session may be nested deeper than Python recurses.
    stack = [(log, "", index == 0) for index, log in enumerate(reversed(children.get(None, [])))]
    while stack:
        log, before, last = stack.pop()
        below = before + ("   " if last else "│  ")
        nested = children.get(log.id, [])
        yield _Place(log=log, first=before + ("└─ " if last else "├─ "), further=below, has_children=bool(nested))
        stack += [(child, below, index == 0) for index, child in enumerate(reversed(nested))]


def _parents(logs: Mapping[str, _Log]) -> dict[str, str | None]:
    """The parent of each log, by ids; None for one that stands at the top.

    Should logs name each other as parents in a ring, the ring is opened, so that no log is lost.
    """
    parents = {log.id: log.parent_id if log.parent_id in logs else None for log in logs.values()}
    settled: set[str] = set()
    for log in logs.values():
        path: set[str] = set()
        at: str | None = log.id
        while at is not None and at not in settled:
            if at in path:
                parents[at] = None
                break
            path.add(at)
            at = parents[at]
        settled |= path
    return parents


def _log_lines(place: _Place, width: int) -> Iterator[Line]:
    first = _bounded(place.first, width)
    further = _bounded(place.further + ("│  " if place.has_children else "   "), width)
    yield fit([(first, "faint"), *_heading(place.log)], width)
    room = width - cells(further)
    inputs = _inputs(place.log, room)
    if inputs:
        yield [(further, "faint"), *inputs]
    output = _output(place.log)
    if output is not None:
        yield [(further, "faint"), ("→ ", "faint"), (shorten(output, room - 2), "output")]
    if place.log.error is not None:
        yield [(further, "faint"), ("✗ ", "error"), (shorten(place.log.error, room - 2), "error")]


def _bounded(prefix: str, width: int) -> str:
    """The branches before a line, cut in front where they would leave no room for what it says."""
    most = max(width - LEAST, 4)
    return prefix if len(prefix) <= most else ELLIPSIS + prefix[len(prefix) - most + 1 :]


def _heading(log: _Log) -> Line:
    kind = (log.config.other or {}).get("kind") if log.config.type == "tool" else None
    name = log.config.model or log.config.name
    line: list[Piece] = [(clean(str(kind or log.config.type)), "good" if log.config.model is not None else "input")]
    if name is not None:
        line.append((f" {clean(name)}", "strong"))
    said = [] if log.project is None else [clean(log.project)]
    said.append(short_id(log.id))
    if log.duration is not None:
        said.append(f"{log.duration:.2f} s")
    said += _tokens(log.prompt_tokens, log.output_tokens)
    line.append((" · " + " · ".join(said), "faint"))
    if log.parent_id is None and log.parent_reference_id is not None:
        line.append((f" · its parent {clean(log.parent_reference_id)} has not arrived", "warning"))
    return line


def _tokens(prompt: int | None, output: int | None) -> list[str]:
    if prompt is None and output is None:
        return []
    if output is None:
        return [f"{prompt:,} tokens in"]
    return [f"{output:,} tokens out"] if prompt is None else [f"{prompt:,} → {output:,} tokens"]


def _total(parts: Sequence[Any]) -> Any:
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _inputs(log: _Log, room: int) -> Line:
    """The inputs side by side; where there are none, the last message that was sent."""
    if not log.inputs:
        said = _message_text(log.messages[-1]) if log.messages else None
        if not log.messages or said is None:
            return []
        return [(shorten(f"{log.messages[-1].role}: {said}", room), "input")]
    texts = [clean(f"{name}: {input_text(value)}") for name, value in log.inputs.items()]
    widths = share([cells(text) for text in texts], room - 2 * (len(texts) - 1))
    return fit([("  ".join(map(shorten, texts, widths)), "input")], room)


def _output(log: _Log) -> str | None:
    if log.output is not None:
        return log.output if log.output.strip() else "(empty)"
    return None if log.output_message is None else _message_text(log.output_message)


def _message_text(message: _Message) -> str | None:
    """What a chat message says: its text, or the tools it asks for."""
    if isinstance(message.content, str):
        return message.content
    if message.content is not None:
        return " ".join(f"({part.type})" if part.text is None else part.text for part in message.content)
    calls = [call.function for call in message.tool_calls or ()]
    return ", ".join(f"{function.name}({function.arguments or ''})" for function in calls) or None

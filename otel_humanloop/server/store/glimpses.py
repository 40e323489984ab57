"""Glimpses: what a list shows of a log's content, kept beside the log so that no list decodes whole contents.

A glimpse follows from the content alone. It is made when the content is written, and again whenever that changes.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from otel_humanloop.server.lines import line
from otel_humanloop.server.store.records import UNSET, Content, Json

GLIMPSE = 160
"""Characters of an input or output."""
MOST_INPUTS = 24
"""Inputs of one log."""
_START = 4 * GLIMPSE
"""Characters of a text that its line is made of; that there are more is seen at the next one."""
_MOST_CALLS = 24
_MOST_WARNINGS = 12


class Glimpse(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A log's content at a glance. Every text is on one line, and has no characters that act.

    Attributes:
        inputs: Name and value of the first of them.
        more_inputs: How many there are besides.
        output, error: None where there is none.
        calls: Names of the tools the model asked for.
        warnings: What got lost on the way, in words.
        user: Whom it was done for.
    """

    inputs: list[tuple[str, str]] = []
    more_inputs: int = 0
    output: str | None = None
    error: str | None = None
    calls: list[str] = []
    warnings: list[str] = []
    user: str | None = None


class _Metadata(msgspec.Struct, frozen=True):
    warnings: Any = None
    user: Any = None


class _Message(msgspec.Struct, frozen=True):
    """Of the output message only this is decoded."""

    tool_calls: Any = None


_METADATA = msgspec.json.Decoder(_Metadata)
_MESSAGE = msgspec.json.Decoder(_Message)
_GLIMPSE = msgspec.json.Decoder(Glimpse)


def glimpse_of(content: Content) -> bytes:
    """The glimpse of a content, as it is kept."""
    inputs = None if content.inputs is UNSET else msgspec.json.decode(content.inputs)
    named = list(_object(inputs).items())
    said = _metadata(content.metadata)
    return msgspec.json.encode(
        Glimpse(
            inputs=[(line(name, 60), line(value, GLIMPSE)) for name, value in named[:MOST_INPUTS]],
            more_inputs=max(len(named) - MOST_INPUTS, 0),
            output=_on_one_line(content.output),
            error=_on_one_line(content.error),
            calls=_calls(content.output_message),
            warnings=[line(warning, 300) for warning in _array(said.warnings)[:_MOST_WARNINGS]],
            user=None if said.user is None else line(said.user, 80),
        )
    )


def decode(kept: bytes) -> Glimpse:
    """A glimpse as it was kept."""
    return _GLIMPSE.decode(kept)


def _on_one_line(raw: Json) -> str | None:
    if raw is UNSET:
        return None
    kept = bytes(raw)
    beginning = _beginning(kept)
    if beginning is not None:
        return beginning
    value = msgspec.json.decode(kept)
    return None if value is None else line(value, GLIMPSE)


def _beginning(kept: bytes) -> str | None:
    """What `line` makes of a long text that begins with plain words, in a tenth of the time: most of it is not read.

    None for any other value.
    """
    start = kept[1 : _START + 2]
    if len(start) <= _START or not kept.startswith(b'"') or not start.isascii() or b"\\" in start or b'"' in start:
        return None
    text = start.decode().lstrip()[: GLIMPSE + 1]
    even = len(text) > GLIMPSE and text.isprintable() and "  " not in text
    return f"{text[:GLIMPSE]}…" if even else None


def _metadata(raw: Json) -> _Metadata:
    if raw is UNSET:
        return _Metadata()
    try:
        return _METADATA.decode(raw)
    except msgspec.ValidationError:  # it is no object
        return _Metadata()


def _calls(raw: Json) -> list[str]:
    if raw is UNSET or b'"tool_calls"' not in bytes(raw):
        return []
    try:
        calls = _MESSAGE.decode(raw).tool_calls
    except msgspec.ValidationError:  # it is no object
        return []
    return [line(_object(_object(call).get("function")).get("name", ""), 60) for call in _array(calls)[:_MOST_CALLS]]


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _array(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []

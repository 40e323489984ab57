"""A log's messages as a conversation: who said what, tool calls with their results, reasoning beside the words."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from otel_humanloop.attachments import PATH, parse
from otel_humanloop.server.attachments import is_opened
from otel_humanloop.server.viewer.folding import Fold, fold
from otel_humanloop.server.viewer.shapes import array_of, object_of, text_of

_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+\Z")
"""Pictures that are part of the log. Others would be fetched from elsewhere, and are shown as addresses."""

SHOWN = 60
"""Messages of one page."""


class Picture(msgspec.Struct, frozen=True):
    """`source` is a data URL that a page may show; None where it is only an address, `said`."""

    source: str | None
    said: str


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A picture, sound or file that this server keeps beside the log.

    Attributes:
        kind: "image", "audio" or "video", which a page shows; "file" for any other.
        size: Bytes.
    """

    source: str
    kind: str
    media_type: str
    size: int


class ToolUse(msgspec.Struct, frozen=True, kw_only=True):
    """A tool the model asked for, and what came back if the conversation goes on to say."""

    id: str
    name: str
    arguments: Fold
    result: Fold | None


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One message.

    Attributes:
        position: Its index among the log's messages; None for what the model answered.
        answers: The id of the call it answers, where that call is not in sight.
        said: Words, in the order they come.
    """

    role: str
    name: str | None
    position: int | None
    answers: str | None
    said: list[Fold]
    pictures: list[Picture]
    files: list[File]
    reasoning: list[Fold]
    uses: list[ToolUse]


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """Messages `first` to `last` (exclusive) of `total`, and what the model answered."""

    turns: list[Turn]
    answer: Turn | None
    first: int
    last: int
    total: int


def conversation(
    messages: Sequence[Any], answer: Any, metadata: Any, *, start: int | None = None, kept: Collection[str] = ()
) -> Conversation:
    """A page of a log's messages: from `start`, else the last ones.

    Args:
        messages: v4 chat messages, as JSON values.
        answer: The log's output message, or None.
        metadata: The log's; `messages` and `output_messages` in it hold what a v4 message cannot.
        kept: The hashes of attachments that are here.
    """
    total = len(messages)
    first = max(0, total - SHOWN) if start is None else max(0, min(start, total))
    last = min(total, first + SHOWN)
    results: dict[str, int] = {}
    for index in range(first, last):
        message = object_of(messages[index])
        id = text_of(message.get("tool_call_id"))
        if message.get("role") == "tool" and id is not None:
            results[id] = index
    beside, beside_answer = object_of(object_of(metadata).get("messages")), object_of(metadata).get("output_messages")
    turns: list[Turn] = []
    used: set[int] = set()
    for index in range(first, last):
        if index in used:
            continue
        turn = _turn(messages, index, results, used, object_of(beside.get(str(index))), kept)
        turns.append(turn)
    last_turn = None
    if answer is not None:
        beside_it = object_of(object_of(beside_answer).get("0"))
        last_turn = _turn([answer], 0, {}, set(), beside_it, kept, position=False)
    return Conversation(turns=turns, answer=last_turn, first=first, last=last, total=total)


def _turn(
    messages: Sequence[Any],
    index: int,
    results: dict[str, int],
    used: set[int],
    beside: dict[str, Any],
    kept: Collection[str],
    *,
    position: bool = True,
) -> Turn:
    message = object_of(messages[index])
    said, pictures, files = _content(message.get("content"), kept)
    uses: list[ToolUse] = []
    for call in _calls(message):
        function = object_of(call.get("function"))
        id = str(call.get("id") or "")
        at = results.get(id)
        result = None
        if at is not None and at > index and at not in used:
            used.add(at)
            result = fold(object_of(messages[at]).get("content"))
        uses.append(
            ToolUse(
                id=id,
                name=str(function.get("name") or "tool"),
                arguments=fold(function.get("arguments")),
                result=result,
            )
        )
    return Turn(
        role=str(message.get("role") or "message"),
        name=text_of(message.get("name")),
        position=index if position else None,
        answers=text_of(message.get("tool_call_id")),
        said=said,
        pictures=pictures,
        files=files,
        reasoning=[fold(text) for text in array_of(beside.get("reasoning"))],
        uses=uses,
    )


def _calls(message: dict[str, Any]) -> list[dict[str, Any]]:
    calls = [object_of(call) for call in array_of(message.get("tool_calls"))]
    single = message.get("tool_call")
    return calls or ([{"function": single}] if isinstance(single, dict) else [])


def _content(content: Any, kept: Collection[str]) -> tuple[list[Fold], list[Picture], list[File]]:
    parts: list[Any] = array_of(content) if isinstance(content, list) else [] if content is None else [content]
    said: list[Fold] = []
    pictures: list[Picture] = []
    files: list[File] = []
    for part in parts:
        fields = object_of(part)
        if (file := _file(fields.get("text", part), kept)) is not None:
            files.append(file)
        elif fields.get("type") == "text":
            said.append(fold(fields.get("text")))
        elif fields.get("type") == "image_url":
            pictures.append(_picture(object_of(fields.get("image_url")).get("url")))
        else:
            said.append(fold(part))
    return said, pictures, files


def _file(text: Any, kept: Collection[str]) -> File | None:
    """What stands in a message in place of an attachment, where that is here."""
    stands = parse(text) if kept and isinstance(text, str) else None
    if stands is None or stands.sha256 not in kept:
        return None
    kind = stands.media_type.partition("/")[0] if is_opened(stands.media_type) else "file"
    source = f"/{PATH}/{stands.sha256}"
    return File(source=source, kind=kind, media_type=stands.media_type, size=stands.size)


def _picture(url: Any) -> Picture:
    if isinstance(url, str) and _PICTURE.match(url):
        return Picture(url, f"{url.partition(';')[0][5:]}, {len(url):,} characters")
    return Picture(None, str(url)[:300])

"""Messages that instrumentation tells one by one, as OpenTelemetry's events of GenAI had them until 1.37.

https://github.com/open-telemetry/semantic-conventions/blob/v1.36.0/docs/gen-ai/gen-ai-events.md

They come as log records (joined to their span as events whose `body` is the record's), as events of the span with
everything in attributes (Strands, Azure), and as one JSON list on an attribute (Logfire, Pydantic AI). Nothing here
raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from otel_humanloop.operation import Message, ToolResult
from otel_humanloop.reading import messages
from otel_humanloop.reading.convention import Found, Reader
from otel_humanloop.reading.values import as_object, as_structure
from otel_humanloop.spans import Event, Span

Fields = Mapping[str, Any]

SAID_BY = {
    "gen_ai.system.message": "system",
    "gen_ai.developer.message": "developer",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
"""Names of the events that went into a call, and whose words they are."""

CHOICE = "gen_ai.choice"
"""The name of the event of an answer, one for each choice."""

_BODY = "body"
_CONTENT = "gen_ai.event.content"
_NAME = "event.name"
_FIELDS = ("role", "content", "name", "id", "tool_calls", "message", "finish_reason", "index", "parts")


def asked(events: Iterable[tuple[str, Fields]]) -> tuple[Message, ...] | None:
    """What went into the call, by name and fields of its events; None where nothing was said of it."""
    told = _once(tuple(_asked(SAID_BY[name], fields) for name, fields in events if name in SAID_BY))
    return told if any(message.parts for message in told) else None


def _once(told: tuple[Message, ...]) -> tuple[Message, ...]:
    """Without results of tools that are told once more, as a message of the user's (botocore's of Bedrock)."""
    known: set[str] = set()
    kept: list[Message] = []
    for message in told:
        ids = [part.id for part in message.parts if isinstance(part, ToolResult) and part.id is not None]
        if ids and len(ids) == len(message.parts) and message.role != "tool" and known.issuperset(ids):
            continue
        known.update(ids)
        kept.append(message)
    return tuple(kept)


def answered(events: Iterable[tuple[str, Fields]]) -> tuple[Message, ...] | None:
    """What came out, one message for each choice; None where its words were not captured."""
    told = tuple(_choice(fields) for name, fields in events if name == CHOICE)
    return told if any(message.parts for message in told) else None


def finish_reasons(events: Iterable[tuple[str, Fields]]) -> tuple[str, ...] | None:
    """Why each choice stopped, also where its words were not captured."""
    return messages.finish_reasons(tuple(_choice(fields) for name, fields in events if name == CHOICE))


def of_span(span: Span) -> list[tuple[str, Fields]]:
    """The events of a span that tell messages, in order."""
    return [(event.name, _fields(event)) for event in span.events if event.name in SAID_BY or event.name == CHOICE]


def in_events(make: Any) -> Reader[Any]:
    """A reader of what `make` makes of a span's events."""

    def read(span: Span) -> Found[Any] | None:
        made = make(of_span(span))
        return None if made is None else Found(made, f"events {'gen_ai.*.message' if make is asked else CHOICE}")

    return Reader(read, events=(CHOICE,) if make is not asked else tuple(SAID_BY))


def listed(value: Any) -> list[tuple[str, Fields]]:
    """The same, of a list of objects that each name their event (`event.name`)."""
    items = cast("list[Any]", value) if isinstance(value, list) else []
    events: list[tuple[str, Fields]] = []
    for item in items:
        if isinstance(item, dict):
            fields = cast("dict[str, Any]", item)
            name = fields.get(_NAME)
            role = fields.get("role")
            if not isinstance(name, str) and isinstance(role, str):
                name = f"gen_ai.{role}.message"
            if isinstance(name, str):
                events.append((name, fields))
    return events


def _fields(event: Event) -> Fields:
    attributes = event.attributes
    for key in (_BODY, _CONTENT):
        if key in attributes:
            body = as_object(attributes[key])
            return {"content": attributes[key]} if body is None else body
    return {key: as_structure(attributes[key]) for key in _FIELDS if key in attributes}


def _asked(role: str, fields: Fields) -> Message:
    if role == "tool" and "tool_call_id" not in fields and isinstance(fields.get("id"), str):
        fields = {**fields, "tool_call_id": fields["id"]}
    return messages.message({"role": role, **fields}, role)


def _choice(fields: Fields) -> Message:
    """The message, with what some write beside it: its calls of tools, and why it stopped."""
    said = fields.get("message", fields)
    if not isinstance(said, dict):
        said = {"content": said}
    beside = {key: fields[key] for key in ("tool_calls", "finish_reason") if fields.get(key) is not None}
    return messages.message({"role": "assistant", **beside, **cast("dict[str, Any]", said)}, "assistant")

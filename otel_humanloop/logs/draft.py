"""A span on its way to becoming a log: what it says, and what its place among others depends on."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from otel_humanloop.logs.naming import distinct
from otel_humanloop.operation import Kind, Operation, Reading, Source, told
from otel_humanloop.reading import read
from otel_humanloop.reading.infrastructure import is_plumbing
from otel_humanloop.spans import Span, SpanKey

if TYPE_CHECKING:
    from otel_humanloop.logs.form import Cast


class Role(Enum):
    """What a span is to a session."""

    AI = "ai"
    """Claimed by a convention: makes its trace a session."""
    STEP = "step"
    """A span of the program itself: kept in a session, makes none."""
    TRANSPARENT = "transparent"
    """Infrastructure (HTTP, database, RPC), or told once more by another span: its children hang from its parent."""


# By themselves, for before Python 3.12 every look at a member of an enum runs Python code.
_AI, _OWN, _TRANSPARENT = Role
_STEP = Kind.STEP
_CALLS = (Kind.MODEL, Kind.EMBEDDING)


class Draft(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One span, read, before its log is built.

    Attributes:
        key: Trace id and span id.
        parent: The parent span's id, as the span states it.
        session: What the program called its session, if it did; a conversation's id where conversations are sessions.
        user: Who it was done for.
        carries_usage: States token counts or a cost.
        is_call: One call of a model, which two instrumentations may both have seen.
        call_id: The provider's id of the response.
        wealth: How much it tells of its call: of two spans of one call the wealthier becomes the log.
        model: The model that was asked.
        failed: Says that it went wrong.
        speaks: Says anything of what was asked or answered.
        said: What was read of it; None where that is in a `cast`, and to be read where it is asked for.
        cast: What differs between this span and those of its mould (`moulds.py`), where it has one.
    """

    key: SpanKey
    parent: str | None
    parent_is_remote: bool
    role: Role
    span: Span
    said: Reading | None = None
    cast: Cast | None = None
    session: str | None = None
    user: str | None = None
    carries_usage: bool = False
    is_call: bool = False
    call_id: str | None = None
    wealth: int = 0
    model: str | None = None
    failed: bool = False
    speaks: bool = False

    @property
    def reading(self) -> Reading:
        """What the span says."""
        return self.said if self.said is not None else read(self.span)

    @property
    def ended(self) -> bool:
        return self.span.end_ns is not None


READ_BEFORE = "otel_humanloop.read_before"
"""The attribute of a span that was stripped of its content, holding what had been read of it: bytes."""


class ReadBefore(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of a span while it still had its content, without that content."""

    operation: Operation
    conventions: tuple[str, ...]
    sources: Mapping[str, Source]
    role: Role
    wealth: int


def draft(span: Span, *, conversations_are_sessions: bool = False) -> Draft:
    """Reads a span. Never raises, whatever it holds."""
    before = _read_before(span)
    if before is not None:
        reading = Reading(
            operation=before.operation,
            conventions=before.conventions,
            sources=before.sources,
            told=told(before.sources),
            taken=frozenset({READ_BEFORE}),
            left=[key for key in span.attributes if key != READ_BEFORE],
        )
    else:
        reading = read(span)
    return draft_of(span, reading, before, conversations_are_sessions=conversations_are_sessions)


def draft_of(
    span: Span, reading: Reading, before: ReadBefore | None = None, *, conversations_are_sessions: bool
) -> Draft:
    """The draft of a span that was read, perhaps while it still had its content."""
    operation = reading.operation
    is_call = operation.kind in _CALLS
    return Draft(
        key=(span.trace_id, span.span_id),
        parent=span.parent_id if span.parent_id != span.span_id else None,
        parent_is_remote=span.parent_is_remote,
        role=before.role if before is not None else _role(span, reading),
        span=span,
        said=reading,
        session=session_of(
            operation.session, operation.conversation, conversations_are_sessions=conversations_are_sessions
        ),
        user=operation.user,
        carries_usage=operation.usage is not None or operation.cost is not None,
        is_call=is_call,
        call_id=operation.response_id,
        wealth=before.wealth if before is not None else _wealth(operation) if is_call else 0,
        model=operation.request_model,
        failed=operation.error is not None,
        speaks=operation.messages is not None or operation.output_messages is not None or bool(operation.output),
    )


def session_of(session: str | None, conversation: str | None, *, conversations_are_sessions: bool) -> str | None:
    """The name of the session a span belongs to, by its own word."""
    named = distinct(session) if session is not None else None
    return distinct(conversation) if named is None and conversations_are_sessions else named


def _role(span: Span, reading: Reading) -> Role:
    operation = reading.operation
    if operation.retold:
        return _TRANSPARENT
    if reading.conventions:
        return _AI if operation.kind is not _STEP else _OWN
    return _TRANSPARENT if is_plumbing(span) else _OWN


def _wealth(operation: Operation) -> int:
    fields = (
        *(operation.messages, operation.output_messages, operation.output, operation.tools),
        *(operation.usage, operation.cost, operation.request_model, operation.finish_reasons),
    )
    return len(fields) - fields.count(None)


def _read_before(span: Span) -> ReadBefore | None:
    written = span.attributes.get(READ_BEFORE)
    if not isinstance(written, bytes):
        return None
    try:
        return _before.decode(written)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None  # someone else's


_before = msgspec.msgpack.Decoder(ReadBefore)

"""Spans that repeat themselves, and the moulds their logs are cast in.

A program makes spans of few shapes, and those of one shape say much the same: only the messages, the tokens, the ids
and the times differ. So what was read and built of one serves for the others. Every span passes by here: of one that is
like others, only what differs is read, and its log is its mould with that filled in. Where anything about it is
unusual, it is read and built as if there were no moulds; what comes of it is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from otel_humanloop.logs import casting
from otel_humanloop.logs.draft import READ_BEFORE, Draft, draft, draft_of, session_of
from otel_humanloop.logs.form import OPEN, Cast, Form, Origin, origin_of
from otel_humanloop.logs.likeness import Entry, Likeness, is_like
from otel_humanloop.logs.moves import Create
from otel_humanloop.settings import Settings
from otel_humanloop.spans import Resource, Span

_MOST_SHAPES = 1_000
_MOST_FORMS = 32
_MOST_RESOURCES = 64
_FORM = 8 * 1024
_MOST_HELD = 32 * 1024 * 1024
"""Keys, and what makes spans, come from outside: bounds, lest they fill the memory. About `_MOST_HELD` bytes are held,
of which a form takes `_FORM` besides the texts that stand in it."""

_MOST_MISSED = 16
"""Spans in a row that were unusual although they are like others: more are not tried."""

_ERROR_TYPE = "error.type"

_NO_JSON = (LookupError, TypeError, ValueError, OverflowError, RecursionError)
"""Something is no value of JSON's, which `encode` mends where a log is built; or there is nothing for a place."""


class Moulds:
    """Reads spans, and gives the logs of those that are like others.

    Args:
        settings: What logs are built by.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._conversations_are_sessions = settings.session == "conversation"
        self._met: dict[tuple[Any, ...], Likeness[Form]] = {}  # those of which too few have come to know anything
        self._known: dict[tuple[Any, ...], Likeness[Form]] = {}
        self._latest: dict[tuple[Any, ...], Entry[Form]] = {}  # by all of that but the attributes
        self._origins: dict[int, Origin] = {}
        self._held = 0

    def draft(self, span: Span) -> Draft:
        """Reads a span. Never raises, whatever it holds."""
        entry = self._alike(span)
        if entry is None:
            return draft(span, conversations_are_sessions=self._conversations_are_sessions)
        found = self._cast(span, entry)
        if found is None:
            entry.missed += 1
            return draft(span, conversations_are_sessions=self._conversations_are_sessions)
        entry.missed = 0
        cast, values = found
        form = cast.form
        like = form.like
        session, user, call_id, speaks = like.session, like.user, like.call_id, like.speaks
        if form.names_itself:
            operation = form.operation
            session = session_of(
                values.get("session", operation.session),
                values.get("conversation", operation.conversation),
                conversations_are_sessions=self._conversations_are_sessions,
            )
            user = values.get("user", user)
            call_id = values.get("response_id", call_id)
        if "output" in values:
            speaks = form.has_messages or bool(values["output"])
        return Draft(
            key=(span.trace_id, span.span_id),
            parent=span.parent_id if span.parent_id != span.span_id else None,
            parent_is_remote=span.parent_is_remote,
            role=like.role,
            span=span,
            cast=cast,
            session=session,
            user=user,
            carries_usage=like.carries_usage,
            is_call=like.is_call,
            call_id=call_id,
            wealth=like.wealth,
            model=like.model,
            speaks=speaks,
        )

    def log(self, create: Create) -> tuple[bytes, str] | None:
        """The JSON of a log and its project; None where it is to be built."""
        cast = create.draft.cast
        if cast is None:
            return None
        try:
            return cast.form.log(create, cast.places)
        except _NO_JSON:
            return None

    def _cast(self, span: Span, entry: Entry[Form]) -> tuple[Cast, Mapping[str, Any]] | None:
        """What differs of a span, and goes into a mould; None where anything about it is unusual."""
        values = entry.plan.heard(entry.settled, span)
        if values is None:
            return None
        differing = entry.differing(values)
        form = entry.forms.get(differing) or self._form(span, entry, differing)
        if form is None or not form.is_usable:
            return None
        try:
            return Cast(form, form.places(span, values, self._origin_of(span.resource))), values
        except (casting.Unusual, *_NO_JSON):
            return None

    def _alike(self, span: Span) -> Entry[Form] | None:
        """The spans it is like, where that has been of use."""
        status = span.status
        if span.end_ns is None or span.events or span.links or status.message is not None:
            return None
        if span.dropped_attributes or span.dropped_events or span.dropped_links:
            return None
        scope, attributes = span.scope, span.attributes
        place = (
            span.name,
            span.kind + 0,  # as plain numbers, for an enum's hash is Python code
            status.code + 0,
            span.parent_id is None,
            scope.name,
            scope.version,
            not span.resource.attributes,
        )
        entry = self._latest.get(place)
        if entry is None or not is_like(attributes, entry.example):
            entry = self._entry(place, span)
            if entry is None:
                return None
            self._latest[place] = entry
        return entry if entry.missed < _MOST_MISSED else None

    def _entry(self, place: tuple[Any, ...], span: Span) -> Entry[Form] | None:
        attributes = span.attributes
        shape = (place, tuple(attributes), tuple(map(type, attributes.values())))
        known = self._known.get(shape)
        if known is not None:
            return known.find(span)
        met = self._met.get(shape)
        if met is None:
            if len(self._met) >= _MOST_SHAPES:
                self._met.clear()
            met = self._met[shape] = Likeness(
                attributes, OPEN, useless=READ_BEFORE in attributes or _ERROR_TYPE in attributes
            )
        if met.is_learned:
            if len(self._known) >= _MOST_SHAPES:
                self._forget()
            self._known[shape] = self._met.pop(shape)
        return met.find(span)

    def _form(self, span: Span, entry: Entry[Form], differing: bytes) -> Form | None:
        if len(entry.forms) >= _MOST_FORMS:
            return None
        self._held += _FORM + 2 * entry.size  # its moulds say again what all of them say
        if self._held > _MOST_HELD:
            self._forget()
        reading = entry.plan.read(span)
        like = draft_of(span, reading, conversations_are_sessions=self._conversations_are_sessions)
        form = entry.forms[differing] = Form(like, entry, self._settings)
        return form

    def _forget(self) -> None:
        self._known.clear()
        self._latest.clear()
        self._held = 0

    def _origin_of(self, resource: Resource) -> Origin:
        """What all logs of a resource say of it. The resource is kept, so that no other may come to have its place."""
        known = self._origins.get(id(resource))
        if known is None:
            if len(self._origins) >= _MOST_RESOURCES:
                self._origins.clear()
            known = self._origins[id(resource)] = origin_of(resource, self._settings)
        return known

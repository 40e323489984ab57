"""`/v4/feedback`: what people say about logs, in a request of its own or with the log it is about."""

from __future__ import annotations

from functools import partial

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response

from otel_humanloop import v4
from otel_humanloop.server import moments
from otel_humanloop.server.answers import json
from otel_humanloop.server.failures import Invalid, Loc, RequestFailed
from otel_humanloop.server.requests import MAX_ITEMS, Call, check_label, check_name, decode
from otel_humanloop.server.store import feedback
from otel_humanloop.server.store.records import FeedbackDraft

_BODY: msgspec.json.Decoder[v4.Feedback | list[v4.Feedback]] = msgspec.json.Decoder(v4.Feedback | list[v4.Feedback])
_MAX_LABEL = 200
"""Characters of a value that filters and sorts look at."""


def create(call: Call) -> Response:
    """`POST /feedback`: on one log, or an array of it that is kept whole or not at all."""
    body = decode(call.body, _BODY)
    single = not isinstance(body, list)
    requests = body if isinstance(body, list) else [body]
    if len(requests) > MAX_ITEMS:
        raise Invalid(("body",), f"more than {MAX_ITEMS} feedbacks", kind="value_error.list.max_items")
    items: list[tuple[str, FeedbackDraft]] = []
    for index, request in enumerate(requests):
        loc: Loc = ("body",) if single else ("body", index)
        if request.data_id is None:
            raise Invalid((*loc, "data_id"), "field required", kind="value_error.missing")
        items.append((request.data_id, feedback_draft(request, loc)))
    answers = call.store.write(partial(_give, items=items, now=moments.now()))
    return json(answers[0] if single else answers)


def decommissioned(call: Call) -> Response:
    """`/projects/{id}/feedback-types`, which the service itself had given up."""
    raise RequestFailed(404, f"feedback types of `{call.path['id']}` cannot be declared: feedback of any type is taken")


def inline(given: v4.Feedback | list[v4.Feedback] | None, loc: Loc) -> tuple[FeedbackDraft, ...]:
    """The feedback of a log request."""
    if given is None:
        return ()
    if isinstance(given, list):
        return tuple(feedback_draft(each, (*loc, "feedback", index)) for index, each in enumerate(given))
    return (feedback_draft(given, (*loc, "feedback")),)


def feedback_draft(request: v4.Feedback, loc: Loc) -> FeedbackDraft:
    """Feedback of a body, checked and encoded.

    Raises:
        Invalid: It says nothing, or what cannot be kept.
    """
    check_name(request.type, "type", loc)
    check_label(request.user, "user", loc)
    unset = request.unset is True
    if request.value is None and not unset:
        raise Invalid((*loc, "value"), "field required unless `unset` is true", kind="value_error.missing")
    return FeedbackDraft(
        type=request.type,
        value=None if request.value is None else msgspec.json.encode(request.value),
        label=_label(request.value),
        user=request.user,
        created_at=moments.stated(request.created_at, loc),
        unset=unset,
    )


def _give(tx: Connection, items: list[tuple[str, FeedbackDraft]], now: int) -> list[v4.FeedbackResponse]:
    keys = feedback.log_keys(tx, [id for id, _ in items])
    return feedback.give(tx, [(id, keys[id], draft) for id, draft in items], now=now)


def _label(value: v4.FeedbackValue | None) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value).removesuffix(".0")
    text = value if isinstance(value, str) else ", ".join(value or ())
    return text.replace("\0", " ")[:_MAX_LABEL]

"""`/v4/logs`: post, patch, list, get, delete."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response

from otel_humanloop import v4
from otel_humanloop.server import moments
from otel_humanloop.server.answers import empty, json
from otel_humanloop.server.configs import config_draft
from otel_humanloop.server.failures import Invalid, Loc, NotFound
from otel_humanloop.server.feedback import inline
from otel_humanloop.server.filters import filters_of
from otel_humanloop.server.handed import drafts_of
from otel_humanloop.server.requests import (
    MAX_COST,
    MAX_DURATION,
    MAX_ITEMS,
    MAX_TOKENS,
    Call,
    check_depth,
    check_label,
    check_name,
    decode,
    page_of,
)
from otel_humanloop.server.store import listing, reading, words
from otel_humanloop.server.store.changing import delete_logs, patch_log
from otel_humanloop.server.store.posting import NO_PARENT, post
from otel_humanloop.server.store.records import CONTENT, Content, LogDraft
from otel_humanloop.server.store.schema import sessions

Log = v4.LogRequest[dict[str, Any]]
"""A log as it is posted."""
_BODY: msgspec.json.Decoder[Log | list[Log]] = msgspec.json.Decoder(Log | list[Log])
_UPDATE = msgspec.json.Decoder(v4.UpdateLogRequest)

_SAME = tuple(set(LogDraft.__struct_fields__) - {"created_at", "config", "content", "feedback"})
"""Fields a request and a draft have in common."""
_GIVEN = tuple(field for field in CONTENT if field in v4.LogRequest.__struct_fields__)
"""The content a request can give."""
_NAMES = ("project", "session_reference_id", "parent_reference_id", "reference_id")
_LABELS = ("source", "environment")
UNREAD = "Otel-Humanloop-Unread-Logs"
"""The header of a search's answer that tells how many logs it has not looked into; without it, none."""


def create(call: Call) -> Response:
    """`POST /logs`: one log, or an array of them that is kept whole or not at all."""
    drafts = drafts_of(call.body, ours=call.ours)
    if drafts is not None:
        return _keep(call, drafts, single=not call.body.startswith(b"["))
    body = decode(call.body, _BODY)
    single = not isinstance(body, list)
    requests = body if isinstance(body, list) else [body]
    if len(requests) > MAX_ITEMS:
        raise Invalid(("body",), f"more than {MAX_ITEMS} logs", kind="value_error.list.max_items")
    drafts = [draft(request, ("body",) if single else ("body", index)) for index, request in enumerate(requests)]
    return _keep(call, drafts, single=single)


def _keep(call: Call, drafts: Sequence[LogDraft], *, single: bool) -> Response:
    """Keeps what a body holds and answers where each log stands; `single` where it held one alone."""
    work = partial(post, drafts=drafts, now=moments.now(), strict_parents=call.strict_parents, single=single)
    posted = [
        v4.CreateLogResponse(id=log.id, project_id=log.project_id, session_id=log.session_id)
        for log in call.store.write(work)
    ]
    return json(posted[0] if single else posted)


def update_by_id(call: Call) -> Response:
    """`PATCH /logs/{id}`."""
    return _update(call, id=call.path["id"])


def update_by_reference(call: Call) -> Response:
    """`PATCH /logs?reference_id=`: the newest log of that name."""
    reference = call.query.get("reference_id")
    if reference is None:
        raise Invalid(("query", "reference_id"), "field required", kind="value_error.missing")
    return _update(call, reference_id=reference)


def _update(call: Call, *, id: str | None = None, reference_id: str | None = None) -> Response:
    request = decode(call.body, _UPDATE)
    _check_number(request.duration, "duration", MAX_DURATION, ("body",))
    content = Content(output=_json(request.output), error=_json(request.error))

    def work(tx: Connection) -> v4.LogResponse | None:
        key = patch_log(tx, id, reference_id, content, request.duration, now=moments.now())
        return reading.log(tx, key=key)

    return json(call.store.write(work))


def get(call: Call) -> Response:
    """`GET /logs/{id}`."""
    log = call.store.read(partial(reading.log, id=call.path["id"]))
    if log is None:
        raise NotFound("log", call.path["id"])
    return json(log)


def index(call: Call) -> Response:
    """`GET /logs`: a project's, newest first; or, beyond the contract, a session's in the order they started."""
    window = reading.Window(*page_of(call.query, first=0, size=50))
    project_id = call.query.get("project_id")
    for name, column in (("session_id", sessions.c.id), ("session_reference_id", sessions.c.reference_id)):
        value = call.query.get(name)
        if value is not None and project_id is None:
            page = call.store.read(partial(reading.logs_of_session, session=column == value, window=window))
            if page is None:
                raise NotFound("session", value)
            return json(page)
    if project_id is None:
        raise Invalid(("query", "project_id"), "field required", kind="value_error.missing")
    filters = filters_of(call.query)
    work = partial(listing.logs_of_project, project_id=project_id, window=window, filters=filters)
    if not filters.searches:
        page, unread = call.store.read(work), 0
    else:
        page, unread = call.store.search(lambda tx: (work(tx), words.waiting(tx)))
    if page is None:
        raise NotFound("project", project_id)
    answer = json(page)
    if unread:
        answer.headers[UNREAD] = str(unread)
    return answer


def export(call: Call) -> Response:
    """`POST /projects/{id}/export`: all of a project's logs, newest first, in pages."""
    window = reading.Window(*page_of(call.query, first=0, size=10))
    id = call.path["id"]
    page = call.store.read(partial(listing.logs_of_project, project_id=id, window=window, filters=listing.LogFilters()))
    if page is None:
        raise NotFound("project", id)
    return json(page)


def delete(call: Call) -> Response:
    """`DELETE /logs?id=&id=`. Ids that name nothing are nothing to delete."""
    ids = call.query.getlist("id")
    call.store.write(partial(delete_logs, ids=ids, now=moments.now()))
    return empty()


def draft(request: Log, loc: Loc) -> LogDraft:
    """A log of a body, checked and encoded.

    Raises:
        Invalid: A field is out of bounds, or two contradict each other.
    """
    check_log(request, loc)
    for name in ("inputs", "metadata", "provider_request", "provider_response", "config"):
        value: dict[str, Any] = getattr(request, name) or {}
        value.pop("provider_api_keys", None)  # never kept, wherever a client puts them
        check_depth(value, (*loc, name))
    return LogDraft(
        created_at=moments.stated(request.created_at, loc),
        config=None if request.config is None else config_draft(request.config, (*loc, "config")),
        content=Content(**{field: _json(getattr(request, field)) for field in _GIVEN}),
        feedback=inline(request.feedback, loc),
        **{field: getattr(request, field) for field in _SAME},
    )


def check_log(log: msgspec.Struct, loc: Loc) -> None:
    """What names and numbers of a log may be; `log` has the fields of a `LogRequest`.

    Raises:
        Invalid: One is out of bounds, or two contradict each other.
    """
    for one, other in (("session_id", "session_reference_id"), ("parent_id", "parent_reference_id")):
        if getattr(log, one) is not None and getattr(log, other) is not None:
            raise Invalid((*loc, other), f"specify at most one of `{one}` and `{other}`")
    for name in _NAMES:
        value = getattr(log, name)
        if name != "parent_reference_id" or value != NO_PARENT:
            check_name(value, name, loc)
    for name in _LABELS:
        check_label(getattr(log, name), name, loc)
    for name, most in (("duration", MAX_DURATION), ("prompt_tokens", MAX_TOKENS), ("output_tokens", MAX_TOKENS)):
        _check_number(getattr(log, name), name, most, loc)
    for name in ("prompt_cost", "output_cost"):
        _check_number(getattr(log, name), name, MAX_COST, loc)


def _json(value: Any) -> msgspec.Raw | msgspec.UnsetType:
    return msgspec.UNSET if value is None else msgspec.Raw(msgspec.json.encode(value))


def _check_number(value: float | None, name: str, most: float, loc: Loc) -> None:
    if value is not None and not 0 <= value <= most:
        raise Invalid((*loc, name), f"must be between 0 and {most:g}", kind="value_error.number")

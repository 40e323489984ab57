"""What people say about logs: given, given anew, taken back.

A log has one rating, one correction and one comment from each user; saying it again replaces it. Of other types it has
what was said, each value once from each user.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from otel_humanloop import v4
from otel_humanloop.server.failures import NotFound
from otel_humanloop.server.store.ids import new_id
from otel_humanloop.server.store.records import FeedbackDraft
from otel_humanloop.server.store.rows import chunks
from otel_humanloop.server.store.schema import feedback, logs

ONE_OF_EACH = frozenset({"rating", "correction", "comment"})
"""Types of which a user says one thing about a log."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table."""

    key: int
    id: str
    log: int
    type: str
    label: str
    value: bytes
    user: str | None
    created_at: int


def log_keys(tx: Connection, ids: Sequence[str]) -> dict[str, int]:
    """The keys of logs, by id.

    Raises:
        NotFound: One of them does not exist.
    """
    found: dict[str, int] = {}
    for chunk in chunks(sorted(set(ids))):
        found.update((row.id, row.key) for row in tx.execute(select(logs.c.id, logs.c.key).where(logs.c.id.in_(chunk))))
    for id in ids:
        if id not in found:
            raise NotFound("log", id)
    return found


def give(tx: Connection, given: Sequence[tuple[str, int, FeedbackDraft]], *, now: int) -> list[v4.FeedbackResponse]:
    """Writes feedback on logs, each by id and key, in order; returns what stands there now, or was taken back."""
    known = _known(tx, sorted({key for _, key, _ in given}))
    next_key = int(tx.execute(select(func.coalesce(func.max(feedback.c.key), 0))).scalar_one())
    added: dict[int, _Said] = {}
    gone: list[int] = []
    answers: list[v4.FeedbackResponse] = []
    for id, log, draft in given:
        here = known[log]
        replaced = [said for said in here if _is_replaced(said, draft)]
        same = next((said for said in replaced if said.value == draft.value and not draft.unset), None)
        for said in replaced:
            if said is not same:
                here.remove(said)
                if added.pop(said.key, None) is None:
                    gone.append(said.key)
        if draft.unset:
            answers.append(_taken_back(id, draft, replaced, now))
            continue
        if same is None:
            next_key += 1
            same = _said(next_key, log, draft, now)
            added[same.key] = same
            here.append(same)
        answers.append(_answer(id, same))
    for chunk in chunks(gone):
        tx.execute(delete(feedback).where(feedback.c.key.in_(chunk)))
    if added:
        tx.execute(insert(feedback), [msgspec.structs.asdict(said) for said in added.values()])
    for chunk in chunks(list(known)):
        tx.execute(update(logs).where(logs.c.key.in_(chunk)).values(updated_at=now))
    return answers


def of_logs(tx: Connection, ids: dict[int, str]) -> dict[int, list[v4.FeedbackResponse]]:
    """What was said about logs, given as ids by key; by key, the first said first."""
    known = _known(tx, list(ids))
    return {key: [_answer(ids[key], said) for said in here] for key, here in known.items() if here}


def _known(tx: Connection, keys: Sequence[int]) -> dict[int, list[_Said]]:
    known: dict[int, list[_Said]] = {key: [] for key in keys}
    for chunk in chunks(keys):
        statement = select(feedback).where(feedback.c.log.in_(chunk)).order_by(feedback.c.created_at, feedback.c.key)
        for row in tx.execute(statement).mappings():
            known[row["log"]].append(_Said(**row))
    return known


def _is_replaced(said: _Said, draft: FeedbackDraft) -> bool:
    if (said.type, said.user) != (draft.type, draft.user):
        return False
    return draft.type in ONE_OF_EACH or said.value == draft.value or (draft.unset and draft.value is None)


def _said(key: int, log: int, draft: FeedbackDraft, now: int) -> _Said:
    return _Said(
        key=key,
        id=draft.id or new_id("ann"),
        log=log,
        type=draft.type,
        label=draft.label,
        value=draft.value or b'""',
        user=draft.user,
        created_at=now if draft.created_at is None else draft.created_at,
    )


def _taken_back(id: str, draft: FeedbackDraft, replaced: Sequence[_Said], now: int) -> v4.FeedbackResponse:
    """What was there last; where nothing was, what was to be taken back: taking back twice is no error."""
    return _answer(id, replaced[-1] if replaced else _said(0, 0, draft, now))


def _answer(id: str, said: _Said) -> v4.FeedbackResponse:
    fields: dict[str, Any] = {"type": said.type, "value": msgspec.Raw(said.value), "user": said.user}
    created_at = (_EPOCH + timedelta(microseconds=said.created_at)).isoformat()
    return v4.FeedbackResponse(id=said.id, data_id=id, created_at=created_at, **fields)

"""Feedback on a log: what was said, and saying it from the drawer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection

from otel_humanloop import v4
from otel_humanloop.server.failures import Invalid
from otel_humanloop.server.feedback import feedback_draft
from otel_humanloop.server.lines import as_text, shown
from otel_humanloop.server.store import feedback
from otel_humanloop.server.viewer.showing import now

RATINGS = ("good", "bad")
_WORDS = ("comment", "correction")
"""Types that are said in words."""

_LONGEST = 20_000


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """Something said about the log by somebody: `said` is text."""

    type: str
    said: str
    user: str | None


class Opinions(msgspec.Struct, frozen=True, kw_only=True):
    """What was said about a log.

    Attributes:
        rating, comment, correction: What was said here, by nobody in particular; None where nothing was.
        others: All else: by users, and of other types.
    """

    rating: str | None
    comment: str | None
    correction: str | None
    others: list[Opinion]


def opinions_of(log: v4.LogResponse) -> Opinions:
    """The feedback a log carries."""
    own: dict[str, str] = {}
    others: list[Opinion] = []
    for given in log.feedback or []:
        said = shown(as_text(msgspec.json.decode(given.value)))
        if given.user is None and (given.type in _WORDS or (given.type == "rating" and said in RATINGS)):
            own[given.type] = said
        else:
            user = None if given.user is None else shown(given.user)
            others.append(Opinion(type=shown(given.type), said=said, user=user))
    return Opinions(
        rating=own.get("rating"), comment=own.get("comment"), correction=own.get("correction"), others=others
    )


def say(tx: Connection, *, id: str, form: Mapping[str, str]) -> None:
    """Gives what a form of the drawer says: a rating (the same again takes it back), or words (none take them back).

    Raises:
        NotFound: There is no such log.
        Invalid: The rating is none, or the words are too long.
    """
    key = feedback.log_keys(tx, [id])[id]
    said: list[v4.Feedback] = []
    rating = form.get("rating")
    if rating is not None:
        if rating not in (*RATINGS, ""):
            raise Invalid(("body", "rating"), "must be `good` or `bad`")
        said.append(_said("rating", rating))
    for type in _WORDS:
        words: Any = form.get(type)
        if words is not None and rating is None:
            if len(words) > _LONGEST:
                raise Invalid(("body", type), f"longer than {_LONGEST} characters")
            said.append(_said(type, words.replace("\r\n", "\n").strip()))
    drafts = [(id, key, feedback_draft(one, ("body",))) for one in said]
    feedback.give(tx, drafts, now=now())


def _said(type: str, value: str) -> v4.Feedback:
    return v4.Feedback(type=type, value=value) if value else v4.Feedback(type=type, unset=True)

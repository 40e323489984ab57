"""Sessions by the words of their logs, in the order of a list.

A list by time is gone through, some sessions at a time: the index of words is asked for the logs these sessions have,
which came at about one time, and for no others. So a page of what is common costs the same however much there is. Where
that finds too little, and for lists in another order, it depends on how many logs hold the words. Of few, the sessions
are gathered; of many, each session of the list is looked into.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import isqrt
from typing import Any, Protocol

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, exists, func, or_, select, tuple_, union_all

from otel_humanloop.server.store import words
from otel_humanloop.server.store.schema import logs, projects, session_projects, sessions
from otel_humanloop.server.store.statements import one_of, values
from otel_humanloop.server.viewer.filters import Filters

_RARE = 5_000
"""Logs up to which those that fit are gathered, at most; where more fit, the list is gone through."""

_WORTH = 150
"""Sessions times logs: where m logs of n sessions fit, some n / m sessions are looked into to find one."""

_MOST_PROJECTS = 500
"""Projects whose names hold what is sought."""

_FIRST, _MOST = 128, 4_096
"""Sessions that are looked into at once: at first, and at most."""

_SPARSE = 256
"""Sessions for each that fits, beyond which going through the list takes too long."""

_APART = 16
"""Keys to each log, beyond which the logs of some sessions did not come at about one time."""


class _Keys(Protocol):
    """Says which logs hold some words, among those within bounds."""

    def __call__(self, *, within: words.Keys | None = None) -> Select[tuple[int]]: ...


Question = Callable[[words.Keys | None], ColumnElement[bool]]
"""Has a session a log that fits? Within bounds it is asked only of sessions all of whose logs are."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """The order of a list of sessions: by a value, and of the same value by key."""

    value: ColumnElement[Any]
    descending: bool

    def after(self, value: int, key: int) -> ColumnElement[bool]:
        """What comes after that place."""
        place, there = tuple_(self.value, sessions.c.key), tuple_(value, key)
        return place < there if self.descending else place > there

    def of(self, statement: Select[Any]) -> Select[Any]:
        """The statement, in this order."""
        columns = (self.value, sessions.c.key)
        return statement.order_by(*[column.desc() if self.descending else column.asc() for column in columns])


def questions(tx: Connection, filters: Filters) -> list[Question]:
    """What `filters` ask of the index of words."""
    asked: list[Question] = []
    if filters.user is not None:
        asked.append(partial(_has_log, tx, partial(words.of_user, tx, filters.user)))
    if filters.query is not None:
        asked.append(_sought(tx, filters.query))
    return asked


def rows(
    tx: Connection, statement: Select[Any], order: Order, asked: Sequence[Question], number: int, *, by_time: bool
) -> Sequence[Row[Any]]:
    """The first sessions of a list that `asked` leave; at most `number`.

    Args:
        statement: The list, each with its place in it as `value`.
        by_time: The list is by when sessions began, so that those beside each other have logs that came together.
    """
    found: list[Row[Any]] = []
    rest, size, passed = statement, _FIRST, 0
    while by_time and asked and passed <= _SPARSE * len(found) and len(found) < number:
        some = tx.execute(order.of(rest).limit(size)).all()
        fitting = _fitting(tx, [row.key for row in some], asked)
        if fitting is None:
            break
        found.extend(row for row in some if row.key in fitting)
        if len(some) < size:
            return found[:number]
        rest = statement.where(order.after(some[-1].value, some[-1].key))
        passed += size
        size = min(2 * size, _MOST)
    if len(found) < number:
        rest = rest.where(*[fits(None) for fits in asked])
        found.extend(tx.execute(order.of(rest).limit(number - len(found))))
    return found[:number]


def are_few(tx: Connection, keys: Select[tuple[int]]) -> bool:
    """Are these so few that it is quicker to gather them than to look for them where they may be?"""
    there = tx.execute(select(func.coalesce(func.max(sessions.c.key), 0))).scalar_one()
    most = min(_RARE, isqrt(_WORTH * there))
    some = keys.limit(most + 1).subquery()
    return bool(tx.execute(select(func.count()).select_from(some)).scalar_one() <= most)


def sessions_of(keys: Select[tuple[int]]) -> Select[Any]:
    """Keys of the sessions of the logs with these keys."""
    return select(logs.c.session).where(logs.c.key.in_(keys), logs.c.session.is_not(None))


def _fitting(tx: Connection, keys: Sequence[int], asked: Sequence[Question]) -> set[int] | None:
    """Those of these sessions that fit; None where their logs are among too many others for that to be quick."""
    there, given = one_of(tx, logs.c.session, "some"), {"some": values(tx, keys)}
    bounds = select(func.min(logs.c.key), func.max(logs.c.key), func.count()).where(there)
    least, most, count = tx.execute(bounds, given).one()
    within = words.Keys(least or 0, most or 0)
    if within.most - within.least > _APART * max(count, _FIRST):
        return None
    fitting = select(sessions.c.key).where(one_of(tx, sessions.c.key, "some"))
    return set(tx.execute(fitting.where(*[fits(within) for fits in asked]), given).scalars())


def _has_log(tx: Connection, keys: _Keys, within: words.Keys | None) -> ColumnElement[bool]:
    fitting = keys(within=within)
    if within is not None or are_few(tx, fitting):
        return sessions.c.key.in_(sessions_of(fitting))
    return exists().where(logs.c.session == sessions.c.key, logs.c.key.in_(fitting))


def _sought(tx: Connection, query: str) -> Question:
    """Is the session, a log of it or a project in it named so, or does a log hold the words?

    Each question is one that an index answers; one question with `OR` in it would be put to every session.
    """
    prefix = f"sesh_{query}"
    rare: list[Select[Any]] = [
        select(sessions.c.key).where(sessions.c.id == query),
        select(sessions.c.key).where(sessions.c.id >= prefix, sessions.c.id < f"{prefix}\uffff"),
        select(sessions.c.key).where(sessions.c.reference_id == query),
        select(logs.c.session).where(logs.c.id == query, logs.c.session.is_not(None)),
        select(logs.c.session).where(logs.c.reference_id == query, logs.c.session.is_not(None)),
    ]
    common: list[ColumnElement[bool]] = []
    called = select(projects.c.key, projects.c.logs).where(projects.c.name.icontains(query, autoescape=True))
    found = tx.execute(called.limit(_MOST_PROJECTS)).all()
    of_them = session_projects.c.project.in_([row.key for row in found])
    if sum(row.logs for row in found) <= _RARE:
        rare.append(select(session_projects.c.session).where(of_them))
    else:
        common.append(exists().where(session_projects.c.session == sessions.c.key, of_them))

    def of_session(within: words.Keys | None) -> ColumnElement[bool]:
        gathered, looked_for = list(rare), list(common)
        for kind in (words.CONTENT_WORDS, words.METADATA_WORDS):
            fitting = words.holding(tx, kind, query, within)
            if within is not None or are_few(tx, fitting):
                gathered.append(sessions_of(fitting))
            else:
                looked_for.append(exists().where(logs.c.session == sessions.c.key, logs.c.key.in_(fitting)))
        return or_(sessions.c.key.in_(union_all(*gathered)), *looked_for)

    return of_session

"""A project's logs: filtered, searched, sorted, in pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, false, func, select

from otel_humanloop import v4
from otel_humanloop.server.store import words
from otel_humanloop.server.store.reading import Window, log_page
from otel_humanloop.server.store.schema import configs, feedback, logs, projects


class LogFilters(msgspec.Struct, frozen=True, kw_only=True):
    """What `GET /logs` leaves, and in which order. Of several values of one filter, any will do.

    Attributes:
        start, end: Bounds of `created_at` in microseconds since the epoch; `end` is the first moment left out.
        version_status: "committed", "uncommitted" or "deleted"; of the log's config.
        feedback: By type, labels one of which is the latest of that type.
        evaluator: Whether something is asked of evaluators, which are not built: then nothing is left.
        sort: Columns ("source", "model", "timestamp", "feedback-TYPE"), each with whether it descends.
    """

    start: int | None = None
    end: int | None = None
    search: str | None = None
    metadata_search: str | None = None
    version_status: str | None = None
    source: Sequence[str] = ()
    model: Sequence[str] = ()
    feedback: dict[str, Sequence[str]] = {}
    evaluator: bool = False
    sort: Sequence[tuple[str, bool]] = ()

    @property
    def searches(self) -> bool:
        """Does it need the index of words?"""
        return self.search is not None or self.metadata_search is not None


def logs_of_project(
    tx: Connection, project_id: str, window: Window, filters: LogFilters
) -> v4.Page[v4.LogResponse] | None:
    """A page of a project's logs, newest first unless `filters` sort them; None if there is no such project."""
    project = tx.execute(select(projects.c.key, projects.c.logs).where(projects.c.id == project_id)).one_or_none()
    if project is None:
        return None
    narrowing = _narrowing(tx, filters)
    where = and_(logs.c.project == project.key, *narrowing)
    total = project.logs
    if narrowing:
        total = tx.execute(select(func.count()).select_from(logs).where(where)).scalar_one()
    newest = (logs.c.created_at.desc(), logs.c.key.desc())
    return log_page(tx, where, (*map(_order, filters.sort), *newest), window, total)


def _narrowing(tx: Connection, filters: LogFilters) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if filters.start is not None:
        where.append(logs.c.created_at >= filters.start)
    if filters.end is not None:
        where.append(logs.c.created_at < filters.end)
    if filters.source:
        where.append(logs.c.source.in_(filters.source))
    made: list[ColumnElement[bool]] = [configs.c.model.in_(filters.model)] if filters.model else []
    if filters.version_status is not None:
        made.append(configs.c.status == filters.version_status)
    if made:
        where.append(logs.c.config.in_(select(configs.c.key).where(*made)))
    for type, labels in filters.feedback.items():
        said = select(feedback.c.log).where(feedback.c.type == type, feedback.c.label.in_(labels))
        where.extend((logs.c.key.in_(said), _latest(type).in_(labels)))
    if filters.search is not None:
        where.append(logs.c.key.in_(words.holding(tx, words.CONTENT_WORDS, filters.search)))
    if filters.metadata_search is not None:
        where.append(logs.c.key.in_(words.holding(tx, words.METADATA_WORDS, filters.metadata_search)))
    if filters.evaluator:
        where.append(false())
    return where


def _latest(type: str) -> ColumnElement[Any]:
    """The label of the latest feedback of a type on a log."""
    return (
        select(feedback.c.label)
        .where(feedback.c.log == logs.c.key, feedback.c.type == type)
        .order_by(feedback.c.created_at.desc(), feedback.c.key.desc())
        .limit(1)
        .correlate(logs)
        .scalar_subquery()
    )


def _order(sort: tuple[str, bool]) -> ColumnElement[Any]:
    """Logs without a value stand last, whichever way."""
    name, descending = sort
    if name.startswith("feedback-"):
        value = _latest(name.removeprefix("feedback-"))
    else:
        value = {"source": logs.c.source, "model": configs.c.model, "timestamp": logs.c.created_at}[name]
    return (value.desc() if descending else value.asc()).nulls_last()

"""The filters, sorts and searches of `GET /logs`, out of its query string."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import QueryParams

from otel_humanloop.server import moments
from otel_humanloop.server.failures import Invalid
from otel_humanloop.server.requests import MAX_NAME, choice
from otel_humanloop.server.store.listing import LogFilters

_STATUSES = ("uncommitted", "committed", "deleted")
_SORTED = ("source", "model", "timestamp")
_MAX_SORTS = 10
_FEEDBACK, _EVALUATOR, _FILTER = "feedback-", "evaluator-", "_filter"


def filters_of(query: QueryParams) -> LogFilters:
    """What a query string asks for; names that mean nothing are left alone.

    Raises:
        Invalid: A value of a name that means something means nothing.
    """
    said: dict[str, Sequence[str]] = {
        name.removeprefix(_FEEDBACK).removesuffix(_FILTER): query.getlist(name)
        for name in query
        if name.startswith(_FEEDBACK) and name.endswith(_FILTER)
    }
    return LogFilters(
        start=moments.bound(query, "start_date"),
        end=moments.bound(query, "end_date", closing=True),
        search=_text(query, "search"),
        metadata_search=_text(query, "metadata_search"),
        version_status=choice(query, "version_status", "", _STATUSES) if "version_status" in query else None,
        source=query.getlist("source_filter"),
        model=query.getlist("model_filter"),
        feedback=said,
        evaluator=any(name.startswith(_EVALUATOR) and name.endswith(_FILTER) for name in query),
        sort=_sorts(query),
    )


def _text(query: QueryParams, name: str) -> str | None:
    """An empty search is none: a search field that nobody filled in."""
    text = query.get(name)
    if text is not None and len(text) > MAX_NAME:
        raise Invalid(("query", name), f"longer than {MAX_NAME} characters", kind="value_error.any_str.max_length")
    return text or None


def _sorts(query: QueryParams) -> list[tuple[str, bool]]:
    sorts: list[tuple[str, bool]] = []
    for text in query.getlist("sort"):
        column, _, direction = text.rpartition(".")
        if direction not in ("asc", "desc"):
            raise Invalid(("query", "sort"), f"`{text}` must end in .asc or .desc")
        if column.startswith(_EVALUATOR):
            continue  # evaluators are not built: no log has a result to sort by
        if column not in _SORTED and not column.startswith(_FEEDBACK):
            raise Invalid(("query", "sort"), f"`{column}` must be one of: {', '.join(_SORTED)}, feedback-TYPE")
        sorts.append((column, direction == "desc"))
    if len(sorts) > _MAX_SORTS:
        raise Invalid(("query", "sort"), f"more than {_MAX_SORTS} columns")
    return sorts

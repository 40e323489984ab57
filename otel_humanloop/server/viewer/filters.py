"""Which sessions a list shows, and in what order: the query string of the list's page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timezone
from urllib.parse import urlencode

import msgspec

from otel_humanloop.server.viewer.text import instant

SORTS = ("start", "duration", "logs", "tokens", "cost")
SIZE = 50

_DAY = 86_400_000_000


class Cursor(msgspec.Struct, frozen=True):
    """A place in a list: the sorted value and the key of the session it stands at."""

    value: int
    key: int

    def __str__(self) -> str:
        return f"{self.value}~{self.key}"


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for. Times in microseconds since the epoch, duration in seconds, cost in dollars.

    Attributes:
        query: Words to look for.
        until: Exclusive.
        sort: One of `SORTS`, the largest or newest first unless `ascending`.
        after, before: Where the page begins or ends; at most one of them.
    """

    project: str | None = None
    query: str | None = None
    model: str | None = None
    user: str | None = None
    errors: bool = False
    since: int | None = None
    until: int | None = None
    min_duration: float | None = None
    min_cost: float | None = None
    sort: str = "start"
    ascending: bool = False
    after: Cursor | None = None
    before: Cursor | None = None

    @property
    def narrowed(self) -> bool:
        """Some sessions may be left out."""
        return self != Filters(sort=self.sort, ascending=self.ascending, after=self.after, before=self.before)

    @property
    def filtered(self) -> bool:
        """Something other than words may leave sessions out."""
        return msgspec.structs.replace(self, query=None).narrowed

    @property
    def search_alone(self) -> str:
        """The page with the words and nothing else."""
        return f"/?{urlencode({'q': self.query or ''})}"

    @property
    def live(self) -> bool:
        """New sessions come in at the top: the newest are shown first, from the first on."""
        return self.sort == "start" and not self.ascending and self.after is None and self.before is None

    @property
    def until_day(self) -> str | None:
        """The last day that is asked for."""
        return None if self.until is None else self.day(self.until - _DAY)

    def address(self, **changes: object) -> str:
        """The page with these filters, changed."""
        fields = msgspec.structs.asdict(msgspec.structs.replace(self, **changes))
        said = {
            "project": fields["project"],
            "q": fields["query"],
            "model": fields["model"],
            "user": fields["user"],
            "errors": "1" if fields["errors"] else None,
            "since": self.day(fields["since"]),
            "until": self.until_day,
            "min_duration": fields["min_duration"],
            "min_cost": fields["min_cost"],
            "sort": None if fields["sort"] == "start" else fields["sort"],
            "order": "asc" if fields["ascending"] else None,
            "after": fields["after"],
            "before": fields["before"],
        }
        query = urlencode({name: value for name, value in said.items() if value is not None})
        return f"/?{query}" if query else "/"

    def sorted_by(self, sort: str) -> str:
        """The first page in another order; in the other direction where it is this one already."""
        turned = self.sort == sort and not self.ascending
        return self.address(sort=sort, ascending=turned, after=None, before=None)

    @staticmethod
    def day(moment: int | None) -> str | None:
        """The date of a moment, as a form's date field has it."""
        return None if moment is None else instant(moment).strftime("%Y-%m-%d")


def filters_of(query: Mapping[str, str]) -> Filters:
    """Filters of a query string. What cannot be read is not asked for: a page is better than a refusal."""
    until = _moment(query.get("until"))
    sort = query.get("sort", "start")
    return Filters(
        project=_words(query.get("project")),
        query=_words(query.get("q")),
        model=_words(query.get("model")),
        user=_words(query.get("user")),
        errors=query.get("errors") == "1",
        since=_moment(query.get("since")),
        until=None if until is None else until + _DAY,
        min_duration=_number(query.get("min_duration")),
        min_cost=_number(query.get("min_cost")),
        sort=sort if sort in SORTS else "start",
        ascending=query.get("order") == "asc",
        after=_cursor(query.get("after")),
        before=_cursor(query.get("before")),
    )


def _words(text: str | None) -> str | None:
    return (text or "").replace("\0", "").strip()[:500] or None  # PostgreSQL's text cannot hold U+0000


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 < number < 1e12 else None


def _moment(text: str | None) -> int | None:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    if not 1970 <= day.year <= 9900:
        return None
    return int(datetime(day.year, day.month, day.day, tzinfo=timezone.utc).timestamp()) * 1_000_000


def _cursor(text: str | None) -> Cursor | None:
    value, _, key = (text or "").partition("~")
    try:
        cursor = Cursor(int(value), int(key))
    except ValueError:
        return None
    return cursor if abs(cursor.value) < 2**63 and abs(cursor.key) < 2**63 else None

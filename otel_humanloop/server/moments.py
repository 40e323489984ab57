"""Points in time as requests state them, in microseconds since the epoch, UTC."""

from __future__ import annotations

import re
import time
from datetime import date, datetime, timedelta, timezone

import msgspec
from starlette.datastructures import QueryParams

from otel_humanloop.server.failures import Invalid, Loc

_EARLIEST = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LATEST = datetime(9900, 1, 1, tzinfo=timezone.utc)
_FORM = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[Tt ](?P<minute>\d\d:\d\d)(?P<second>:\d\d(?:\.\d+)?)?"
    r"(?P<zone>[Zz]|(?P<sign>[+ -])(?P<hours>\d\d):?(?P<minutes>\d\d)?)?",
    re.ASCII,
)
"""What the service documented: `YYYY-MM-DD[T]HH:MM[:SS[.ffffff]][Z or [±]HH[:]MM]`."""


def now() -> int:
    """This moment."""
    return time.time_ns() // 1000


def stated(text: str | None, loc: Loc) -> int | None:
    """The `created_at` of a body: ISO 8601, in UTC where it names no zone.

    Raises:
        Invalid: It is no date and time, or none that can be kept.
    """
    if text is None:
        return None
    try:
        moment = _utc(_read(text))
    except (msgspec.ValidationError, OverflowError) as error:
        raise Invalid((*loc, "created_at"), "not an ISO 8601 date and time", kind="value_error.datetime") from error
    return kept(moment, loc)


def kept(moment: datetime, loc: Loc) -> int:
    """The `created_at` of a body that has been decoded to a moment with a zone.

    Raises:
        Invalid: It is none that can be kept.
    """
    if not _EARLIEST <= moment <= _LATEST:
        raise Invalid((*loc, "created_at"), "must be between the years 1970 and 9900", kind="value_error.datetime")
    return _microseconds(moment)


def bound(query: QueryParams, name: str, *, closing: bool = False) -> int | None:
    """A date or a time of the query string; a closing date includes its whole day.

    Raises:
        Invalid: It is neither.
    """
    text = query.get(name)
    if text is None:
        return None
    try:
        if len(text) == len("2024-06-01"):
            day = date.fromisoformat(text)
            moment = datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
            return _microseconds(moment + timedelta(days=1) if closing else moment)
        return _microseconds(_utc(_read(text))) + (1 if closing else 0)
    except (ValueError, OverflowError, msgspec.ValidationError) as error:
        raise Invalid(("query", name), "neither a date nor a date and time", kind="value_error.date") from error


def _read(text: str) -> datetime:
    """A date and time in any of the forms that the service took.

    Raises:
        msgspec.ValidationError: It is in none of them.
    """
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        match = _FORM.fullmatch(text)
        if match is None:
            raise
    zone = match["zone"] or ""
    if match["sign"] is not None:
        # in a query string a plus sign that was not escaped is a space
        zone = f"{match['sign'].replace(' ', '+')}{match['hours']}:{match['minutes'] or '00'}"
    return msgspec.convert(f"{match['day']}T{match['minute']}{match['second'] or ':00'}{zone}", datetime)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)


def _microseconds(moment: datetime) -> int:
    return (moment - _EARLIEST) // timedelta(microseconds=1)

"""Values as text for a page: durations, money, times. Content that nobody here wrote is `server/lines.py`'s."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from otel_humanloop.server.lines import shown

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICRO = 1_000_000


def duration(seconds: float) -> str:
    """`340 ms`, `1.51 s`, `2 m 05 s`, `3 h 20 m`."""
    if seconds < 0.001:
        return f"{seconds * _MICRO:.0f} µs" if seconds > 0 else "0 ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.995:
        return f"{seconds:.2f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60:02d} m"


def money(dollars: float) -> str:
    """US dollars, with as many digits as say something: `$12.30`, `$0.0042`, `$0.0000031`."""
    if dollars >= 1:
        return f"${dollars:,.2f}"
    if dollars == 0:
        return "$0"
    return f"${dollars:.4f}" if dollars >= 0.001 else f"${dollars:.2g}" if dollars >= 0.0001 else f"${dollars:.7f}"


def count(number: int) -> str:
    """`1,234`."""
    return f"{number:,}"


def short(number: float) -> str:
    """`950`, `1.2k`, `3.4M`."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if number >= size:
            scaled = number / size
            return f"{scaled:.1f}{unit}" if scaled < 100 else f"{scaled:.0f}{unit}"
    return f"{number:.0f}"


def instant(microseconds: int) -> datetime:
    """A stored time."""
    return _EPOCH + timedelta(microseconds=microseconds)


def iso(microseconds: int) -> str:
    """A stored time for a machine: `2024-06-01T12:00:00.123+00:00`."""
    return instant(microseconds).isoformat(timespec="milliseconds")


def when(microseconds: int) -> str:
    """A stored time for reading: `2024-06-01 12:00:00 UTC`."""
    return instant(microseconds).strftime("%Y-%m-%d %H:%M:%S UTC")


def ago(microseconds: int, now: int) -> str:
    """How long ago, in its largest unit: `just now`, `4 min ago`, `3 days ago`."""
    seconds = (now - microseconds) // _MICRO
    if seconds < 0:
        return "in the future"
    for size, unit in ((86400 * 365, "year"), (86400 * 30, "month"), (86400, "day"), (3600, "hour"), (60, "min")):
        number = seconds // size
        if number:
            return f"{number} {unit}{'s' if number > 1 and unit != 'min' else ''} ago"
    return "just now" if seconds < 5 else f"{seconds} s ago"


def short_id(id: str) -> str:
    """Five characters of an id that tell it from others: `sesh_6yhGH...` is `6yhGH`, as Humanloop showed it. Of a log's
    id, which begins with its time, the last five."""
    prefix, _, rest = id.partition("_")
    return rest[-5:] if prefix == "data" else rest[:5]


FILTERS: tuple[Callable[..., str], ...] = (ago, count, duration, iso, money, short, short_id, shown, when)
"""What templates may call."""

"""Values as text for a page: durations, money, times, and content that nobody here wrote.

Content is shown as what it is. Characters that would act on a terminal or turn the reading direction of what follows
are shown by their names; the template escapes the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICRO = 1_000_000

# C0 controls but tab and newline, DEL, C1 controls, and the controls of the bidirectional algorithm that reach beyond
# themselves (embeddings, overrides, isolates): https://www.unicode.org/reports/tr9/
_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

_UNEVEN = re.compile(r"^\s|\s$|\s\s|[^\S ]|" + _ACTING.pattern)
"""What text on one line does not have: space at its ends or twice, other space than blanks, acting characters."""


def shown(text: str) -> str:
    """Text whose control characters are seen instead of obeyed: an escape character as `␛`."""
    return _ACTING.sub(_named, text.replace("\r\n", "\n"))


def _named(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


def as_text(value: Any) -> str:
    """A JSON value as text: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def line(value: Any, most: int) -> str:
    """A JSON value on one line, at most that many characters of it."""
    text = as_text(value)
    cut = text[: most + 1]
    if _UNEVEN.search(cut) is None:
        return cut if len(cut) <= most else f"{cut[:most]}…"
    cut = " ".join(text[: 4 * most].split())
    return shown(cut[:most]) + ("…" if len(cut) > most or len(text) > 4 * most else "")


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
    """The five characters Humanloop showed of an id: `data_6yhGH...` is `6yhGH`."""
    return id.partition("_")[2][:5]


FILTERS: tuple[Callable[..., str], ...] = (ago, count, duration, iso, money, short, short_id, shown, when)
"""What templates may call."""

"""Text from elsewhere, made fit for a line of a terminal: no control characters, no more cells than there is room."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

ELLIPSIS = "…"

# Everything a terminal may take for a command, or that turns the order of what follows: control characters (C0, DEL,
# C1), line and paragraph separators, marks and overrides of direction, lone surrogates.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
_BLANKS = re.compile("[ \t\r\n\v\f\x85\u2028\u2029]+")


def clean(text: str) -> str:
    """The text on one line, its runs of white space as one space, and what a terminal would obey made visible."""
    return _UNSAFE.sub(_visible, _BLANKS.sub(" ", text).strip(" "))


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return "\ufffd"


def cells(text: str) -> int:
    """How many cells of a terminal the text takes: two for wide characters, none for marks that combine."""
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def shorten(text: str, width: int) -> str:
    """The text cleaned, and cut to `width` cells."""
    return cut(clean(text), width)


def cut(text: str, width: int) -> str:
    """Clean text, cut to `width` cells, with an ellipsis where something was cut."""
    taken = end = 0
    for index, character in enumerate(text):
        taken += _cells_of(character)
        if taken > width:
            return text[:end].rstrip() + ELLIPSIS if width > 0 else ""
        if taken < width:
            end = index + 1
    return text


def share(natural: Sequence[int], room: int, *, least: int = 8) -> list[int]:
    """Widths for texts side by side: the short ones as they are, the long ones equal parts of what is left.

    Args:
        natural: The cells each text takes.
        room: The cells there are for all of them.
        least: What each gets even where there is no room.
    """
    widths = list(natural)
    order = sorted(range(len(natural)), key=natural.__getitem__)
    for done, index in enumerate(order):
        widths[index] = min(natural[index], max(room // (len(order) - done), least))
        room -= widths[index]
    return widths

"""Values that anybody may have written, as text that does no harm where it is shown.

Content is shown as what it is. Characters that would act on a terminal or turn the reading direction of what follows
are shown by their names; whatever escapes a page's markup does so besides.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

# C0 controls but tab and newline, DEL, C1 controls, and the controls of the bidirectional algorithm that reach beyond
# themselves (embeddings, overrides, isolates): https://www.unicode.org/reports/tr9/
_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


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
    if _is_even(cut):
        return cut if len(cut) <= most else f"{cut[:most]}…"
    cut = " ".join(text[: 4 * most].split())
    return shown(cut[:most]) + ("…" if len(cut) > most or len(text) > 4 * most else "")


def _is_even(text: str) -> bool:
    """Is it on one line already: no space at its ends or twice, no space but blanks, no characters that act?

    Those are among the characters that cannot be printed. Others of them are none of these, and are left as they are.
    """
    return text.isprintable() and "  " not in text and not text.startswith(" ") and not text.endswith(" ")

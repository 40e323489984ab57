"""Names Humanloop can keep: of projects, sessions, models and tools."""

from __future__ import annotations

MARK = "[redacted"
"""How everything begins that stands in the place of something redacted."""

_LONGEST = 200  # characters


def usable(text: str | None) -> str | None:
    """The text without control characters, cut to a length any server takes; None where nothing is left of it."""
    if text is None:
        return None
    if len(text) <= _LONGEST and text.isprintable():  # nearly all are
        return text.strip() or None
    return "".join(letter for letter in text[:_LONGEST] if letter.isprintable()).strip() or None


def storable(text: str | None) -> str | None:
    """The name of a model or a tool without U+0000, which databases keep in no column; None where nothing is left."""
    return text if text is None or "\0" not in text else text.replace("\0", "") or None


def distinct(name: str | None) -> str | None:
    """The name of a session, usable, or None where it was redacted: what remains of two people's may be the same."""
    return usable(name) if name is None or MARK not in name else None

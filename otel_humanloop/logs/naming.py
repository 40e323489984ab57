"""Names Humanloop can keep: of projects and sessions."""

from __future__ import annotations

_LONGEST = 200  # characters


def usable(text: str | None) -> str | None:
    """The text without control characters, cut to a length any server takes; None where nothing is left of it."""
    if text is None:
        return None
    return "".join(letter for letter in text[:_LONGEST] if letter.isprintable()).strip() or None

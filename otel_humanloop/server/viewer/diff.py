"""Two texts, line by line."""

from __future__ import annotations

from difflib import SequenceMatcher

import msgspec

_MOST = 2_000
"""Lines of each text that are compared: what is further down is not looked at."""

_AROUND = 2
"""Lines that are the same, kept before and after those that differ."""


class Line(msgspec.Struct, frozen=True):
    """`change` is "same", "gone", "come", or "skip" (where `text` says how many lines are the same)."""

    change: str
    text: str


def lines(before: str, after: str) -> list[Line]:
    """What became of `before`: its lines, those that went and those that came, without long stretches of the same."""
    old, new = before.splitlines()[:_MOST], after.splitlines()[:_MOST]
    found: list[Line] = []
    for kind, old_start, old_end, new_start, new_end in SequenceMatcher(None, old, new).get_opcodes():
        if kind == "equal":
            found.extend(_same(old[old_start:old_end], first=old_start == 0, last=old_end == len(old)))
        else:
            found.extend(Line("gone", text) for text in old[old_start:old_end])
            found.extend(Line("come", text) for text in new[new_start:new_end])
    return found


def _same(stretch: list[str], *, first: bool, last: bool) -> list[Line]:
    head = 0 if first else _AROUND
    tail = 0 if last else _AROUND
    left_out = len(stretch) - head - tail
    if left_out <= 1:
        return [Line("same", text) for text in stretch]
    return [
        *(Line("same", text) for text in stretch[:head]),
        Line("skip", f"{left_out} lines are the same"),
        *(Line("same", text) for text in stretch[len(stretch) - tail :]),
    ]

"""What came of taking things in: how many of each kind are new, what is worth knowing, and what was refused and why."""

from __future__ import annotations

from collections import Counter

_MOST = 1_000
"""Refusals, and notes, that are named; of more, how many there are is said."""


class Tally:
    """Counts while lines are taken in.

    Attributes:
        made: By kind, how many are new.
    """

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()
        self._refused: list[str] = []
        self._refusals = 0
        self._notes: dict[str, None] = {}

    def take(self, kind: str, count: int) -> None:
        """So many more of a kind are new."""
        if count:
            self.made[kind] += count

    @property
    def refusals(self) -> int:
        """How many lines could not be taken."""
        return self._refusals

    def refuse(self, place: str, reason: str) -> None:
        """A line, or a file, cannot be taken."""
        self._refusals += 1
        if len(self._refused) < _MOST:
            self._refused.append(f"{place}: {reason}")

    def note(self, text: str) -> None:
        """Something was done that might surprise. Said once, however often it was done."""
        if len(self._notes) < _MOST:
            self._notes[text] = None

    def notes(self) -> list[str]:
        """In the order they were made."""
        return list(self._notes)

    def refused(self) -> list[str]:
        """Where, and why."""
        more = self._refusals - len(self._refused)
        return [*self._refused, f"and {more:,} more"] if more else list(self._refused)

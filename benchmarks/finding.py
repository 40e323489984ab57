"""What a measure takes, and what is told of it: tables for people, and for each target whether it was met."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from benchmarks.contest import Spread
from benchmarks.scale import Scale

Figures = dict[str, Any]
"""What was measured, as it was measured and as JSON can hold it: every round by itself."""


class Target(NamedTuple):
    """A target, what was measured, and what was wanted, both in words a row can hold."""

    what: str
    measured: str
    wanted: str
    met: bool

    @classmethod
    def most(cls, what: str, measured: Spread, limit: float, unit: str = "x") -> Target:
        """A number that is to be no greater than the limit."""
        return cls(what, spread(measured, unit), f"<= {number(limit)}{unit}", measured.median <= limit)

    @classmethod
    def least(cls, what: str, measured: Spread, limit: float, unit: str = "x") -> Target:
        """A number that is to be no less than the limit."""
        return cls(what, spread(measured, unit), f">= {number(limit)}{unit}", measured.median >= limit)


class Table(NamedTuple):
    """Columns, and rows of as many cells."""

    columns: list[str]
    rows: list[list[str]]


class Finding(NamedTuple):
    """What one measure found, in words.

    Attributes:
        title: A heading.
        how: What was done, and what is not alike between those compared.
        plots: File name -> SVG, for those that `how` shows.
    """

    title: str
    how: str
    targets: list[Target]
    tables: list[Table]
    plots: dict[str, str] = {}  # noqa: RUF012  # never changed: a NamedTuple's default


class Measure(Protocol):
    """A module of `measures/`."""

    ENVIRONMENTS: tuple[str, ...]
    """What it is measured in; their versions are told."""

    def measure(self, scale: Scale) -> Figures:
        """Does the work, which takes minutes."""
        ...

    def find(self, figures: Figures) -> Finding:
        """Says what the figures say; of the same figures always the same."""
        ...


def spread(measured: Spread, unit: str = "") -> str:
    """Median, and from least to greatest."""
    if measured.least == measured.greatest:
        return f"{number(measured.median)}{unit}"
    return f"{number(measured.median)}{unit} [{number(measured.least)}..{number(measured.greatest)}]"


def number(value: float) -> str:
    """Three figures that count."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"

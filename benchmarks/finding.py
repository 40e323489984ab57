"""What a measure finds: tables for people, and for each target of this project whether it was met."""

from __future__ import annotations

from typing import Any, NamedTuple

from benchmarks.contest import Spread


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
    """What one measure found.

    Attributes:
        title: A heading.
        how: What was done, and what is not alike between those compared.
        limits: Where a target was not met: what keeps it from being met.
    """

    title: str
    how: str
    targets: list[Target]
    tables: list[Table]
    limits: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            **self._asdict(),
            "targets": [target._asdict() for target in self.targets],
            "tables": [table._asdict() for table in self.tables],
        }

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Finding:
        """What `plain` gave."""
        return cls(
            **{
                **plain,
                "targets": [Target(**target) for target in plain["targets"]],
                "tables": [Table(**table) for table in plain["tables"]],
            }
        )


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

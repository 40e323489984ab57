"""Which optional parts of the installation are there, by its own metadata."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version

from otel_humanloop.errors import MissingExtra

EXTRAS = ("openai", "server", "postgres", "bridge", "kafka", "prices", "terminal", "gzip", "zstd")
"""The extras a user chooses from, by name."""


def missing(extra: str) -> list[str]:
    """The distributions of an extra that are not installed, by name."""
    names = (_name_in(requirement, extra) for requirement in requires("otel-humanloop") or ())
    return [name for name in names if name is not None and installed_version(name) is None]


def require(part: str, extra: str) -> None:
    """Lets a part go on that needs an extra.

    Args:
        part: What was asked for, as the user calls it.
        extra: The extra's name.

    Raises:
        MissingExtra: Something of the extra is not installed.
    """
    if missing(extra):
        raise MissingExtra(part, extra)


def installed_version(distribution: str) -> str | None:
    """The version of a distribution; None where it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _name_in(requirement: str, extra: str) -> str | None:
    """The distribution a requirement names, where it belongs to the extra: `rich>=13.9; extra == 'server'`.

    None too where it is for older Pythons than this one: `python_version < '3.14' and extra == 'server'`.
    """
    specifier, _, marker = requirement.partition(";")
    named = re.match(r"[A-Za-z0-9._-]+", specifier)
    belongs = re.search(r"""extra\s*==\s*['"]([^'"]+)['"]""", marker)
    before = re.search(r"""python_version\s*<\s*['"]3\.([0-9]+)['"]""", marker)
    is_past = before is not None and sys.version_info >= (3, int(before.group(1)))
    return named.group() if named and belongs and belongs.group(1) == extra and not is_past else None

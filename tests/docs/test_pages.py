"""The pages made of tables are what the tables say."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from otel_humanloop.reading import conventions
from otel_humanloop.reading.convention import discover

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def pages() -> dict[Path, str]:
    made: dict[str, Any] = runpy.run_path(str(DOCS / "make.py"))
    return made["pages"]()


@pytest.mark.parametrize("page", ["conventions.md", "tokens.md"])
def test_a_page_is_what_its_tables_say(pages: dict[Path, str], page: str) -> None:
    """After a change to a convention: `make docs`."""
    assert (DOCS / page).read_text(encoding="utf-8") == pages[DOCS / page]


def test_every_convention_is_there_with_its_keys(pages: dict[Path, str]) -> None:
    page = pages[DOCS / "conventions.md"]
    for convention in discover(conventions):
        assert f"\n### {convention.name}\n" in page
        for key in (*convention.keys, *convention.scopes, *convention.events):
            assert f"`{key}`" in page

"""What a page looks like where its content or its screen is unusual."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support_sessions import agent

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api")

COLUMNS = """table => [...table.rows].map(row => [...row.cells].filter(cell => cell.checkVisibility())
    .map(cell => Math.round(cell.getBoundingClientRect().left)))"""


@pytest.mark.parametrize("width", [1440, 1000])
@pytest.mark.parametrize("path", ["/", "/projects", "project"])
def test_every_column_stands_below_its_heading(browse: Callable[..., Any], post: Any, width: int, path: str) -> None:
    answers = post(*agent())
    page = browse(viewport={"width": width, "height": 800}).go(
        path if path != "project" else f"/projects/{answers[0]['project_id']}?period=all"
    )
    tables = page.locator("table.list")
    assert tables.count() >= 1
    for table in tables.all():
        heading, *rows = table.evaluate(COLUMNS)
        assert len(rows) >= 1
        assert all(row == heading for row in rows)


def test_a_variable_without_a_value_stays_in_its_line(browse: Callable[..., Any], post: Any) -> None:
    config = {"model": "gpt-4o", "prompt_template": "Say {{given}} and {{missing}}."}
    (made,) = post({"config": config, "inputs": {"given": "x"}})
    page = browse().go(f"/logs/{made['id']}?tab=config")
    boxes = [mark.bounding_box() for mark in page.locator("mark").all()]
    assert len(boxes) == 2
    assert boxes[0]["height"] == boxes[1]["height"]
    assert boxes[0]["y"] == boxes[1]["y"]


def test_aligned_columns_of_a_table_a_model_wrote_are_aligned(browse: Callable[..., Any], post: Any) -> None:
    (made,) = post({"output": "|item|price|\n|:-|-:|\n|tea|1|"})
    page = browse().go(f"/logs/{made['id']}?tab=io")
    cells = page.locator(".prose td").evaluate_all("all => all.map(one => getComputedStyle(one).textAlign)")
    assert cells == ["left", "right"]

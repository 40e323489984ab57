"""What a page looks like where its content or its screen is unusual."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support_sessions import agent, session_id

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


def nested(depth: int) -> list[dict[str, Any]]:
    """Logs each below the one before, with names that are too long for any line."""
    return [
        {
            "reference_id": str(n),
            **({"parent_reference_id": str(n - 1)} if n else {}),
            "project": f"a-project-of-{n}-" + "name" * 20,
            "config": {"type": "tool", "name": "tool" * 15, "other": {"kind": "chain"}},
            "inputs": {"question" * 10: "why" * 200},
            "output": "W" * 2000,
            "duration": 1.0,
        }
        for n in range(depth)
    ]


@pytest.mark.parametrize("width", [390, 1000, 1440])
def test_thirty_levels_of_long_names_stay_on_the_screen(
    browse: Callable[..., Any], post: Any, server: Any, width: int
) -> None:
    logs = post(*nested(30))
    post({"session_reference_id": "t"})
    session = session_id(server)
    watched = browse(viewport={"width": width, "height": 844})
    for path in (
        f"/sessions/{session}",
        f"/sessions/{session}/logs/{logs[29]['id']}",
        f"/compare?s={session}&s={session_id(server, 't')}",
        f"/projects/{logs[29]['project_id']}",
        "/",
        "/projects",
    ):
        page = watched.go(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert all(box.bounding_box()["width"] >= 40 for box in page.locator(".row:not([hidden]) .open").all())
        for drawer in page.locator(".drawer").all():
            assert drawer.evaluate("one => one.scrollWidth <= one.clientWidth"), "nothing of the drawer is cut off"


def test_what_cannot_be_folded_or_found_is_not_offered_until_it_can(
    browse: Callable[..., Any], post: Any, server: Any
) -> None:
    logs = agent()
    post(logs[0])
    page = browse().go_live(f"/sessions/{session_id(server)}")
    offers = page.locator(".fold-all"), page.locator(".only-failed")
    for offer in offers:
        sync_api.expect(offer).to_be_hidden()
    post(*logs[1:])
    for offer in offers:
        sync_api.expect(offer).to_be_visible()


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

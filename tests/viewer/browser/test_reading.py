"""Reading sessions in a browser."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support_sessions import agent, many, session_id, shown

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).parents[3]


def test_the_guides_session_reads_as_the_guide_shows_it(browse: Callable[..., Any], server: Any) -> None:
    pytest.importorskip("openai")
    from otel_humanloop.demo.guide import GUIDE
    from otel_humanloop.demo.model_server import ModelServer
    from otel_humanloop.demo.run import environment

    with ModelServer(GUIDE) as model:
        openai = {"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "any"}
        environ = environment(os.environ, base_url=f"{server.url}/v4", openai=openai)
        subprocess.run([sys.executable, str(ROOT / "examples" / "chain.py")], env=environ, check=True, timeout=120)
    page = browse().go("/")
    page.locator("[data-row] .id a").first.click()
    sync_api.expect(page.locator("h1")).to_have_text("Which country won Eurovision 2023?")
    assert shown(page) == ["sessions_example_moderator", "sessions_example_google", "sessions_example_assistant"]
    assert page.locator(".row .icon").evaluate_all("all => all.map(one => one.getAttribute('aria-label'))") == [
        "model",
        "tool",
        "model",
    ]
    chips = page.locator(".row").last.locator(".chip").all_inner_texts()
    assert chips[:2] == ["user_request Which country won Eurovision 2023?", "google_answer Sweden"]
    assert "Sweden" in chips[-1]


def test_a_log_opens_over_its_session_and_the_address_says_so(
    browse: Callable[..., Any], post: Any, server: Any
) -> None:
    answers = post(*agent())
    page = browse().go(f"/sessions/{session_id(server)}")
    page.locator(".row", has_text="model").locator(".open").last.click()
    drawer = page.locator(".drawer")
    sync_api.expect(drawer.locator("strong")).to_have_text("So.")
    page.wait_for_url(f"**/logs/{answers[2]['id']}")
    assert shown(page) == ["agent", "turn", "model", "tool"]
    drawer.get_by_role("link", name="Raw").click()
    sync_api.expect(drawer.locator(".json")).to_contain_text('"project": "model"')
    drawer.get_by_role("link", name="Next log").click()
    sync_api.expect(drawer.locator(".failure")).to_contain_text("slow")
    page.wait_for_url(f"**/logs/{answers[3]['id']}?tab=raw")
    page.go_back()
    sync_api.expect(drawer.locator(".json")).to_contain_text('"project": "model"')
    page.reload()
    sync_api.expect(drawer.locator(".json")).to_contain_text('"project": "model"')
    drawer.get_by_role("link", name="Close the log").click()
    sync_api.expect(drawer).to_have_count(0)


def test_everything_can_be_done_with_the_keyboard(browse: Callable[..., Any], post: Any, server: Any) -> None:
    post(*agent())
    page = browse().go_live("/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector("body.session.watching")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("ArrowLeft")
    assert shown(page) == ["agent", "turn"]
    page.keyboard.press("ArrowRight")
    assert shown(page) == ["agent", "turn", "model", "tool"]
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    sync_api.expect(page.locator(".drawer .crumbs")).to_contain_text("model")
    page.keyboard.press("j")
    sync_api.expect(page.locator(".drawer .crumbs")).to_contain_text("tool")
    page.keyboard.press("]")
    sync_api.expect(page.locator(".drawer .tabs [aria-current]")).to_have_text("Config")
    page.keyboard.press("k")
    sync_api.expect(page.locator(".drawer .crumbs")).to_contain_text("model")
    page.keyboard.press("Escape")
    sync_api.expect(page.locator(".drawer")).to_have_count(0)
    page.keyboard.press("?")
    sync_api.expect(page.locator("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    sync_api.expect(page.locator("dialog")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("jk?")
    assert page.locator(".search input").input_value() == "jk?"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.wait_for_url(f"{server.url}/")


def test_the_waterfall_is_zoomed_by_dragging_and_by_keys(browse: Callable[..., Any], post: Any, server: Any) -> None:
    post(*agent())
    page = browse().go(f"/sessions/{session_id(server)}")
    bar = page.locator(".row", has_text="model").last.locator(".bar")
    before = bar.bounding_box()
    box = page.locator(".ticks").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 10, steps=4)
    page.mouse.up()
    sync_api.expect(page.locator(".zoom-out")).to_be_visible()
    after = bar.bounding_box()
    assert after["width"] == pytest.approx(4 * before["width"], rel=0.05)
    page.keyboard.press("0")
    assert bar.bounding_box()["width"] == pytest.approx(before["width"], abs=1)
    page.keyboard.press("+")
    assert bar.bounding_box()["width"] == pytest.approx(2 * before["width"], rel=0.05)


def test_compact_rows_and_the_theme_stay_chosen(browse: Callable[..., Any], post: Any, server: Any) -> None:
    post(*agent())
    page = browse(color_scheme="light").go(f"/sessions/{session_id(server)}")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.keyboard.press("t")
    page.keyboard.press("c")
    page.reload()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert light != dark
    assert page.locator(".tree.compact").count() == 1
    assert page.locator(".row .chips").first.is_hidden()


def test_a_dark_system_makes_dark_pages(browse: Callable[..., Any]) -> None:
    colours = [
        browse(color_scheme=scheme).go("/").evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert colours[0] == "rgb(255, 255, 255)"
    assert colours[1] != colours[0]


def test_filters_and_search_narrow_the_list(browse: Callable[..., Any], post: Any) -> None:
    post(
        {"session_reference_id": "a", "project": "alpha"},
        {"session_reference_id": "b", "project": "beta", "error": "boom"},
    )
    page = browse().go("/")
    rows = page.locator("[data-row]")
    sync_api.expect(rows).to_have_count(2)
    page.get_by_label("Errors only").check()
    sync_api.expect(rows).to_have_count(1)
    page.wait_for_url("**/?errors=1")
    page.get_by_role("link", name="Clear").click()
    sync_api.expect(rows).to_have_count(2)
    page.wait_for_selector("html.scripted")
    page.get_by_label("Project").select_option("alpha")
    sync_api.expect(rows).to_have_count(1)
    page.get_by_role("searchbox", name="Search sessions").fill("bet")
    page.keyboard.press("Enter")
    sync_api.expect(rows.locator(".projects")).to_have_text(["beta"])


def test_two_sessions_are_picked_and_compared(browse: Callable[..., Any], post: Any) -> None:
    post({"session_reference_id": "a", "output": "this"}, {"session_reference_id": "b", "output": "that"})
    page = browse().go("/")
    for box in page.locator("[data-row] input").all():
        box.check()
    page.get_by_role("button", name="Compare two picked").click()
    sync_api.expect(page.locator(".pair.changed .differs")).to_contain_text("this")


@pytest.mark.parametrize("count", [1_000, 5_000])
def test_a_large_session_is_smooth(browse: Callable[..., Any], post: Any, server: Any, count: int) -> None:
    logs = many(count)
    for start in range(0, count, 1_000):
        post(*logs[start : start + 1_000])
    page = browse().go(f"/sessions/{session_id(server)}?all=1")
    assert page.locator(".tree .row").count() == count
    # Processor time of the page, which does not count how busy the machine is: to the next frame that is drawn.
    clock = page.context.new_cdp_session(page)
    clock.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        told = clock.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in told if metric["name"] == "TaskDuration")

    def cost(script: str) -> float:
        before = spent()
        page.evaluate(
            f"async () => {{ {script}; await new Promise(drawn => requestAnimationFrame(() => setTimeout(drawn))) }}"
        )
        return spent() - before

    cost("await new Promise(rested => requestIdleCallback(rested)); window.scrollBy(0, 10)")
    for _ in range(3):
        assert cost("document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'j', bubbles: true }))") < 0.1
        assert cost("window.scrollBy(0, 800)") < 0.15
    assert cost("window.scrollTo(0, 50_000)") < 0.25
    assert cost("document.querySelector('.fold-all').click()") < 0.15
    assert shown(page) == ["p"]
    assert cost("document.querySelector('.fold-all').click()") < 0.15, "what is out of sight comes in later frames"
    page.wait_for_selector(f".tree .row:not([hidden]) >> nth={count - 1}", state="attached")
    assert cost("document.querySelector('.density').click()") < 0.5
    assert page.locator(".tree .row:not([hidden])").count() == count


def test_rows_on_their_way_are_hidden_by_what_is_folded_meanwhile(
    browse: Callable[..., Any], post: Any, server: Any
) -> None:
    for start in range(0, 2_000, 1_000):
        post(*many(2_000)[start : start + 1_000])
    page = browse().go(f"/sessions/{session_id(server)}")
    button = page.locator(".fold-all")
    for word, left in (("Unfold all", 1), ("Fold all", 2_000), ("Unfold all", 1)):
        button.click()
        sync_api.expect(button).to_have_text(word)
        page.wait_for_selector(f".tree .row:not([hidden]) >> nth={left - 1}", state="attached")
        assert page.locator(".tree .row:not([hidden])").count() == left
    page.evaluate("() => { for (let n = 0; n < 2; n++) document.querySelector('.fold-all').click() }")
    page.evaluate("() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    assert shown(page) == ["p"]


def test_paper_shows_a_session_whole(browse: Callable[..., Any], post: Any, server: Any) -> None:
    post(*agent())
    page = browse(color_scheme="dark").go(f"/sessions/{session_id(server)}")
    page.locator(".fold").first.click()
    assert shown(page) == ["agent"]
    page.emulate_media(media="print")
    visible = sync_api.expect
    for away in (".top", ".compare-with", ".density", ".fold-all", ".copy >> nth=0"):
        visible(page.locator(away)).not_to_be_visible()
    assert [name for name in page.locator(".row .open b").all_inner_texts() if name] == [
        "agent",
        "turn",
        "model",
        "tool",
    ]
    for row in page.locator(".row").all():
        visible(row).to_be_visible()
    visible(page.locator(".legend")).to_be_visible()
    axis, lane = (page.locator(part).first.bounding_box() for part in (".ticks", ".row .lane"))
    assert abs(axis["x"] - lane["x"]) < 2, "the axis stands above the bars"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_paper_shows_an_open_log_alone_and_readable(browse: Callable[..., Any], post: Any, server: Any) -> None:
    answers = post(*agent())
    page = browse(viewport={"width": 794, "height": 1123}).go(f"/sessions/{session_id(server)}/logs/{answers[2]['id']}")
    page.emulate_media(media="print")
    visible = sync_api.expect
    for away in (".top", ".work", ".moves", ".feedback", ".tabs a:not([aria-current]) >> nth=0"):
        visible(page.locator(away)).not_to_be_visible()
    drawer = page.locator(".drawer")
    visible(drawer.locator("strong")).to_have_text("So.")
    visible(page.locator("h1")).to_have_text("Why?")
    box = drawer.bounding_box()
    assert box["x"] < 20
    assert box["width"] > 700, "it has the paper's width"
    assert drawer.evaluate("drawer => drawer.scrollHeight <= drawer.clientHeight"), "nothing of it is cut off"

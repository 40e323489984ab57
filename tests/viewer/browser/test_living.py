"""Pages that change: live arrival, feedback, no scripts, narrow screens, signing in, hostile content, accessibility."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from support_sessions import agent, many, session_id, shown

from otel_humanloop.server.serve import running
from otel_humanloop.server.store import open_store

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api")

EVIL = (
    "<img src=https://evil.example/x onerror=alert(1)><script>alert(2)</script>[a](javascript:alert(3)) \x1b[31m \u202e"
)

DRAWN = (
    "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))))"
)


def test_a_session_grows_while_it_is_watched(browse: Callable[..., Any], post: Any, server: Any) -> None:
    logs = agent()
    post(logs[0], logs[2])  # the model's parent has not arrived
    page = browse().go_live(f"/sessions/{session_id(server)}")
    sync_api.expect(page.locator(".hint")).to_contain_text("has not arrived")
    post(logs[1])
    sync_api.expect(page.locator(".row")).to_have_count(3)
    sync_api.expect(page.locator(".hint")).to_have_count(0)
    assert shown(page) == ["agent", "turn", "model"]
    assert page.locator(".row").evaluate_all("all => all.map(one => one.dataset.depth)") == ["0", "1", "2"]
    post(logs[3])
    sync_api.expect(page.locator(".row")).to_have_count(4)
    sync_api.expect(page.locator(".stat.bad dd")).to_have_text("1")


def test_a_log_still_at_work_is_completed_before_ones_eyes(browse: Callable[..., Any], post: Any, server: Any) -> None:
    (made,) = post({"created_at": "2024-06-01T12:00:00Z"})
    page = browse().go_live(f"/sessions/{made['session_id']}")
    page.locator(".row .open").click()
    sync_api.expect(page.locator(".drawer .note")).to_contain_text("Still at work")
    done = {"output": "At last.", "duration": 2.5}
    httpx.patch(f"{server.url}/v4/logs/{made['id']}", json=done, trust_env=False).raise_for_status()
    sync_api.expect(page.locator(".row .duration")).to_have_text("2.50 s")
    sync_api.expect(page.locator(".drawer .tab")).to_contain_text("At last.")
    sync_api.expect(page.locator(".drawer .note")).to_have_count(0)


def test_what_is_folded_and_read_stays_where_it_is(browse: Callable[..., Any], post: Any, server: Any) -> None:
    start = [
        {"reference_id": f"r{n}", "project": f"r{n}", "created_at": f"2024-06-01T12:{10 + n // 60}:{n % 60:02}Z"}
        for n in range(90)
    ]
    post(*start, {"reference_id": "below", "parent_reference_id": "r0", "created_at": "2024-06-01T12:30:00Z"})
    page = browse().go_live(f"/sessions/{session_id(server)}")
    page.locator(".fold").click()
    page.locator(".row", has_text="r60").scroll_into_view_if_needed()
    row = page.locator(".row", has_text="r60")
    page.evaluate(DRAWN)
    before = row.bounding_box()["y"]
    post({"reference_id": "early", "project": "early", "created_at": "2024-06-01T12:00:00Z", "output": "x " * 200})
    sync_api.expect(page.locator(".row")).to_have_count(92)
    page.evaluate(DRAWN)
    assert row.bounding_box()["y"] == pytest.approx(before, abs=2)
    assert page.locator(".fold").get_attribute("aria-expanded") == "false"
    assert page.locator(".row:not([hidden])").count() == 91


def test_what_is_shown_of_a_session_stays_shown_with_a_log_open(
    browse: Callable[..., Any], post: Any, server: Any
) -> None:
    logs = agent()
    post(*logs)
    session = session_id(server)
    page = browse().go(f"/sessions/{session}")
    page.goto(f"{server.url}{page.locator('.fold').last.get_attribute('href')}")
    page.wait_for_selector("body.watching")
    assert shown(page) == ["agent", "turn"]
    page.locator(".open").first.click()
    sync_api.expect(page.locator(".drawer")).to_be_visible()
    post({"reference_id": "more", "project": "more", "parent_reference_id": "agent", "output": "x"})
    sync_api.expect(page.locator(".tree .open b")).to_have_text(["agent", "turn", "more"])
    page.locator(".fold").last.click()
    whole = ["agent", "turn", "model", "tool", "more"]
    sync_api.expect(page.locator(".tree .open b")).to_have_text(whole)
    post({"reference_id": "most", "project": "most", "parent_reference_id": "agent", "output": "x"})
    sync_api.expect(page.locator(".tree .open b")).to_have_text([*whole, "most"])


def test_every_log_of_a_large_session_stays_shown_with_one_open(
    browse: Callable[..., Any], post: Any, server: Any
) -> None:
    for start in range(0, 2_100, 700):
        post(*many(2_100)[start : start + 700])
    page = browse().go_live(f"/sessions/{session_id(server)}?all=1")
    page.locator(".open").first.click()
    page.wait_for_selector(".drawer")
    post({"reference_id": "more", "output": "x"})
    page.wait_for_selector(".tree .row >> nth=2100", state="attached")
    page.locator(".drawer .close").click()
    page.wait_for_url("**?all=1")


def test_new_sessions_are_announced_and_shown_when_one_wants(browse: Callable[..., Any], post: Any) -> None:
    post({"session_reference_id": "a", "output": "first"})
    page = browse().go_live("/")
    post({"session_reference_id": "b", "output": "second"})
    news = page.locator(".news a")
    sync_api.expect(news).to_have_text("1 new session")
    sync_api.expect(page.locator("[data-row]")).to_have_count(1)
    post({"session_reference_id": "a", "output": "changed"})
    sync_api.expect(page.locator("[data-row] .outputs").first).to_have_text("changed")
    news.click()
    sync_api.expect(page.locator("[data-row] .outputs")).to_have_text(["second", "changed"])
    sync_api.expect(news).to_be_hidden()


def test_what_is_read_stays_where_it_is_in_both_tabs_while_many_sessions_arrive(
    browse: Callable[..., Any], post: Any, server: Any
) -> None:
    post(*({"session_reference_id": f"old{n}", "output": f"old {n}"} for n in range(40)))
    post(*({"session_reference_id": "s", "project": f"r{n}", "output": "x"} for n in range(60)))
    tabs = browse().go_live("/"), browse().go_live(f"/sessions/{session_id(server)}")
    rows = tabs[0].locator("[data-row]", has_text="old 9"), tabs[1].locator(".row").nth(40)
    for tab, row in zip(tabs, rows, strict=True):
        row.scroll_into_view_if_needed()
        tab.evaluate(DRAWN)
    before = [row.bounding_box()["y"] for row in rows]
    for n in range(30):  # as fast as they are taken, which is more than two hundred a minute
        post({"session_reference_id": f"new{n}", "output": "new"}, {"session_reference_id": "s", "output": "more"})
    news = tabs[0].locator(".news a")
    sync_api.expect(news).to_have_text("30 new sessions")
    sync_api.expect(tabs[1].locator(".row")).to_have_count(90)
    for tab in tabs:
        tab.evaluate(DRAWN)
    assert [row.bounding_box()["y"] for row in rows] == pytest.approx(before, abs=2)
    sync_api.expect(tabs[0].locator("[data-row]")).to_have_count(41)
    post(*({"session_reference_id": f"newest{n}", "output": "newest"} for n in range(60)))
    sync_api.expect(news).to_have_text("50+ new sessions")
    news.click()
    sync_api.expect(tabs[0].locator("[data-row] .outputs")).to_have_text(["newest"] * 50)
    tabs[0].get_by_role("link", name="Next").click()
    sync_api.expect(tabs[0].locator("[data-row] .outputs").nth(10)).to_have_text("new")


@pytest.mark.parametrize(
    ("zone", "hours", "named"),
    [("Asia/Kolkata", 5.5, "UTC+5:30"), ("America/Phoenix", -7, "UTC-7"), ("Etc/UTC", 0, "UTC")],
)
def test_times_pass_and_are_told_in_the_readers_own_zone(
    browse: Callable[..., Any], post: Any, zone: str, hours: float, named: str
) -> None:
    now = datetime.now(timezone.utc)
    (made,) = post({"created_at": now.isoformat(), "duration": 60.0, "output": "x"})
    watched = browse(timezone_id=zone)
    watched.page.clock.install(time=now - timedelta(days=3))  # a browser's clock may be wrong
    page = watched.go("/?sort=cost")  # a page that no news makes anew
    ago = page.locator("[data-row] time")
    sync_api.expect(ago).to_have_text("1 min ago")
    page.clock.fast_forward("02:00:00")
    sync_api.expect(ago).to_have_text("2 hours ago")
    there = (now - timedelta(seconds=60)).astimezone(timezone(timedelta(hours=hours)))
    exact = there.strftime(f"%Y-%m-%d %H:%M:%S {named}")
    ago.hover()
    sync_api.expect(ago).to_have_attribute("title", exact)
    ago.click()
    page.wait_for_url(f"**/sessions/{made['session_id']}")
    for path in (f"/sessions/{made['session_id']}", f"/sessions/{made['session_id']}/logs/{made['id']}"):
        sync_api.expect(watched.go(path).locator(".exact").last).to_have_text(exact)


def test_the_first_session_appears_by_itself(browse: Callable[..., Any], post: Any) -> None:
    page = browse().go_live("/")
    sync_api.expect(page.locator(".empty")).to_contain_text("otel-humanloop demo")
    post({"output": "first"})
    sync_api.expect(page.locator("[data-row]")).to_have_count(1)


def test_feedback_is_saved_and_stays(browse: Callable[..., Any], post: Any, server: Any) -> None:
    (made,) = post({"output": "x"})
    page = browse().go(f"/sessions/{made['session_id']}/logs/{made['id']}")
    page.get_by_role("button", name="Good").click()
    sync_api.expect(page.get_by_role("button", name="Good")).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Comment").fill("Well said.")
    page.get_by_label("Correction").fill("Better said.")
    with page.expect_response("**/feedback"):  # the rating's "Saved" may still be there
        page.get_by_role("button", name="Save").click()
    sync_api.expect(page.locator(".says")).to_have_text("Saved")
    kept = httpx.get(f"{server.url}/v4/logs/{made['id']}", trust_env=False).json()["feedback"]
    assert {(one["type"], one["value"]) for one in kept} == {
        ("rating", "good"),
        ("comment", "Well said."),
        ("correction", "Better said."),
    }
    page.reload()
    assert page.get_by_label("Comment").input_value() == "Well said."


def test_everything_works_without_scripts(browse: Callable[..., Any], post: Any) -> None:
    (made, *_) = post(*agent())
    page = browse(java_script_enabled=False).go("/")
    expect = sync_api.expect
    names = page.locator(".tree .row .open b")
    page.locator("[data-row] .id a").click()
    expect(names).to_have_text(["agent", "turn", "model", "tool"])
    page.locator(".fold").first.click()
    expect(names).to_have_text(["agent"])
    page.locator(".fold").first.click()
    expect(names).to_have_text(["agent", "turn", "model", "tool"])
    page.locator(".row .open").first.click()
    expect(page.locator(".drawer .crumbs")).to_contain_text(made["id"])
    page.get_by_role("link", name="Config").click()
    expect(page.locator(".tabs [aria-current]")).to_have_text("Config")
    page.get_by_role("link", name="Next log").click()
    expect(page.locator(".drawer .crumbs")).to_contain_text("turn")
    page.get_by_role("button", name="Bad").click()
    expect(page.get_by_role("button", name="Bad")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Close the log").click()
    expect(page.locator(".drawer")).to_have_count(0)
    expect(page.locator(".density")).to_be_hidden()
    page.get_by_role("link", name="Sessions").first.click()
    page.get_by_label("Errors only").check()
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("link", name="Clear")).to_be_visible()
    expect(page.locator("[data-row]")).to_have_count(1)


@pytest.mark.parametrize("path", ["/", "/projects", "session", "log", "compare", "/help"])
def test_a_phone_shows_pages_without_scrolling_sideways(
    browse: Callable[..., Any], post: Any, server: Any, path: str
) -> None:
    answers = post(*agent())
    session = session_id(server)
    paths = {
        "session": f"/sessions/{session}",
        "log": f"/sessions/{session}/logs/{answers[2]['id']}",
        "compare": f"/compare?s={session}&s={session}",
    }
    page = browse(viewport={"width": 390, "height": 844}).go(paths.get(path, path))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_one_signs_in_and_out(browse: Callable[..., Any]) -> None:
    with open_store("sqlite://") as store, running(store=store, api_keys=["the-key"]) as locked:
        watched = browse(locked.url)
        page = watched.go("/projects")
        page.get_by_label("API key").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        sync_api.expect(page.get_by_role("alert")).to_be_visible()
        assert [text for text in watched.wrong if "401" not in text] == []
        watched.wrong.clear()  # a browser counts the refusal itself as an error
        page.get_by_label("API key").fill("the-key")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{locked.url}/projects")
        (cookie,) = page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        assert page.evaluate("document.cookie") == ""
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url(f"{locked.url}/sign-in")
        page.goto(f"{locked.url}/")
        sync_api.expect(page.get_by_label("API key")).to_be_visible()


def test_hostile_content_is_shown_and_never_runs(browse: Callable[..., Any], post: Any) -> None:
    (made,) = post(
        {
            "inputs": {EVIL: EVIL},
            "output": EVIL,
            "error": EVIL,
            "messages": [{"role": "user", "content": EVIL}] * 3,
            "metadata": {EVIL: EVIL, "otel": {"sources": {EVIL: EVIL}}},
            "config": {"model": EVIL, "prompt_template": EVIL},
        }
    )
    watched = browse()
    page = watched.go(f"/sessions/{made['session_id']}")
    sync_api.expect(page.locator("h1")).to_contain_text("<script>alert(2)</script>")
    page.locator(".row .open").click()
    for tab in ("Inputs and output", "Config", "Metadata", "Origin", "Raw", "Messages"):
        page.locator(".drawer .tabs").get_by_role("link", name=tab).click()
        sync_api.expect(page.locator(".drawer .tabs [aria-current]")).to_have_text(tab)
        sync_api.expect(page.locator(".drawer .tab")).to_contain_text("alert(1)")
    assert page.locator(".drawer img, .drawer script, .drawer [href^='javascript']").count() == 0
    assert "␛[31m" in page.locator(".drawer").inner_text()


def test_five_megabytes_are_loaded_on_demand(browse: Callable[..., Any], post: Any) -> None:
    long = "".join(f"line {n}\n" for n in range(450_000))
    (made,) = post({"output": long})
    page = browse().go(f"/sessions/{made['session_id']}/logs/{made['id']}?tab=io")
    page.get_by_role("link", name="Show all of it").click()
    sync_api.expect(page.locator(".whole")).to_be_visible()
    assert page.locator(".whole").evaluate("one => one.textContent.length") == len(long)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path",
    ["/", "/?q=nothing", "/projects", "project", "empty", "session", "log", "config", "compare", "/compare", "/help"],
)
def test_axe_finds_nothing_serious(browse: Callable[..., Any], post: Any, server: Any, path: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    answers = post(*agent())
    session = session_id(server)
    paths = {
        "project": f"/projects/{answers[0]['project_id']}?period=all",
        "session": f"/sessions/{session}",
        "log": f"/sessions/{session}/logs/{answers[2]['id']}",
        "config": f"/sessions/{session}/logs/{answers[2]['id']}?tab=config",
        "empty": f"/projects/{answers[0]['project_id']}?period=1h",
        "compare": f"/compare?s={session}&s={session}",
    }
    page = browse(color_scheme=scheme).go(paths.get(path, path))
    found = axe.Axe().run(page).response["violations"]
    serious = [
        (one["id"], [node["html"][:200] for node in one["nodes"]][:3])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_a_page_that_watches_does_not_keep_the_server_from_stopping(chromium: Any) -> None:
    context = chromium.new_context()
    with open_store("sqlite://") as store:
        with running(store=store) as server:
            page = context.new_page()
            page.goto(f"{server.url}/")
            page.wait_for_selector("body.watching")
        # it has stopped: there is nobody to answer
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/healthz", trust_env=False)
    context.close()

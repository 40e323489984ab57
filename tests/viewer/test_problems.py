"""What goes wrong is told to a browser by a page, and to everyone else as the API tells it."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from support_pages import parse
from support_server import Api

from otel_humanloop.server.app import create_app
from otel_humanloop.server.store import Store

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/nowhere", "/sessions/a/b", "/viewer/none.css", "/logs/x/y/z?q=1"])
def test_an_address_that_is_not_served_is_a_page_with_ways_on(api: Api, path: str) -> None:
    answer = api.http.get(path, headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    node = parse(answer.text)
    assert node.one("h1").text == "Not found"
    problem = node.one("div", kind="empty")
    assert f"There is no GET {path.partition('?')[0]}" in problem.text
    assert [link.attributes["href"] for link in problem.all("a")] == ["/", "/projects"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/nowhere", {}), ("/nowhere", {"Accept": "application/json"}), ("/v4", BROWSER), ("/v4/nowhere", BROWSER)],
)
def test_programs_and_the_api_are_answered_in_json(api: Api, path: str, headers: dict[str, str]) -> None:
    answer = api.http.get(path, headers=headers)
    assert answer.status_code == 404
    assert answer.json()["detail"]["message"] == f"there is no GET {path}"


def test_a_form_that_is_not_ours_is_refused_by_a_page(api: Api) -> None:
    log = api.log()["id"]
    answer = api.http.post(f"/logs/{log}/feedback", data={"type": "rating", "value": "good"}, headers=BROWSER)
    assert answer.status_code == 403
    assert "load the page again" in parse(answer.text).one("div", kind="empty").text


def test_a_method_that_is_not_served_says_which_is(api: Api) -> None:
    answer = api.http.post("/projects", headers=BROWSER)
    assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})
    assert parse(answer.text).one("h1").text == "This page cannot be shown"


def test_a_database_that_fails_is_told_by_a_page_that_needs_none(store: Store, api: Api) -> None:
    store.write(lambda tx: tx.execute(text("ALTER TABLE sessions RENAME TO elsewhere")))
    try:
        answer = api.http.get("/", headers=BROWSER)
    finally:
        store.write(lambda tx: tx.execute(text("ALTER TABLE elsewhere RENAME TO sessions")))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "The database cannot be used now" in parse(answer.text).one("div", kind="empty").text


def test_who_has_not_signed_in_is_not_told_what_is_served(store: Store) -> None:
    answer = Api(create_app(store, api_keys=["k"])).http.get("/nowhere", headers=BROWSER, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/nowhere")

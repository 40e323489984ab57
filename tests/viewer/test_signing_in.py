"""Signing in with an API key, and forms that only our own pages can send."""

from __future__ import annotations

import hashlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from support_pages import parse

from otel_humanloop.server.app import create_app
from otel_humanloop.server.store import Store
from otel_humanloop.server.viewer.sign_in import COOKIE, holder, ticket_of

KEYS = ("key-one", "key-two")
PAGE = {"Accept": "text/html"}
DIGEST = hashlib.sha256(b"key").digest()
OTHER = hashlib.sha256(b"other").digest()


def browser(store: Store, *, keys: tuple[str, ...] = KEYS, url: str = "http://humanloop.example") -> TestClient:
    return TestClient(create_app(store, api_keys=keys), base_url=url, headers=PAGE, follow_redirects=False)


def sign_in(client: TestClient, key: str = "key-one", next: str = "/") -> str:
    """Signs in; gives where one is sent."""
    answer = client.post("/sign-in", data={"key": key, "next": next})
    assert answer.status_code == 303
    return answer.headers["location"]


def test_a_page_asks_for_a_key_and_comes_after_it(store: Store) -> None:
    client = browser(store)
    asked = client.get("/sessions/sesh_x")
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=/sessions/sesh_x")
    form = parse(client.get(asked.headers["location"]).text).one("form")
    assert (form.attributes["action"], form.attributes["method"]) == ("/sign-in", "post")
    hidden = {field.attributes["name"]: field.attributes.get("value") for field in form.all("input")}
    assert hidden == {"next": "/sessions/sesh_x", "key": None}
    assert sign_in(client, next="/projects") == "/projects"
    assert client.get("/projects").status_code == 200


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(store: Store) -> None:
    for url, secure in (("http://humanloop.example", False), ("https://humanloop.example", True)):
        cookie = browser(store, url=url).post("/sign-in", data={"key": "key-two"}).headers["set-cookie"]
        parts = [part.strip().lower() for part in cookie.split(";")]
        assert {"httponly", "samesite=strict", "path=/"} <= set(parts)
        assert ("secure" in parts) is secure
        assert "key-two" not in cookie


def test_a_wrong_key_opens_nothing(store: Store) -> None:
    client = browser(store)
    answer = client.post("/sign-in", data={"key": "key", "next": "/"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert parse(answer.text).one("p", role="alert").text == "This is not one of this server's keys."
    assert client.get("/").status_code == 303


def test_a_ticket_opens_pages_and_never_the_api(store: Store) -> None:
    client = browser(store)
    sign_in(client)
    assert client.get("/").status_code == 200
    assert client.get("/v4/sessions").status_code == 401
    assert client.post("/v4/sessions").status_code == 401


def test_signing_out_needs_a_page_of_ours_and_takes_the_cookie_away(store: Store) -> None:
    client = browser(store)
    sign_in(client)
    assert client.post("/sign-out", data={"token": "made-up"}).status_code == 403
    assert client.post("/sign-out").status_code in (403, 415)
    assert client.get("/").status_code == 200
    (form,) = [form for form in parse(client.get("/").text).all("form") if form.attributes["action"] == "/sign-out"]
    token = form.one("input", name="token").attributes["value"]
    assert client.post("/sign-out", data={"token": token}).headers["location"] == "/sign-in"
    assert client.get("/").status_code == 303


def test_a_token_is_of_one_visitor(store: Store) -> None:
    ours, theirs = browser(store), browser(store)
    sign_in(ours, "key-one")
    sign_in(theirs, "key-two")
    stolen = parse(theirs.get("/").text).one("input", name="token").attributes["value"]
    assert ours.post("/sign-out", data={"token": stolen}).status_code == 403


def test_a_link_from_another_site_is_followed_once_more_with_the_cookie(store: Store) -> None:
    client = browser(store)
    answer = client.get("/", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})
    assert answer.status_code == 200
    assert parse(answer.text).one("meta").attributes == {"http-equiv": "refresh", "content": "0"}
    assert client.get("/", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


def test_a_program_is_told_so_and_not_sent_to_a_form(store: Store) -> None:
    client = browser(store)
    answer = client.get("/", headers={"Accept": "*/*"})
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/json")


def test_scripts_and_styles_are_served_before_one_signs_in(store: Store) -> None:
    client = browser(store)
    for name in ("base.css", "theme.js", "icon.svg"):
        assert client.get(f"/viewer/{name}").status_code == 200
    for path in ("/viewer/../pages.py", "/viewer/%2e%2e/pages.py", "/viewer/nothing"):
        assert client.get(path).status_code in (303, 404)


@pytest.mark.parametrize(
    "next",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "evil",
        "/\n/evil.example",
        "",
    ],
)
def test_one_is_sent_to_no_other_site(store: Store, next: str) -> None:
    assert sign_in(browser(store), next=next) == "/"


def test_without_keys_nobody_signs_in(store: Store) -> None:
    client = browser(store, keys=(), url="http://127.0.0.1")
    assert client.get("/").status_code == 200
    assert "Sign out" not in client.get("/").text
    assert client.post("/sign-in", data={"key": ""}).status_code == 401


def test_a_ticket_ends(store: Store) -> None:
    now = time.time()
    ticket = ticket_of(DIGEST, now)
    assert holder(ticket, [OTHER, DIGEST], now + 29 * 86_400) == DIGEST
    assert holder(ticket, [OTHER, DIGEST], now + 31 * 86_400) is None
    client = browser(store)
    client.cookies.set(COOKIE, ticket_of(hashlib.sha256(b"key-one").digest(), now - 31 * 86_400))
    assert client.get("/").status_code == 303


def test_a_ticket_goes_with_its_key() -> None:
    assert holder(ticket_of(DIGEST, 0), [OTHER], 1) is None


@given(st.text(max_size=100))
def test_no_other_text_is_a_ticket(text: str) -> None:
    assert holder(text, [DIGEST], 0) is None


@given(st.integers(0, 80), st.characters(categories=["L", "N", "P"]))
def test_a_ticket_that_was_changed_is_none(at: int, letter: str) -> None:
    ticket = ticket_of(DIGEST, 1_700_000_000)
    at %= len(ticket)
    changed = ticket[:at] + letter + ticket[at + 1 :]
    assert (holder(changed, [DIGEST], 0) is not None) is (changed == ticket)

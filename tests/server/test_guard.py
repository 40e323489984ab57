"""Who may come in."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient
from support_server import Api

from otel_humanloop.server.app import create_app
from otel_humanloop.server.store import Store

KEYS = ("key-one", "key-two")


def test_with_keys_nobody_comes_in_without_one(store: Store) -> None:
    app = create_app(store, api_keys=KEYS)
    for headers in ({}, {"X-API-KEY": ""}, {"X-API-KEY": "key"}, {"X-API-KEY": "key-one2"}, {"X-API-KEY": "ключ"}):
        encoded = {name: value.encode() for name, value in headers.items()}
        detail = Api(app, headers=encoded).ask("GET", "sessions", status=401)["detail"]
        assert detail["type"] == "unauthorized_error"


@pytest.mark.parametrize("key", KEYS)
def test_every_key_opens(store: Store, key: str) -> None:
    api = Api(create_app(store, api_keys=KEYS), headers={"X-API-KEY": key, "Host": "humanloop.example"})
    assert api.ask("GET", "sessions")["total"] == 0


def test_a_browser_shows_a_key_as_a_password_to_see_pages_and_only_pages(store: Store) -> None:
    browser = TestClient(create_app(store, api_keys=KEYS), base_url="http://127.0.0.1")
    asked = browser.get("/")
    assert asked.status_code == 401
    assert asked.headers["WWW-Authenticate"].startswith("Basic ")
    assert browser.get("/", auth=("anybody", "key-two")).status_code == 200
    assert browser.get("/", auth=("anybody", "wrong")).status_code == 401
    assert browser.get("/", headers={"Authorization": "Basic %%%"}).status_code == 401
    assert browser.get("/", headers=[(b"Authorization", "Basic é".encode())]).status_code == 401
    assert browser.get("/v4/sessions", auth=("anybody", "key-two")).status_code == 401
    assert "WWW-Authenticate" not in browser.get("/v4/sessions").headers


def test_health_needs_no_key(store: Store) -> None:
    client = TestClient(create_app(store, api_keys=KEYS), base_url="http://10.0.0.1")
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8484", "localhost", "LOCALHOST:1", "a.localhost", "[::1]:8484", "127.8.8.8"]
)
def test_without_keys_loopback_names_are_served(api: Api, host: str) -> None:
    assert api.http.get("/v4/sessions", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "[::1", "", "evil@localhost"],
)
def test_without_keys_another_name_is_not_served(api: Api, host: str) -> None:
    answer = api.http.get("/v4/sessions", headers={"Host": host})
    assert (answer.status_code == 200) == (host == "evil@localhost")
    if answer.status_code != 200:
        assert answer.status_code == 403
        assert answer.json()["detail"]["type"] == "forbidden_error"


def test_without_keys_a_name_that_is_allowed_is_served(store: Store) -> None:
    client = TestClient(create_app(store, allowed_hosts=["Humanloop"]), base_url="http://humanloop:8080")
    assert client.get("/v4/sessions").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_without_keys_a_page_of_another_site_cannot_post(api: Api, headers: dict[str, str]) -> None:
    body = '{"project": "p", "config": {"model": "m"}}'
    answer = api.http.post("/v4/logs", content=body, headers={"Content-Type": "text/plain", **headers})
    assert answer.status_code == 403
    assert api.ask("GET", "projects")["total"] == 0


def test_without_keys_its_own_pages_and_links_to_them_work(api: Api) -> None:
    own = {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin"}
    assert api.http.post("/v4/sessions", headers=own).status_code == 201
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert api.http.get("/", headers=link).status_code == 200

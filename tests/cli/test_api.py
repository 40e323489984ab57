"""Reading sessions over HTTP: pages, names of sessions, and every way it can go wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from otel_humanloop.cli.api import Api, page_address, without_credentials
from otel_humanloop.errors import DecodeError, HumanloopError, Refused, SettingsError, Unavailable
from otel_humanloop.settings import load

BASE_URL = "http://127.0.0.1:8484/v4"

Handler = Callable[[httpx.Request], httpx.Response]


def api(handler: Handler, **settings: Any) -> Api:
    return Api(load({"base_url": BASE_URL, **settings}, environ={}), transport=httpx.MockTransport(handler))


def listing(path: str, records: Sequence[dict[str, Any]], asked: list[dict[str, str]] | None = None) -> Handler:
    """A server that pages `records` at `path`, from page 1 for sessions and 0 for the rest, as v4 does."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == f"/v4{path}"
        query = dict(request.url.params)
        if asked is not None:
            asked.append(query)
        page, size = int(query["page"]), int(query["size"])
        start = (page - (path == "/sessions")) * size
        found = [record for record in records if query.get("reference_id") in (None, record.get("reference_id"))]
        body = {"records": found[start : start + size], "page": page, "size": size, "total": len(found)}
        return httpx.Response(200, json=body)

    return answer


def session(name: str, **fields: Any) -> dict[str, Any]:
    return {"id": f"sesh_{name:0<21}", **fields}


SESSIONS = [session("abc1"), session("abc2"), session("xyz", reference_id="4bf92f3577b34da6a3ce929d0e0e4736")]


def test_sessions_are_read_page_by_page_as_far_as_the_limit() -> None:
    many = [session(f"s{index:03}") for index in range(250)]
    asked: list[dict[str, str]] = []
    with api(listing("/sessions", many, asked)) as humanloop:
        assert humanloop.sessions(limit=230) == many[:230]
        assert [(query["page"], query["size"]) for query in asked] == [("1", "100"), ("2", "100"), ("3", "100")]
        asked.clear()
        assert humanloop.sessions(limit=3) == many[:3]
        assert [(query["page"], query["size"]) for query in asked] == [("1", "3")]
        assert humanloop.sessions(limit=1000) == many


def test_logs_are_read_to_the_end_and_one_that_comes_on_two_pages_is_one() -> None:
    logs = [{"id": f"data_{index}"} for index in range(150)]
    with api(listing("/logs", [*logs[:100], *logs[99:]])) as humanloop:
        assert humanloop.logs("sesh_1") == logs


@pytest.mark.parametrize("name", ["4bf92f3577b34da6a3ce929d0e0e4736", "xyz", "sesh_xy", "x"])
def test_a_session_is_found_by_its_reference_and_by_the_start_of_its_id(name: str) -> None:
    with api(listing("/sessions", SESSIONS)) as humanloop:
        assert humanloop.session(name) == SESSIONS[2]


def test_a_whole_id_is_asked_for_directly() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == f"/v4/sessions/{SESSIONS[0]['id']}"
        return httpx.Response(200, json=SESSIONS[0])

    with api(answer) as humanloop:
        assert humanloop.session(SESSIONS[0]["id"]) == SESSIONS[0]


def test_a_start_that_several_ids_have_is_an_error_that_lists_them() -> None:
    with api(listing("/sessions", SESSIONS)) as humanloop, pytest.raises(HumanloopError) as caught:
        humanloop.session("abc")
    assert "2 sessions" in caught.value.message
    assert caught.value.hint is not None
    assert all(each["id"] in caught.value.hint for each in SESSIONS[:2])


def test_a_session_there_is_not_is_an_error_that_names_it() -> None:
    with api(listing("/sessions", SESSIONS)) as humanloop, pytest.raises(HumanloopError, match="no session `nope`"):
        humanloop.session("nope")


def test_a_project_is_found_by_its_exact_name() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v4/projects":
            assert request.url.params["filter"] == "chain"
            records = [{"id": "pr_1", "name": "chain2"}, {"id": "pr_2", "name": "chain"}]
            return httpx.Response(200, json={"records": records, "page": 0, "size": 100, "total": 2})
        assert request.url.params["project_id"] == "pr_2"
        return httpx.Response(200, json={"records": SESSIONS, "page": 1, "size": 20, "total": 3})

    with api(answer) as humanloop:
        assert humanloop.sessions(limit=20, project="chain") == SESSIONS


def test_a_project_there_is_not_is_an_error_that_names_it() -> None:
    with api(listing("/projects", [])) as humanloop, pytest.raises(HumanloopError, match="no project `chain`"):
        humanloop.sessions(limit=20, project="chain")


def test_the_key_is_sent_where_there_is_one() -> None:
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("X-API-KEY"))
        return httpx.Response(200, json={"records": [], "page": 0, "size": 1, "total": 0})

    for key in (None, "hl_sk_1"):
        with api(answer, api_key=key) as humanloop:
            humanloop.ask()
    assert seen == [None, "hl_sk_1"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_an_answer_that_may_be_another_later_is_unavailable(status: int) -> None:
    with api(lambda _: httpx.Response(status, text="busy")) as humanloop, pytest.raises(Unavailable, match="busy"):
        humanloop.ask()


@pytest.mark.parametrize(
    ("status", "body", "said", "hint"),
    [
        (401, {"detail": {"type": "unauthorized", "message": "no such key", "code": 401}}, "no such key", "API_KEY"),
        (404, {"detail": "Not Found"}, "Not Found", "/v4 included"),
        (422, {"detail": [{"loc": ["query", "size"], "msg": "too large", "type": "value_error"}]}, "too large", None),
        (302, None, "302", None),
    ],
)
def test_a_refusal_gives_the_servers_reason_and_a_hint_where_there_is_one(
    status: int, body: Any, said: str, hint: str | None
) -> None:
    answer = httpx.Response(status, content=b"" if body is None else json.dumps(body).encode())
    with api(lambda _: answer) as humanloop, pytest.raises(Refused) as caught:
        humanloop.ask()
    assert said in caught.value.message
    assert (caught.value.hint is None) == (hint is None)
    if hint is not None:
        assert hint in str(caught.value.hint)


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"", b"[]", b'{"records": 1}', b"\xff\xfe"])
def test_an_answer_that_is_not_v4_says_so(body: bytes) -> None:
    with api(lambda _: httpx.Response(200, content=body)) as humanloop, pytest.raises(DecodeError) as caught:
        humanloop.ask()
    assert "v4" in caught.value.message
    assert "HUMANLOOP_BASE_URL" in str(caught.value.hint)


def test_no_answer_says_where_nothing_listens_and_how_to_start_a_server(closed_port: int) -> None:
    settings = load({"base_url": f"http://127.0.0.1:{closed_port}/v4"}, environ={})
    with Api(settings) as humanloop, pytest.raises(Unavailable) as caught:
        humanloop.ask()
    assert f"127.0.0.1:{closed_port}" in caught.value.message
    assert "otel-humanloop serve" in str(caught.value.hint)


def test_an_address_httpx_cannot_use_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match="no HTTP client"):
        Api(load({"base_url": "http://[v1.x]/v4"}, environ={}))


def test_a_password_in_the_address_is_never_shown() -> None:
    address = "http://user:secret@humanloop.internal/v4"
    assert without_credentials(address) == "http://humanloop.internal/v4"
    assert page_address(address, "sesh_1") == "http://humanloop.internal/sessions/sesh_1"
    not_json = httpx.Response(200, content=b"no")
    with api(lambda _: not_json, base_url=address) as humanloop, pytest.raises(DecodeError) as caught:
        humanloop.ask()
    assert "secret" not in str(caught.value)

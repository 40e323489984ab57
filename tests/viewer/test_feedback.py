"""Feedback, given in the drawer and seen there."""

from __future__ import annotations

from typing import Any

import pytest
from support_pages import Node, drawer, page
from support_server import Api


def given(api: Api, log: str) -> set[tuple[str, Any, str | None]]:
    """What the API says was said about a log."""
    return {(one["type"], one["value"], one.get("user")) for one in api.get_log(log).get("feedback", [])}


def say(api: Api, log: str, *, status: int = 200, **said: str) -> Node | None:
    """Sends one of the drawer's forms, with its token unless another is given."""
    section = drawer(api, log, "raw").one("section", kind="feedback")
    form = section.all("form")[0 if "rating" in said else 1]
    token = form.one("input", name="token").attributes["value"]
    answer = api.http.post(form.attributes["action"], data={"token": token, **said})
    assert answer.status_code == status, answer.text
    return None if status != 200 else page(api, answer.url.path).one("aside")


@pytest.fixture
def log(api: Api) -> str:
    return api.log(session_reference_id="s", output="x")["id"]


def test_a_rating_is_kept_and_shown_and_taken_back(api: Api, log: str) -> None:
    node = say(api, log, rating="good")
    assert node is not None
    assert given(api, log) == {("rating", "good", None)}
    pressed = [button.text for button in node.all("button", **{"aria-pressed": "true"})]
    assert pressed == ["Good"]
    say(api, log, rating="bad")
    assert given(api, log) == {("rating", "bad", None)}
    say(api, log, rating="")
    assert given(api, log) == set()


def test_words_are_kept_as_they_were_written(api: Api, log: str) -> None:
    words = "No: <b>it</b>\n  is & was"
    node = say(api, log, comment=words, correction="\n\nY\r\nZ ")
    assert node is not None
    assert given(api, log) == {("comment", words, None), ("correction", "Y\nZ", None)}
    shown = {area.attributes["name"]: "".join(str(child) for child in area.children) for area in node.all("textarea")}
    assert shown == {"comment": f"\n{words}", "correction": "\nY\nZ"}  # a browser drops the first line's end
    say(api, log, comment="", correction="Y")
    assert given(api, log) == {("correction", "Y", None)}


def test_what_users_and_programs_said_is_shown_beside(api: Api, log: str) -> None:
    for body in ({"type": "rating", "value": "bad", "user": "ada"}, {"type": "issue", "value": "too slow"}):
        api.http.post("/v4/feedback", json={"data_id": log, **body})
    say(api, log, rating="good")
    section = drawer(api, log, "raw").one("section", kind="feedback")
    lines = [(line.one("dt").text, line.one("dd").text) for line in section.one("dl").all("div")]
    assert lines == [("rating by ada", "bad"), ("issue", "too slow")]
    assert ("rating", "bad", "ada") in given(api, log)


@pytest.mark.parametrize(
    ("said", "status"),
    [({"rating": "fine"}, 422), ({"comment": "x" * 20_001}, 422), ({"token": "made-up", "rating": "good"}, 403)],
    ids=["no rating", "too long", "no token"],
)
def test_what_cannot_be_said_is_refused(api: Api, log: str, said: dict[str, str], status: int) -> None:
    say(api, log, status=status, **said)
    assert given(api, log) == set()


def test_feedback_on_no_log_is_not_found(api: Api, log: str) -> None:
    token = drawer(api, log, "raw").all("input", name="token")[0].attributes["value"]
    assert api.http.post("/logs/data_x/feedback", data={"token": token, "rating": "good"}).status_code == 404


def test_another_site_cannot_say_anything(api: Api, log: str) -> None:
    token = drawer(api, log, "raw").all("input", name="token")[0].attributes["value"]
    headers = {"Origin": "https://evil.example"}
    answer = api.http.post(f"/logs/{log}/feedback", data={"token": token, "rating": "good"}, headers=headers)
    assert answer.status_code == 403
    assert api.http.post(f"/logs/{log}/feedback", json={"token": token, "rating": "good"}).status_code == 415
    assert given(api, log) == set()

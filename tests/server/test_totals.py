"""What a session says of its logs is what they say, after any changes to them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support_server import MODEL, Api

from otel_humanloop.server.app import create_app
from otel_humanloop.server.store import open_store

moments = st.integers(0, 59).map(lambda second: f"2024-06-01T12:00:{second:02}Z")
durations = st.sampled_from([0.0, 0.5, 1.0, 30.0])

posts = st.fixed_dictionaries(
    {"reference_id": st.sampled_from("abcd")},
    optional={
        "created_at": moments,
        "duration": durations,
        "prompt_tokens": st.integers(0, 9),
        "output_tokens": st.integers(0, 9),
        "prompt_cost": st.sampled_from([0.0, 0.1, 0.2, 1e-7]),
        "output_cost": st.sampled_from([0.3, 0.7]),
        "error": st.just("boom"),
        "output": st.text(max_size=3),
        "inputs": st.dictionaries(st.sampled_from("xy"), st.integers(0, 3), max_size=1),
        "project": st.sampled_from(["p", "q"]),
        "parent_reference_id": st.sampled_from("wxyz"),
    },
)
patches = st.fixed_dictionaries(
    {}, optional={"duration": durations, "output": st.text(max_size=3), "error": st.just("boom")}
)
actions = st.one_of(
    st.tuples(st.just("post"), posts),
    st.tuples(st.just("patch"), st.sampled_from("abcd"), patches),
    st.tuples(st.just("delete"), st.sampled_from("abcd")),
)


@pytest.fixture(scope="module")
def one_server() -> Iterator[tuple[Api, Iterator[int]]]:
    with open_store("sqlite://") as store:
        yield Api(create_app(store)), itertools.count()


@settings(deadline=None, max_examples=30)
@given(changes=st.lists(actions, min_size=1, max_size=12))
def test_totals_follow_every_change(one_server: tuple[Api, Iterator[int]], changes: list[tuple[Any, ...]]) -> None:
    api, numbers = one_server
    session = f"totals-{next(numbers)}"
    opened = api.http.post("/v4/logs", json={"project": "p", "config": MODEL, "session_reference_id": session})
    api.http.delete("/v4/logs", params={"id": opened.json()["id"]})
    for kind, *what in changes:
        ids = {log["reference_id"]: log["id"] for log in logs_of(api, session)}
        if kind == "post":
            body = {"project": "p", "config": MODEL, "session_reference_id": session, **what[0]}
            assert api.http.post("/v4/logs", json=body).status_code == 200
        elif kind == "patch" and what[0] in ids:
            assert api.http.patch(f"/v4/logs/{ids[what[0]]}", json=what[1]).status_code == 200
        elif kind == "delete" and what[0] in ids:
            assert api.http.delete("/v4/logs", params={"id": ids[what[0]]}).status_code == 204
        _check(session_of(api, session), logs_of(api, session))


def logs_of(api: Api, session: str) -> list[dict[str, Any]]:
    return api.http.get("/v4/logs", params={"session_reference_id": session}).json()["records"]


def session_of(api: Api, session: str) -> dict[str, Any]:
    return api.http.get("/v4/sessions", params={"reference_id": session}).json()["records"][0]


def _check(session: dict[str, Any], logs: list[dict[str, Any]]) -> None:
    assert session["datapoints_count"] == len(logs)
    counted = any({"prompt_tokens", "output_tokens"} & log.keys() for log in logs)
    for field in ("prompt_tokens", "output_tokens"):
        assert session.get(field) == (sum(log.get(field, 0) for log in logs) if counted else None)
    priced = any({"prompt_cost", "output_cost"} & log.keys() for log in logs)
    cost = round(sum(log.get("prompt_cost", 0) + log.get("output_cost", 0) for log in logs), 12)
    assert session.get("cost") == (cost if priced else None)
    assert session["errors_count"] == sum("error" in log for log in logs)
    projects = list(dict.fromkeys(log["project"] for log in logs))
    assert sorted(project["name"] for project in session["projects"]) == sorted(projects)
    if logs:
        assert session["started_at"] == logs[0]["started_at"]
        assert session.get("first_inputs", {}) == logs[0]["inputs"]


def test_the_last_output_is_of_the_log_that_ended_last_also_after_it_is_gone(api: Api) -> None:
    def posted(name: str, end: int, duration: float) -> str:
        at = f"2024-06-01T12:00:{end:02}Z"
        return api.log(session_reference_id="s", reference_id=name, output=name, created_at=at, duration=duration)["id"]

    posted("early", 10, 5.0)
    late = posted("late", 30, 5.0)
    middle = posted("middle", 20, 10.0)
    assert api.session("s")["last_output"] == "late"
    assert api.session("s")["ended_at"] == "2024-06-01T12:00:30+00:00"
    api.ask("PATCH", f"logs/{middle}", json={"duration": 40})
    assert api.session("s")["last_output"] == "middle"
    api.ask("PATCH", f"logs/{middle}", json={"duration": 1})
    assert api.session("s")["last_output"] == "late"
    api.ask("DELETE", "logs", params={"id": late}, status=204)
    assert api.session("s")["last_output"] == "middle"
    assert api.session("s")["ended_at"] == "2024-06-01T12:00:11+00:00"
    posted("middle", 10, 5.0)
    assert api.session("s")["ended_at"] == "2024-06-01T12:00:10+00:00"


def test_a_parent_that_ends_with_its_child_has_the_last_word(api: Api) -> None:
    at = "2024-06-01T12:00:10Z"
    for name, duration in (("parent", 9.0), ("child", 1.0)):
        api.log(session_reference_id="s", reference_id=name, output=name, created_at=at, duration=duration)
    assert api.session("s")["last_output"] == "parent"

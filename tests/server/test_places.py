"""Parents and sessions: where a log belongs, whatever the order in which the logs come."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support_server import MODEL, TOOL, Api

from otel_humanloop.server.app import create_app
from otel_humanloop.server.store import open_store


def tree(api: Api, session: str) -> dict[str, str | None]:
    """Each log's parent in a session, by reference."""
    logs = api.logs(session)
    names = {log["id"]: log["reference_id"] for log in logs}
    return {log["reference_id"]: names.get(log.get("parent_id")) for log in logs}


def test_a_child_hangs_from_its_parent(api: Api) -> None:
    parent = api.log(session_reference_id="s", reference_id="a")
    child = api.log(session_reference_id="s", parent_reference_id="a")
    log = api.get_log(child["id"])
    assert log["parent_id"] == parent["id"]
    assert log["parent_reference_id"] == "a"
    assert child["session_id"] == parent["session_id"]


def test_a_child_that_comes_first_is_a_root_until_its_parent_comes(api: Api) -> None:
    child = api.log(session_reference_id="s", reference_id="b", parent_reference_id="a")
    log = api.get_log(child["id"])
    assert log["parent_reference_id"] == "a"
    assert "parent_id" not in log
    parent = api.log(session_reference_id="s", reference_id="a")
    assert api.get_log(child["id"])["parent_id"] == parent["id"]


def test_a_parent_of_the_same_name_in_another_session_is_not_the_parent(api: Api) -> None:
    api.log(session_reference_id="other", reference_id="a")
    child = api.log(session_reference_id="s", parent_reference_id="a")
    assert "parent_id" not in api.get_log(child["id"])


def test_parent_and_child_may_come_in_one_body_in_either_order(api: Api) -> None:
    logs = {
        name: {"project": "p", "config": MODEL, "session_reference_id": "s", "reference_id": name, **parent}
        for name, parent in {
            "a": {},
            "b": {"parent_reference_id": "a"},
            "c": {"parent_reference_id": "b"},
        }.items()
    }
    for number, order in enumerate(itertools.permutations(logs)):
        body = [{**logs[name], "session_reference_id": f"s{number}"} for name in order]
        api.ask("POST", "logs", json=body)
        assert tree(api, f"s{number}") == {"a": None, "b": "a", "c": "b"}


def test_a_child_without_a_session_is_in_its_parents(api: Api) -> None:
    parent = api.log(session_reference_id="s", reference_id="a")
    by_reference = api.log(parent_reference_id="a")
    by_id = api.log(parent_id=parent["id"])
    assert by_reference["session_id"] == by_id["session_id"] == parent["session_id"]
    assert api.session("s")["datapoints_count"] == 3


def test_children_without_a_session_come_into_it_with_their_parent(api: Api) -> None:
    leaf = api.log(reference_id="c", parent_reference_id="b", prompt_tokens=2)
    middle = api.log(reference_id="b", parent_reference_id="a", prompt_tokens=3)
    assert middle.get("session_id") is None
    root = api.log(session_reference_id="s", reference_id="a", prompt_tokens=5)
    assert tree(api, "s") == {"a": None, "b": "a", "c": "b"}
    assert api.session("s")["prompt_tokens"] == 10
    for log in (leaf, middle):
        assert api.get_log(log["id"])["session_id"] == root["session_id"]


def test_retrying_a_child_without_a_session_is_safe_before_and_after_its_parent(api: Api) -> None:
    child = {"project": "p", "config": MODEL, "reference_id": "b", "parent_reference_id": "a"}
    first = api.ask("POST", "logs", json=child)
    assert api.ask("POST", "logs", json=child)["id"] == first["id"]
    api.log(session_reference_id="s", reference_id="a")
    assert api.ask("POST", "logs", json=child)["id"] == first["id"]
    assert tree(api, "s") == {"a": None, "b": "a"}


def test_a_session_that_is_not_the_parents_is_refused(api: Api) -> None:
    parent = api.log(session_reference_id="one", reference_id="a")
    body = {"project": "p", "config": MODEL, "session_reference_id": "two", "parent_id": parent["id"]}
    assert api.problem("POST", "logs", json=body)["loc"] == ["body", "parent_id"]
    assert api.ask("GET", "sessions")["total"] == 1


def test_a_log_is_hung_elsewhere_by_naming_it_and_its_new_parent(api: Api) -> None:
    api.log(session_reference_id="s", reference_id="a")
    moving = api.log(session_reference_id="s", reference_id="b", inputs={"kept": 1})
    before = api.get_log(moving["id"])
    again = api.ask("POST", "logs", json={"session_reference_id": "s", "reference_id": "b", "parent_reference_id": "a"})
    assert again == moving
    after = api.get_log(moving["id"])
    placed = {"parent_reference_id": "a", "parent_id": api.logs("s")[0]["id"], "updated_at": after["updated_at"]}
    assert after == {**before, **placed}
    api.ask("POST", "logs", json={"session_reference_id": "s", "reference_id": "b", "parent_reference_id": "later"})
    assert tree(api, "s") == {"a": None, "b": None}


def test_an_empty_parent_reference_puts_a_log_at_the_top(api: Api) -> None:
    top = {"session_reference_id": "s", "reference_id": "b", "parent_reference_id": ""}
    api.log(session_reference_id="s", reference_id="a")
    moving = api.log(session_reference_id="s", reference_id="b", parent_reference_id="a")
    assert tree(api, "s") == {"a": None, "b": "a"}
    api.ask("POST", "logs", json=top)
    assert not {"parent_id", "parent_reference_id"} & api.get_log(moving["id"]).keys()
    api.ask("POST", "logs", json={**top, "parent_reference_id": "later"})
    api.ask("POST", "logs", json=top)
    api.log(session_reference_id="s", reference_id="later")
    assert tree(api, "s") == {"a": None, "b": None, "later": None}


@pytest.mark.parametrize("length", [2, 3, 5])
@pytest.mark.parametrize("together", [True, False])
def test_a_circle_of_parents_is_refused_and_leaves_nothing(api: Api, length: int, together: bool) -> None:
    body = [
        {
            "project": "p", "config": MODEL, "session_reference_id": "s",
            "reference_id": str(n), "parent_reference_id": str((n + 1) % length),
        }
        for n in range(length)
    ]  # fmt: skip
    if together:
        problem = api.problem("POST", "logs", json=body)
        assert problem["loc"] == ["body", length - 1, "parent_reference_id"]
        assert api.ask("GET", "sessions")["total"] == 0
        return
    for log in body[:-1]:
        api.ask("POST", "logs", json=log)
    assert api.problem("POST", "logs", json=body[-1])["loc"] == ["body", "parent_reference_id"]
    assert len(api.logs("s")) == length - 1


def test_hanging_a_log_below_its_own_descendant_is_refused(api: Api) -> None:
    root = api.log(session_reference_id="s", reference_id="a")
    leaf = api.log(session_reference_id="s", reference_id="b", parent_reference_id="a")
    same = {"session_reference_id": "s", "reference_id": "a"}
    problem = api.problem("POST", "logs", json={**same, "parent_reference_id": "b"})
    assert problem["loc"] == ["body", "parent_reference_id"]
    for id in (leaf["id"], root["id"]):
        assert api.problem("POST", "logs", json={**same, "parent_id": id})["loc"] == ["body", "parent_id"]
    assert tree(api, "s") == {"a": None, "b": "a"}


def test_a_chain_deeper_than_pythons_stack_is_kept_in_order(api: Api) -> None:
    body: list[dict[str, Any]] = [{"project": "p", "config": MODEL, "session_reference_id": "s", "reference_id": "0"}]
    body += [{**body[0], "reference_id": str(n), "parent_reference_id": str(n - 1)} for n in range(1, 3000)]
    api.ask("POST", "logs", json=list(reversed(body)))
    assert api.session("s")["datapoints_count"] == 3000
    same = {"session_reference_id": "s", "reference_id": "0"}
    assert api.problem("POST", "logs", json={**same, "parent_reference_id": "2999"})["loc"][-1] == "parent_reference_id"


# Any order

NAMES = ["a", "b", "c", "d", "e", "f"]


@st.composite
def traces(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Logs of one session whose parents make a tree, each starting and ending at its own time."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    moments = draw(st.permutations(range(2 * len(names))))
    logs: list[dict[str, Any]] = []
    for number, name in enumerate(names):
        start, end = sorted(moments[2 * number : 2 * number + 2])
        logs.append(
            {
                "project": draw(st.sampled_from(["p", "q"])),
                "config": draw(st.sampled_from([MODEL, TOOL])),
                "reference_id": name,
                "inputs": {"of": name},
                "output": f"output of {name}",
                "created_at": f"2024-06-01T12:00:{end:02}Z",
                "duration": float(end - start),
                "prompt_tokens": draw(st.integers(0, 9)),
                "output_tokens": draw(st.integers(0, 9)),
                "prompt_cost": draw(st.sampled_from([0.1, 0.2, 0.3, 1e-9])),
                **({"error": "boom"} if draw(st.booleans()) else {}),
                **({"parent_reference_id": names[draw(st.integers(0, number - 1))]} if number else {}),
            }
        )
    return logs


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[list[dict[str, Any]]]]:
    """A trace, and requests that bring each log of it at least once, in any order, cut into bodies anywhere."""
    trace = draw(traces())
    posts = draw(st.permutations([*trace, *draw(st.lists(st.sampled_from(trace), max_size=4))]))
    cuts = sorted(draw(st.sets(st.integers(1, max(len(posts) - 1, 1)))))
    bodies = [posts[start:end] for start, end in itertools.pairwise([0, *cuts, len(posts)])]
    return trace, [body for body in bodies if body]


@pytest.fixture(scope="module")
def one_server() -> Iterator[tuple[Api, Iterator[int]]]:
    with open_store("sqlite://") as store:
        yield Api(create_app(store)), itertools.count()


@settings(deadline=None, max_examples=40)
@given(delivery=deliveries())
def test_any_order_of_arrival_gives_the_same_session(
    one_server: tuple[Api, Iterator[int]], delivery: tuple[list[dict[str, Any]], list[list[dict[str, Any]]]]
) -> None:
    api, numbers = one_server
    trace, bodies = delivery
    name = f"any-{next(numbers)}"
    for body in bodies:
        answer = api.http.post("/v4/logs", json=[{**log, "session_reference_id": name} for log in body])
        assert answer.status_code == 200, answer.text

    assert tree(api, name) == {log["reference_id"]: log.get("parent_reference_id") for log in trace}

    def start(log: dict[str, Any]) -> float:
        return float(log["created_at"][17:19]) - log["duration"]

    by_start = sorted(trace, key=start)
    assert [log["reference_id"] for log in api.logs(name)] == [log["reference_id"] for log in by_start]
    session = api.session(name)
    assert session["datapoints_count"] == len(trace)
    assert session["first_inputs"] == by_start[0]["inputs"]
    assert session["last_output"] == max(trace, key=lambda log: log["created_at"])["output"]
    assert session["started_at"] == f"2024-06-01T12:00:{int(start(by_start[0])):02}+00:00"
    assert session["ended_at"] == max(log["created_at"] for log in trace).replace("Z", "+00:00")
    assert session["prompt_tokens"] == sum(log["prompt_tokens"] for log in trace)
    assert session["output_tokens"] == sum(log["output_tokens"] for log in trace)
    assert session["cost"] == round(sum(log["prompt_cost"] for log in trace), 12)
    assert session["errors_count"] == sum("error" in log for log in trace)
    assert [project["name"] for project in session["projects"]] == list(
        dict.fromkeys(log["project"] for log in by_start)
    )

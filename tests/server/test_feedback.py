"""What people say about logs: by log id or with the log, once, many, again, taken back."""

from __future__ import annotations

from typing import Any

import pytest
from support_server import Api


@pytest.fixture
def log(api: Api) -> str:
    return str(api.log()["id"])


def said(api: Api, log: str) -> list[tuple[Any, ...]]:
    return [(each["type"], each["value"], each.get("user")) for each in api.get_log(log).get("feedback", [])]


@pytest.mark.parametrize("value", ["good", "", True, False, 0, 4.5, [], ["wrong", "late"]])
def test_feedback_stands_with_its_log(api: Api, log: str, value: Any) -> None:
    given = {"type": "mine", "value": value, "data_id": log, "user": "ann", "created_at": "2024-06-01T12:00:00+00:00"}
    answer = api.ask("POST", "feedback", json=given)
    assert answer.pop("id").startswith("ann_")
    assert answer == given
    (kept,) = api.get_log(log)["feedback"]
    assert {**kept, "id": None} == {**given, "id": None}


def test_feedback_comes_with_a_log(api: Api) -> None:
    one = api.log(feedback={"type": "rating", "value": "good"})["id"]
    many = api.log(feedback=[{"type": "rating", "value": "bad"}, {"type": "issue", "value": "slow", "user": "u"}])["id"]
    assert said(api, one) == [("rating", "good", None)]
    assert said(api, many) == [("rating", "bad", None), ("issue", "slow", "u")]


def test_a_retried_log_repeats_no_feedback(api: Api) -> None:
    again = {"session_reference_id": "s", "reference_id": "r", "feedback": {"type": "issue", "value": "slow"}}
    assert api.log(**again)["id"] == api.log(**again)["id"]
    assert said(api, api.log(**again)["id"]) == [("issue", "slow", None)]


def test_an_array_is_answered_in_order_and_kept_whole_or_not_at_all(api: Api, log: str) -> None:
    other = api.log()["id"]
    answer = api.ask(
        "POST",
        "feedback",
        json=[
            {"type": "rating", "value": "good", "data_id": log},
            {"type": "rating", "value": "bad", "data_id": other},
        ],
    )
    assert [each["data_id"] for each in answer] == [log, other]
    bad = [{"type": "comment", "value": "x", "data_id": log}, {"type": "comment", "value": "x", "data_id": "data_none"}]
    api.ask("POST", "feedback", status=404, json=bad)
    assert said(api, log) == [("rating", "good", None)]
    assert api.ask("POST", "feedback", json=[]) == []


@pytest.mark.parametrize("type", ["rating", "correction", "comment"])
def test_a_user_says_one_thing_of_these(api: Api, log: str, type: str) -> None:
    for user, value in (("a", "good"), ("b", "bad"), ("a", "bad"), (None, "good")):
        api.ask("POST", "feedback", json={"type": type, "value": value, "data_id": log, "user": user})
    assert said(api, log) == [(type, "bad", "b"), (type, "bad", "a"), (type, "good", None)]


@pytest.mark.parametrize("type", ["action", "issue", "of my own"])
def test_a_user_says_many_things_of_others_each_once(api: Api, log: str, type: str) -> None:
    ids = [
        api.ask("POST", "feedback", json={"type": type, "value": value, "data_id": log})["id"]
        for value in ("copied", "shared", "copied")
    ]
    assert ids[0] == ids[2] != ids[1]
    assert said(api, log) == [(type, "copied", None), (type, "shared", None)]


def test_what_was_said_can_be_taken_back(api: Api, log: str) -> None:
    for type, value in (("rating", "good"), ("action", "copied"), ("action", "shared"), ("issue", "slow")):
        api.ask("POST", "feedback", json={"type": type, "value": value, "data_id": log})
    answer = api.ask("POST", "feedback", json={"type": "rating", "data_id": log, "unset": True})
    assert (answer["type"], answer["value"]) == ("rating", "good")
    api.ask("POST", "feedback", json={"type": "action", "value": "copied", "data_id": log, "unset": True})
    assert said(api, log) == [("action", "shared", None), ("issue", "slow", None)]
    again = api.ask("POST", "feedback", json={"type": "action", "value": "copied", "data_id": log, "unset": True})
    assert again["value"] == "copied"
    api.ask("POST", "feedback", json={"type": "action", "data_id": log, "unset": True})
    assert said(api, log) == [("issue", "slow", None)]


def test_one_users_word_is_not_anothers_to_take_back(api: Api, log: str) -> None:
    api.ask("POST", "feedback", json={"type": "rating", "value": "good", "data_id": log, "user": "a"})
    api.ask("POST", "feedback", json={"type": "rating", "data_id": log, "user": "b", "unset": True})
    assert said(api, log) == [("rating", "good", "a")]


def test_said_and_taken_back_in_one_body(api: Api, log: str) -> None:
    body: list[dict[str, Any]] = [
        {"type": "issue", "value": "slow", "data_id": log},
        {"type": "issue", "value": "slow", "data_id": log, "unset": True},
        {"type": "issue", "value": "late", "data_id": log},
    ]
    api.ask("POST", "feedback", json=body)
    assert said(api, log) == [("issue", "late", None)]


def test_feedback_goes_with_its_log(api: Api, log: str) -> None:
    api.ask("POST", "feedback", json={"type": "rating", "value": "good", "data_id": log})
    api.ask("DELETE", "logs", status=204, params={"id": log})
    api.ask("POST", "feedback", status=404, json={"type": "rating", "value": "good", "data_id": log})
    assert said(api, api.log()["id"]) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": None}, "type"),
        ({"type": ""}, "type"),
        ({"type": "a\0b"}, "type"),
        ({"value": None}, "value"),
        ({"value": {"a": 1}}, "value"),
        ({"value": [1]}, 0),
        ({"data_id": None}, "data_id"),
        ({"user": "a\0b"}, "user"),
        ({"created_at": "yesterday"}, "created_at"),
    ],
)
def test_feedback_that_says_nothing_is_refused_by_field(
    api: Api, log: str, change: dict[str, Any], field: str | int
) -> None:
    given = {"type": "rating", "value": "good", "data_id": log, **change}
    assert api.problem("POST", "feedback", json=given)["loc"][-1] == field
    inline = {name: value for name, value in given.items() if name != "data_id"}
    if field != "data_id":
        assert api.problem("POST", "logs", json={"project": "p", "config": {"model": "m"}, "feedback": inline})
    assert said(api, log) == []


def test_feedback_types_are_not_declared(api: Api, log: str) -> None:
    project = api.get_log(log)["project_id"]
    answer = api.ask("PATCH", f"projects/{project}/feedback-types", status=404, json=[])
    assert "any type is taken" in answer["detail"]["message"]

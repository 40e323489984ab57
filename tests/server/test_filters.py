"""`GET /logs`: what filters, searches and sorts leave, and in which order."""

from __future__ import annotations

from typing import Any

import pytest
from support_server import TOOL, Api


@pytest.fixture
def project(api: Api) -> str:
    """Logs named by what they say, from the oldest to the newest."""
    logs: list[dict[str, Any]] = [
        {"output": "a", "source": "AI", "config": {"model": "gpt-4"}, "feedback": {"type": "rating", "value": "good"}},
        {"output": "b", "source": "user_1234", "config": {"model": "gpt-3.5"}},
        {"output": "c", "source": "AI", "config": TOOL, "feedback": [{"type": "issue", "value": ["late", "wrong"]}]},
        {"output": "d", "config": {"model": "gpt-4"}, "feedback": {"type": "rating", "value": "bad"}},
    ]
    for number, log in enumerate(logs):
        id = api.log(**log, created_at=f"2024-06-0{number + 1}T12:00:00Z")["project_id"]
    return str(id)


def found(api: Api, project: str, *query: tuple[str, str]) -> str:
    page = api.ask("GET", "logs", params=[("project_id", project), *query])
    assert page["total"] == len(page["records"])
    return "".join(record["output"] for record in page["records"])


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ([], "dcba"),
        ([("source_filter", "AI")], "ca"),
        ([("source_filter", "AI"), ("source_filter", "user_1234")], "cba"),
        ([("source_filter", "nobody")], ""),
        ([("model_filter", "gpt-4")], "da"),
        ([("model_filter", "gpt-4"), ("source_filter", "AI")], "a"),
        ([("feedback-rating_filter", "good")], "a"),
        ([("feedback-rating_filter", "good"), ("feedback-rating_filter", "bad")], "da"),
        ([("feedback-issue_filter", "late, wrong")], "c"),
        ([("feedback-rating_filter", "good"), ("feedback-issue_filter", "late, wrong")], ""),
        ([("evaluator-x_filter", "true")], ""),
        ([("version_status", "committed")], "da"),
        ([("version_status", "uncommitted")], "cb"),
        ([("version_status", "deleted")], ""),
        ([("start_date", "2024-06-02"), ("end_date", "2024-06-03")], "cb"),
        ([("sort", "timestamp.asc")], "abcd"),
        ([("sort", "timestamp.desc")], "dcba"),
        ([("sort", "source.asc")], "cabd"),
        ([("sort", "source.desc")], "bcad"),
        ([("sort", "model.desc"), ("sort", "timestamp.asc")], "adbc"),
        ([("sort", "feedback-rating.asc")], "dacb"),
        ([("sort", "feedback-rating.desc"), ("model_filter", "gpt-4")], "ad"),
        ([("sort", "evaluator-x.desc")], "dcba"),
        ([("anything_else", "x")], "dcba"),
        ([("search", "")], "dcba"),
    ],
)
def test_a_query_leaves_these_in_this_order(api: Api, project: str, query: list[tuple[str, str]], left: str) -> None:
    assert found(api, project, *query) == left


@pytest.mark.parametrize(
    "moment",
    [
        "2024-06-02T12:00", "2024-06-02 12:00", "2024-06-02T12:00Z", "2024-06-02T12:00:00", "2024-06-02 12:00:00.000",
        "2024-06-02T12:00:00Z", "2024-06-02T14:00:00+02:00", "2024-06-02T14:00:00+0200", "2024-06-02T14:00+02",
        "2024-06-02T14:00:00 02:00", "2024-06-02T07:00:00-05", "2024-06-02T12:00:00.000000000Z",
    ],
)  # fmt: skip
def test_a_moment_is_taken_in_every_form_that_was_documented(api: Api, project: str, moment: str) -> None:
    assert found(api, project, ("start_date", moment), ("end_date", moment)) == "b"
    assert api.get_log(api.log(created_at=moment)["id"])["created_at"] == "2024-06-02T12:00:00+00:00"


def test_the_latest_feedback_counts(api: Api, project: str) -> None:
    (log,) = api.ask("GET", "logs", params={"project_id": project, "feedback-rating_filter": "good"})["records"]
    later = {"type": "rating", "value": "bad", "user": "another", "data_id": log["id"]}
    api.ask("POST", "feedback", json={**later, "created_at": "2035-01-01T00:00:00Z"})
    assert found(api, project, ("feedback-rating_filter", "good")) == ""
    assert found(api, project, ("feedback-rating_filter", "bad")) == "da"


@pytest.mark.parametrize(
    ("value", "label"), [(12345678, "12345678"), (0.123456789, "0.123456789"), (5.0, "5"), (0, "0"), (True, "true")]
)
def test_feedback_is_filtered_by_the_whole_number(api: Api, value: Any, label: str) -> None:
    said = {"type": "score", "value": value}
    project = api.log(output="a", feedback=said)["project_id"]
    assert found(api, project, ("feedback-score_filter", label)) == "a"
    assert found(api, project, ("feedback-score_filter", f"{label}1")) == ""


def test_pages_of_what_is_left(api: Api, project: str) -> None:
    asked = {"project_id": project, "source_filter": "AI", "size": 1}
    pages = [api.ask("GET", "logs", params={**asked, "page": page}) for page in range(3)]
    assert [[record["output"] for record in page["records"]] for page in pages] == [["c"], ["a"], []]
    assert {page["total"] for page in pages} == {2}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version_status", "both"),
        ("sort", "source"),
        ("sort", "colour.asc"),
        ("sort", ".asc"),
        ("search", "x" * 1001),
        ("source_filter", "a\0b"),
        ("feedback-x_filter", "a\0b"),
        ("start_date", "soon"),
        ("start_date", "2024-06-31"),
        ("start_date", "2024-06-02T25:00"),
        ("end_date", "2024-06-02T12"),
        ("end_date", "2024-06-02T12:00:00+99:00"),
    ],
)
def test_a_query_that_means_nothing_is_refused_by_name(api: Api, project: str, name: str, value: str) -> None:
    problem = api.problem("GET", "logs", params={"project_id": project, name: value})
    assert problem["loc"] == ["query", name]


SAID: list[dict[str, Any]] = [
    {"output": "Loreen won the Eurovision Song Contest for Sweden.", "metadata": {"customer": "Zoë", "tier": 3}},
    {"output": "x", "inputs": {"question": "Who won\nEUROVISION?"}},
    {"output": "y", "messages": [{"role": "user", "content": "東京の天気は?"}]},
    {"output": "z", "inputs": {"deep": [{"er": ["Straße", 1995]}]}, "error": "TimeoutError: too slow"},
]


@pytest.mark.parametrize(
    ("name", "words", "left"),
    [
        ("search", "eurovision", [1, 0]),
        ("search", "Euro", [1, 0]),
        ("search", "vision", []),
        ("search", "won sweden", [0]),
        ("search", "sweden. (won)", [0]),
        ("search", "東京", [2]),
        ("search", "天気", [2]),
        ("search", "京都", []),
        ("search", "strasse", [3]),
        ("search", "1995", [3]),
        ("search", "timeout", [3]),
        ("search", "zoë", []),
        ("search", '"; DROP TABLE logs; --', []),
        ("search", "' & | ! :* \\", []),
        ("search", "AND", []),
        ("metadata_search", "zoë", [0]),
        ("metadata_search", "CUSTOMER 3", [0]),
        ("metadata_search", "eurovision", []),
    ],
)
def test_a_search_finds_logs_with_all_its_words(api: Api, name: str, words: str, left: list[int]) -> None:
    logs = [api.log(**log) for log in SAID]
    page = api.ask("GET", "logs", params={"project_id": logs[0]["project_id"], name: words})
    assert [record["id"] for record in page["records"]] == [logs[index]["id"] for index in left]
    assert page["total"] == len(left)


def test_a_search_follows_what_becomes_of_a_log(api: Api) -> None:
    log = api.log(output="before")

    def outputs(words: str) -> list[str]:
        page = api.ask("GET", "logs", params={"project_id": log["project_id"], "search": words})
        return [record["output"] for record in page["records"]]

    assert outputs("before") == ["before"]
    api.ask("PATCH", f"logs/{log['id']}", json={"output": "after"})
    assert (outputs("before"), outputs("after")) == ([], ["after"])
    api.ask("DELETE", "logs", status=204, params={"id": log["id"]})
    assert outputs("after") == []
    api.log(output="another")
    assert (outputs("after"), outputs("another")) == ([], ["another"])


def test_what_is_not_saved_is_not_found(api: Api) -> None:
    log = api.log(output="secret", inputs={"a": "secret"}, metadata={"b": "kept"}, save=False)
    query = {"project_id": log["project_id"]}
    assert api.ask("GET", "logs", params={**query, "search": "secret"})["total"] == 0
    assert api.ask("GET", "logs", params={**query, "metadata_search": "kept"})["total"] == 1


def test_a_search_sees_thousands_that_were_written_just_before(api: Api) -> None:
    logs = [{"project": "p", "config": TOOL, "output": f"log number{n}"} for n in range(1000)]
    id = api.ask("POST", "logs", json=logs)[0]["project_id"]
    assert api.ask("GET", "logs", params={"project_id": id, "search": "log"})["total"] == 1000
    assert api.ask("GET", "logs", params={"project_id": id, "search": "number999"})["total"] == 1

"""The list of sessions."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support_pages import Node, chips, page
from support_server import MODEL, TOOL, Api

from otel_humanloop.server.app import create_app
from otel_humanloop.server.store import open_store


def listed(node: Node) -> list[str]:
    """The outputs of the sessions listed, from the top."""
    return [row.one("td", kind="outputs").text for row in node.all("tr") if "data-row" in row.attributes]


def at(day: int, second: int = 0) -> str:
    return f"2024-06-{day:02}T12:00:{second:02}Z"


def test_without_sessions_the_page_says_how_to_get_one(api: Api) -> None:
    empty = page(api, "/").one("div", kind="empty")
    assert "No sessions yet" in empty.text
    assert "otel-humanloop demo" in empty.text
    assert "HUMANLOOP_BASE_URL=http://127.0.0.1/v4" in empty.text


def test_the_last_to_start_comes_first(api: Api) -> None:
    for day in (2, 3, 1):
        api.log(session_reference_id=str(day), output=str(day), created_at=at(day))
    assert listed(page(api, "/")) == ["3", "2", "1"]


def test_a_row_says_what_a_session_was_about(api: Api) -> None:
    api.log(
        session_reference_id="s",
        reference_id="a",
        project="first",
        inputs={"q": "why?", "n": 1},
        duration=1.5,
        created_at=at(1, 3),
        prompt_tokens=1200,
        output_tokens=300,
        prompt_cost=0.25,
    )
    api.log(session_reference_id="s", project="second", config=TOOL, created_at=at(1, 4), output="so", error="no")
    row = page(api, "/").one("tr", id=api.session("s")["id"])
    assert chips(row, "input") == ["q why?", "n 1"]
    assert chips(row, "output") == ["so"]
    assert row.one("td", kind="projects").text == "first +1 more"
    assert row.one("span", kind="error").text == "1 failed"
    assert [cell.text for cell in row.all("td", kind="number")] == ["2", "2.50 s", "1.5k", "$0.2500"]
    assert row.one("time").attributes["datetime"] == "2024-06-01T12:00:01.500+00:00"
    assert row.one("a").attributes["href"] == f"/sessions/{api.session('s')['id']}"


@pytest.fixture
def mixed(api: Api) -> Api:
    """Four sessions: slow, dear, failed, and by another model for another project."""
    fields = {"created_at": at(10), "duration": 1.0}
    api.log(session_reference_id="1", output="slow", **{**fields, "duration": 90.0, "created_at": at(11)})
    api.log(
        session_reference_id="2",
        output="dear",
        prompt_cost=3.0,
        metadata={"user": "ada"},
        prompt_tokens=70,
        **{**fields, "created_at": at(12)},
    )
    api.log(
        session_reference_id="3",
        output="failed",
        error="boom",
        metadata={"user": "ada@example.org"},
        **{**fields, "created_at": at(13)},
    )
    api.log(
        session_reference_id="4",
        output="other",
        project="elsewhere",
        config={"model": "claude"},
        **{**fields, "created_at": at(14)},
    )
    api.log(
        session_reference_id="4", output="other", project="elsewhere", config=TOOL, **{**fields, "created_at": at(14)}
    )
    return api


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("", ["other", "failed", "dear", "slow"]),
        ("errors=1", ["failed"]),
        ("min_duration=60", ["slow"]),
        ("min_cost=2.5", ["dear"]),
        ("since=2024-06-13", ["other", "failed"]),
        ("until=2024-06-11", ["slow"]),
        ("since=2024-06-12&until=2024-06-13", ["failed", "dear"]),
        ("model=claude", ["other"]),
        ("model=gpt-4&errors=1", ["failed"]),
        ("model=nobody", []),
        ("q=elsewh", ["other"]),
        ("q=dea", ["dear"]),
        ("q=SLOW", ["slow"]),
        ("q=boom", ["failed"]),
        ("q=ada@example.org", ["failed"]),
        ("user=ada@example.org", ["failed"]),
        ("user=ada", ["dear"]),
        ("user=example", []),
        ("q=%00&model=%00&user=%00&project=%00", ["other", "failed", "dear", "slow"]),
        ("q=nothing%20is%20called%20so", []),
        ("sort=duration", ["slow", "other", "failed", "dear"]),
        ("sort=cost", ["dear", "other", "failed", "slow"]),
        ("sort=tokens", ["dear", "other", "failed", "slow"]),
        ("sort=logs", ["other", "failed", "dear", "slow"]),
        ("sort=start&order=asc", ["slow", "dear", "failed", "other"]),
        ("since=never&min_cost=much&sort=taste&after=here", ["other", "failed", "dear", "slow"]),
    ],
)
def test_filters_and_sorts(mixed: Api, query: str, left: list[str]) -> None:
    assert listed(page(mixed, f"/?{query}")) == left


def test_a_project_shows_its_sessions(mixed: Api) -> None:
    (project,) = [one for one in mixed.ask("GET", "projects")["records"] if one["name"] == "elsewhere"]
    node = page(mixed, f"/?project={project['id']}")
    assert listed(node) == ["other"]
    assert [option.text for option in node.all("option") if "selected" in option.attributes] == ["elsewhere"]


def test_a_session_is_found_by_its_id_its_reference_and_those_of_its_logs(api: Api) -> None:
    log = api.log(session_reference_id="trace-1", reference_id="span-1", output="this")
    api.log(session_reference_id="trace-2", output="that")
    id = api.session("trace-1")["id"]
    for query in (id, id[5:10], "trace-1", "span-1", log["id"]):
        assert listed(page(api, f"/?q={query}")) == ["this"], query


@pytest.mark.parametrize("query", ["", "sort=duration", "sort=cost&order=asc"])
def test_pages_follow_each_other_without_a_gap_and_back(api: Api, query: str) -> None:
    body = [
        {
            "project": "p",
            "config": MODEL,
            "session_reference_id": str(n),
            "output": str(n),
            "created_at": at(1 + n // 60, n % 60),
            "duration": n % 7,
            "prompt_cost": n % 5,
        }
        for n in range(130)
    ]
    api.ask("POST", "logs", json=body)
    forth: list[list[str]] = []
    node = page(api, f"/?{query}")
    while True:
        forth.append(listed(node))
        following = node.all("a", rel="next")
        if not following:
            break
        node = page(api, following[0].attributes["href"])
    assert [len(part) for part in forth] == [50, 50, 30]
    assert len({name for part in forth for name in part}) == 130
    back = [listed(node)]
    while node.all("a", rel="prev"):
        node = page(api, node.one("a", rel="prev").attributes["href"])
        back.insert(0, listed(node))
    assert back == forth


def test_filters_stay_when_one_goes_to_the_next_page_or_sorts(api: Api) -> None:
    body = [
        {"project": "p", "config": MODEL, "session_reference_id": str(n), "error": "boom", "created_at": at(1, n)}
        for n in range(51)
    ]
    api.ask("POST", "logs", json=body)
    node = page(api, "/?errors=1&since=2024-06-01&q=p")
    for link in (node.one("a", rel="next"), node.one("thead").all("a")[0]):
        for part in ("errors=1", "since=2024-06-01", "q=p"):
            assert part in link.attributes["href"]


def test_a_search_does_not_wait_for_a_long_backlog_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "humanloop.db"
    with open_store(f"sqlite:///{path}") as store:
        api = Api(create_app(store))
        api.log(session_reference_id="s", output="found")
        assert listed(page(api, "/?q=found")) == ["found"]
        # as another process leaves it that has just brought in many logs
        with closing(sqlite3.connect(path)) as other, other:
            other.executemany("INSERT INTO unindexed (log) VALUES (?)", [(number,) for number in range(10_000, 15_000)])
        node = page(api, "/?q=found")
        assert listed(node) == ["found"]
        assert "The words of 5,000 logs have not been read yet" in node.one("p", kind="note").text


def test_a_search_says_where_it_looks_and_what_to_try_where_nothing_is_found(api: Api) -> None:
    api.log(session_reference_id="s", output="refund", error="boom")
    node = page(api, "/?q=refu&errors=1")
    assert listed(node) == ["refund"]
    told = node.one("p", kind="sought").text
    assert told.startswith("Sessions with refu in the inputs, messages, output, error or metadata of a log")
    assert told.endswith("among those the filters leave")
    empty = page(api, "/?q=a%26b&min_cost=3").one("div", kind="empty")
    assert "All words must be in one log" in empty.text
    assert [link.attributes["href"] for link in empty.all("a")] == ["/?q=a%26b", "/"]
    assert [link.attributes["href"] for link in page(api, "/?q=nowhere").one("div", kind="empty").all("a")] == ["/"]
    assert "Widen the filters" in page(api, "/?min_cost=3").one("div", kind="empty").text


def test_one_log_is_one_log(api: Api) -> None:
    api.log(session_reference_id="one")
    for _ in range(2):
        api.log(session_reference_id="two")
    two, one = (
        row.all("td", kind="number")[0].attributes["data-unit"] for row in page(api, "/").one("tbody").all("tr")
    )
    assert (one, two) == ("log", "logs")

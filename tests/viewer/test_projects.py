"""Projects: their versions, what they cost and how long they took, over time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support_pages import Node, page
from support_server import MODEL, TOOL, Api

from otel_humanloop.server.viewer.usage import percentile

NOW = datetime.now(timezone.utc)


def at(hours: float) -> str:
    return (NOW - timedelta(hours=hours)).isoformat()


def project(api: Api, name: str = "p") -> str:
    (found,) = [one["id"] for one in api.ask("GET", "projects")["records"] if one["name"] == name]
    return found


def stats(node: Node) -> dict[str, str]:
    head = node.one("div", kind="session-head")
    return {stat.one("dt").text: stat.one("dd").text for stat in head.all("div", kind="stat")}


def chart(node: Node, title: str) -> Node:
    (found,) = [one for one in node.all("figure", kind="chart") if one.one("h2").text == title]
    return found


@pytest.fixture
def used(api: Api) -> Api:
    """A project with two versions, over a day and long ago."""
    dear = {"model": "gpt-4", "temperature": 0.5}
    for hours, seconds in ((1, 1.0), (2, 2.0), (3, 9.0)):
        api.log(created_at=at(hours), duration=seconds, prompt_tokens=100, output_tokens=10, prompt_cost=0.01)
    api.log(created_at=at(4), duration=4.0, config=dear, error="boom", output_cost=0.5)
    api.log(created_at=at(24 * 20), config=dear)
    return api


def test_without_projects_the_page_says_how_to_get_one(api: Api) -> None:
    assert "otel-humanloop demo" in page(api, "/projects").one("div", kind="empty").text


def test_projects_are_listed_with_their_logs_and_versions(used: Api) -> None:
    used.log(project="tools", config=TOOL)
    rows = page(used, "/projects").one("tbody").all("tr")
    assert [row.one("a").text for row in rows] == ["tools", "p"]
    assert [[cell.text for cell in row.all("td", kind="number")] for row in rows] == [["1", "1"], ["5", "2"]]
    assert rows[1].one("a").attributes["href"] == f"/projects/{project(used)}"


def test_a_period_is_summed(used: Api) -> None:
    shown = stats(page(used, f"/projects/{project(used)}"))
    assert shown == {
        "Logs": "4",
        "Errors": "25.0 %",
        "Latency p50": "2.00 s",
        "Latency p95": "9.00 s",
        "Tokens": "300 in, 30 out",
        "Cost": "$0.5300",
        "Sessions": "All of its sessions",
    }
    assert stats(page(used, f"/projects/{project(used)}?period=all"))["Logs"] == "5"
    assert stats(page(used, f"/projects/{project(used)}?period=soon"))["Logs"] == "4"
    empty = stats(page(used, f"/projects/{project(used)}?period=1h"))
    assert (empty["Logs"], "Latency p50" in empty) == ("0", False)


def test_charts_show_each_part_of_the_period(used: Api) -> None:
    node = page(used, f"/projects/{project(used)}?period=24h")
    requests = chart(node, "Requests")
    assert len(requests.all("rect", kind="good")) == 3
    assert len(requests.all("rect", kind="failed")) == 1
    assert "1 failed" in requests.all("g")[0].one("title").text
    assert len(chart(node, "Latency").all("circle", kind="p95")) == 4
    assert len(chart(node, "Tokens").all("rect", kind="in")) == 3
    assert len(chart(node, "Cost").all("rect", kind="cost")) == 4
    for one in node.all("svg", kind="plot"):
        assert one.attributes["role"] == "img"
        assert "over time" in one.attributes["aria-label"]
    numbers = node.one("details", kind="numbers").one("tbody").all("tr")
    assert [row.all("td")[1].text for row in numbers] == ["1", "1", "1", "1"]


def test_a_line_over_a_part_without_logs_is_a_gap(api: Api) -> None:
    for hours in (1, 2, 9):  # a part of a day is an hour long
        api.log(created_at=at(hours), duration=hours)
    lines = chart(page(api, f"/projects/{project(api)}?period=24h"), "Latency").all("line")
    assert [line.classes for line in lines if "p50" in line.classes] == [{"p50", "gap"}, {"p50"}]


def test_a_single_log_is_a_point_of_each_chart(api: Api) -> None:
    api.log(created_at=at(1), duration=2.0, prompt_tokens=1, prompt_cost=0.1)
    node = page(api, f"/projects/{project(api)}")
    assert [len(chart(node, "Latency").all(tag)) for tag in ("circle", "line")] == [2, 2]  # the lines are the frame
    assert [len(chart(node, title).all("rect")) for title in ("Requests", "Tokens", "Cost")] == [1, 1, 1]


def test_a_period_without_logs_says_so_and_leads_to_all(used: Api) -> None:
    node = page(used, f"/projects/{project(used)}?period=1h")
    assert (node.all("figure"), node.all("details")) == ([], [])
    assert node.one("p", kind="note").one("a").attributes["href"] == "?period=all"


def test_versions_are_told_apart_by_use_cost_latency_and_errors(used: Api) -> None:
    rows = page(used, f"/projects/{project(used)}").one("div", **{"aria-label": "Versions"}).one("tbody").all("tr")
    lines = [[cell.text for cell in row.all("td")][1:-1] for row in rows]
    assert sorted(lines) == [
        ["gpt-4", "2", "1", "100.0 %", "4.00 s", "4.00 s", "$0.5000"],
        ["gpt-4", "3", "3", "0.0 %", "2.00 s", "9.00 s", "$0.0100"],
    ]
    assert [row.all("span", kind="kind") != [] for row in rows].count(True) == 1


def test_the_latest_logs_lead_to_where_they_are_read(api: Api) -> None:
    alone = api.log(output="alone", config=MODEL)["id"]
    within = api.log(output="within", session_reference_id="s")
    node = page(api, f"/projects/{project(api)}")
    links = [link.attributes["href"] for link in node.one("table", kind="latest").all("a")]
    assert links == [f"/sessions/{within['session_id']}/logs/{within['id']}", f"/logs/{alone}"]
    assert "belongs to no session" in page(api, f"/logs/{alone}").text
    for query in ("", "?tab=raw&start=3"):
        led = api.http.get(f"/logs/{within['id']}{query}", follow_redirects=False)
        assert led.headers["location"] == f"{links[0]}{query}"


def test_a_project_that_is_not_there_is_not_found(api: Api) -> None:
    assert api.http.get("/projects/pr_x").status_code == 404


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_share_of_all_do_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values) + 1e-9

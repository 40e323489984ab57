"""Sessions: opened, found, listed."""

from __future__ import annotations

import re

from support_server import TOOL, Api


def test_an_opened_session_is_empty_and_takes_logs(api: Api) -> None:
    id = api.ask("POST", "sessions", status=201)["id"]
    assert re.fullmatch("sesh_[0-9A-Za-z]{21}", id)
    session = api.ask("GET", f"sessions/{id}")
    assert session["datapoints_count"] == 0
    assert session["projects"] == []
    assert not {"reference_id", "first_inputs", "last_output"} & session.keys()
    assert api.log(session_id=id)["session_id"] == id
    assert api.ask("GET", f"sessions/{id}")["datapoints_count"] == 1


def test_the_body_with_which_a_session_is_opened_is_not_looked_at(api: Api) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    api.ask("POST", "sessions", status=201, content=b"", headers=headers)
    api.ask("POST", "sessions", status=201, content=b"%%%")


def test_a_session_spans_projects(api: Api) -> None:
    for second, (project, fields) in enumerate({"one": {}, "two": {"config": TOOL}, "three": {}}.items()):
        api.log(project=project, session_reference_id="s", created_at=f"2024-06-01T12:00:{second:02}Z", **fields)
    session = api.session("s")
    assert [(project["name"], project["type"]) for project in session["projects"]] == [
        ("one", "prompt"),
        ("two", "tool"),
        ("three", "prompt"),
    ]
    for project in session["projects"]:
        page = api.ask("GET", "sessions", params={"project_id": project["id"]})
        assert page["records"] == [session]
        assert (page["page"], page["size"], page["total"]) == (1, 10, 1)
    assert api.ask("GET", f"sessions/{session['id']}") == session


def test_sessions_are_listed_from_page_one_by_their_start_the_latest_first(api: Api) -> None:
    for day in (2, 3, 1):
        posted = api.log(session_reference_id=str(day), created_at=f"2024-06-0{day}T12:00:00Z")
    for query in ({}, {"project_id": posted["project_id"]}):

        def listed(**window: int) -> list[str]:
            page = api.ask("GET", "sessions", params={**query, **window})  # noqa: B023 - used at once
            assert page["total"] == 3
            assert page["page"] == window.get("page", 1)
            return [session["reference_id"] for session in page["records"]]

        assert listed() == ["3", "2", "1"]
        assert listed(size=2) == listed(size=2, page=0) == ["3", "2"]
        assert listed(size=2, page=2) == ["1"]
        assert listed(size=2, page=3) == []


def test_a_session_that_is_not_there_is_not_found(api: Api) -> None:
    api.ask("GET", "sessions/sesh_x", status=404)
    api.ask("GET", "sessions", params={"project_id": "pr_x"}, status=404)
    assert api.ask("GET", "sessions", params={"reference_id": "x"})["records"] == []


def test_a_reference_that_looks_like_an_id_is_only_a_reference(api: Api) -> None:
    id = api.ask("POST", "sessions", status=201)["id"]
    other = api.log(session_reference_id=id)["session_id"]
    assert other != id
    assert api.log(session_id=id)["session_id"] == id

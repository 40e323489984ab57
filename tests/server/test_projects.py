"""Projects: made by name, listed, changed, deleted."""

from __future__ import annotations

import re

from support_server import TOOL, Api


def test_a_project_is_made_and_found(api: Api) -> None:
    project = api.ask(
        "POST", "projects", status=201, json={"name": "p", "directory_id": "dir_x", "provider_api_keys": {}}
    )
    assert re.fullmatch("pr_[0-9A-Za-z]{21}", project["id"])
    assert project["users"] == []
    assert project["data_count"] == 0
    assert project["directory_id"] == "dir_x"
    assert {kind["type"] for kind in project["feedback_types"]} == {
        "rating",
        "action",
        "issue",
        "correction",
        "comment",
    }
    assert api.ask("GET", f"projects/{project['id']}") == project
    assert api.log(project="p")["project_id"] == project["id"]


def test_a_name_that_is_taken_is_refused(api: Api) -> None:
    api.ask("POST", "projects", status=201, json={"name": "p"})
    assert api.problem("POST", "projects", json={"name": "p"})["loc"] == ["body", "name"]
    assert api.problem("POST", "projects", json={})["loc"] == ["body", "name"]


def test_projects_are_listed_by_what_is_asked(api: Api) -> None:
    for name in ("b_x", "a%", "C_y"):
        api.ask("POST", "projects", status=201, json={"name": name})

    def listed(**query: str | int) -> list[str]:
        return [project["name"] for project in api.ask("GET", "projects", params=query)["records"]]

    assert listed() == ["C_y", "a%", "b_x"]
    assert listed(order="asc") == ["b_x", "a%", "C_y"]
    assert listed(order="asc", size=2) == ["b_x", "a%"]
    assert listed(order="asc", size=2, page=1) == ["C_y"]
    assert listed(page=7) == []
    assert listed(filter="c_") == ["C_y"]
    assert listed(filter="%") == ["a%"]
    assert listed(sort_by="name", order="asc") == ["C_y", "a%", "b_x"]
    api.ask("POST", "projects", status=201, json={"name": "Äpfel C_"})
    assert [listed(filter=name) for name in ("Äpfel", "äPFEL", "birne")] == [["Äpfel C_"], ["Äpfel C_"], []]
    assert listed(filter="c_") == ["Äpfel C_", "C_y"]
    assert listed(filter="c_", size=1, page=1) == ["C_y"]
    assert api.ask("GET", "projects", params={"filter": "c_", "size": 1})["total"] == 2
    assert api.problem("GET", "projects", params={"sort_by": "luck"})["loc"] == ["query", "sort_by"]


def test_a_project_is_renamed_and_given_another_active_config(api: Api) -> None:
    id = api.log(project="old", config={"model": "first"})["project_id"]
    second = api.get_log(api.log(project="old", config={"model": "second"})["id"])["config_id"]
    project = api.ask("PATCH", f"projects/{id}", json={"id": id, "name": "new", "active_config_id": second})
    assert project["name"] == "new"
    assert project["active_config"]["config"]["model"] == "second"
    assert api.log(project="new")["project_id"] == id
    foreign = api.get_log(api.log(project="other")["id"])["config_id"]
    assert api.problem("PATCH", f"projects/{id}", json={"active_config_id": foreign})["loc"][-1] == "active_config_id"
    assert api.problem("PATCH", f"projects/{id}", json={"name": "other"})["loc"] == ["body", "name"]
    api.ask("PATCH", f"projects/{id}", json={"active_config_id": "config_x"}, status=404)
    api.ask("PATCH", "projects/pr_x", json={"name": "x"}, status=404)


def test_a_deleted_project_takes_its_logs_along(api: Api) -> None:
    gone = api.log(project="gone", session_reference_id="s", reference_id="a")
    kept = api.log(project="kept", session_reference_id="s", parent_reference_id="a", config=TOOL)
    api.ask("DELETE", f"projects/{gone['project_id']}", status=204)
    api.ask("GET", f"projects/{gone['project_id']}", status=404)
    api.ask("DELETE", f"projects/{gone['project_id']}", status=404)
    api.ask("GET", f"logs/{gone['id']}", status=404)
    assert [log["id"] for log in api.logs("s")] == [kept["id"]]
    assert [project["name"] for project in api.session("s")["projects"]] == ["kept"]
    assert api.log(project="gone")["project_id"] != gone["project_id"]

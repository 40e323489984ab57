"""U+0000, which PostgreSQL's text cannot hold: kept in what is said, refused in what names, on every database alike."""

from __future__ import annotations

from typing import Any

import pytest
from support_server import MODEL, TOOL, Api

NUL = "a\0b"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("inputs", {NUL: [NUL, {NUL: NUL}]}),
        ("messages", [{"role": "user", "content": NUL}]),
        ("output", NUL),
        ("output_message", {"role": "assistant", "content": NUL}),
        ("error", NUL),
        ("stdout", NUL),
        ("metadata", {NUL: NUL}),
        ("provider_request", {NUL: NUL}),
        ("provider_response", {NUL: NUL}),
    ],
)
def test_it_is_kept_in_what_is_said(api: Api, field: str, value: Any) -> None:
    log = api.get_log(api.log(**{"session_reference_id": "s", "output": "a", field: value})["id"])
    assert log[field] == value
    query = {"project_id": log["project_id"], "search": "a"}
    assert api.ask("GET", "logs", params=query)["total"] == 1
    assert api.http.get(f"/sessions/{api.session('s')['id']}/logs/{log['id']}").status_code == 200


@pytest.mark.parametrize(
    "config",
    [
        {**MODEL, "prompt_template": NUL},
        {**MODEL, "description": NUL},
        {**TOOL, "source_code": NUL},
        {**MODEL, "other": {NUL: NUL}},
    ],
)
def test_it_is_kept_in_what_a_config_says(api: Api, config: dict[str, Any]) -> None:
    log = api.get_log(api.log(config=config)["id"])
    assert {name: log["config"][name] for name in config} == config


LOG = {"project": "p", "config": MODEL}
CALL = {"project": "p", "model_config": {"model": "m", "provider": "mock"}, "messages": []}


@pytest.mark.parametrize(
    ("path", "body", "loc"),
    [
        *(
            ("logs", {**LOG, name: NUL}, [name])
            for name in (
                "project", "project_id", "session_id", "session_reference_id", "parent_id", "parent_reference_id",
                "reference_id", "config_id", "source", "environment",
            )
        ),
        ("logs", [LOG, {**LOG, "config_id": NUL}], [1, "config_id"]),
        ("logs", {**LOG, "config": {"model": NUL}}, ["config", "model"]),
        ("logs", {**LOG, "config": {"model": "m", "name": NUL}}, ["config", "name"]),
        ("logs", {**LOG, "config": {"type": "tool", "name": NUL}}, ["config", "name"]),
        ("logs", {**LOG, "config": {"type": "generic", "name": NUL}}, ["config", "name"]),
        ("logs", {**LOG, "feedback": {"type": NUL, "value": "x"}}, ["feedback", "type"]),
        ("logs", {**LOG, "feedback": {"type": "x", "value": "x", "user": NUL}}, ["feedback", "user"]),
        ("feedback", {"type": "x", "value": "x", "data_id": NUL}, ["data_id"]),
        ("feedback", [{"type": "x", "value": "x", "data_id": NUL}], [0, "data_id"]),
        ("projects", {"name": NUL}, ["name"]),
        ("projects", {"name": "p", "directory_id": NUL}, ["directory_id"]),
        ("model-configs", {"project": NUL, "model": "m"}, ["project"]),
        ("model-configs", {"project_id": NUL, "model": "m"}, ["project_id"]),
        ("model-configs", {"project": "p", "model": NUL}, ["model"]),
        ("chat", {**CALL, "session_id": NUL}, ["session_id"]),
        ("chat", {**CALL, "parent_id": NUL}, ["parent_id"]),
        ("chat", {**CALL, "model_config": {"model": NUL, "provider": "mock"}}, ["model_config", "model"]),
        ("chat-deployed", {"project_id": NUL, "messages": []}, ["project_id"]),
        ("chat-model-config", {"model_config_id": NUL, "messages": []}, ["model_config_id"]),
    ],
)  # fmt: skip
def test_it_is_refused_in_what_names_and_the_field_is_named(api: Api, path: str, body: Any, loc: list[Any]) -> None:
    assert api.problem("POST", path, json=body)["loc"] == ["body", *loc]
    assert api.ask("GET", "projects")["total"] == 0


def test_it_is_refused_in_what_changes_a_project(api: Api) -> None:
    id = api.log()["project_id"]
    for path, body, loc in (
        (f"projects/{id}", {"active_config_id": NUL}, ["active_config_id"]),
        (f"projects/{id}", {"name": NUL}, ["name"]),
        (f"projects/{id}/deploy-config", {"config_id": NUL}, ["config_id"]),
        (f"projects/{id}/deploy-config", {"config_id": "c", "environments": [{"id": NUL}]}, ["environments", 0, "id"]),
        (
            f"projects/{id}/deploy-config",
            {"config_id": "c", "environments": [{"id": "x", "name": NUL}]},
            ["environments", 0, "name"],
        ),
    ):
        assert api.problem("PATCH", path, json=body)["loc"] == ["body", *loc]


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        *(
            ("GET", "logs", name)
            for name in ("project_id", "session_id", "session_reference_id", "search", "metadata_search",
                         "model_filter", "feedback-rating_filter")
        ),
        ("PATCH", "logs", "reference_id"),
        ("DELETE", "logs", "id"),
        *(("GET", "sessions", name) for name in ("project_id", "reference_id")),
        ("GET", "projects", "filter"),
        ("GET", "projects/pr_x/active-config", "environment"),
    ],
)  # fmt: skip
def test_it_is_refused_in_a_query(api: Api, method: str, path: str, name: str) -> None:
    project = api.log()["project_id"]
    query = {name: NUL} if name == "project_id" or path != "logs" else {"project_id": project, name: NUL}
    body = {"json": {"output": "x"}} if method == "PATCH" else {}
    assert api.problem(method, path, params=query, **body)["loc"] == ["query", name]


@pytest.mark.parametrize(
    "path",
    ["/v4/logs/%00", "/v4/sessions/%00", "/v4/projects/%00/configs", "/sessions/a%00", "/logs/%00", "/projects/%00",

     "/sessions/%00/live", "/nowhere%00", "/v4/logs?%00=1"],
)  # fmt: skip
def test_it_is_refused_in_an_address(api: Api, path: str) -> None:
    assert api.http.get(path).status_code == 422


@pytest.mark.parametrize(
    "query", ["?project=%00", "?q=%00", "?model=a%00&user=%00", "?after=%00", "compare?s=%00&s=%00"]
)
def test_a_page_is_shown_as_if_it_were_not_there(api: Api, query: str) -> None:
    assert api.http.get(f"/{query}").status_code in (200, 404)

"""Versions of a project: registered, listed, deployed to environments, written as `.prompt` files and read back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support_server import TOOL, Api

from otel_humanloop.server.promptfile import parsed, written


def register(api: Api, **fields: Any) -> Any:
    return api.ask("POST", "model-configs", json={"project": "p", "model": "gpt-4", **fields})


def test_a_registered_config_is_a_committed_version_and_the_first_is_active(api: Api) -> None:
    first = register(api, temperature=0)
    second = register(api, name="mine", chat_template=[{"role": "system", "content": "Be kind"}], endpoint="chat")
    assert (first["num_datapoints"], second["config"]["name"]) == (0, "mine")
    project = api.ask("GET", f"projects/{first['project_id']}")
    assert project["active_config"]["config"] == first["config"]
    listed = api.ask("GET", f"projects/{first['project_id']}/configs")
    assert [version["config"] for version in listed] == [second["config"], first["config"]]
    assert api.ask("GET", f"model-configs/{second['config']['id']}") == second["config"]


def test_a_version_that_was_logged_is_the_one_that_is_registered(api: Api) -> None:
    api.log(config=TOOL)
    log = api.get_log(api.log(config={"model": "gpt-4"})["id"])
    query = {"project_id": log["project_id"], "version_status": "committed"}
    api.log(config={"model": "other"})
    assert api.ask("GET", "logs", params={**query, "model_filter": "other"})["total"] == 0
    same = register(api, project_id=log["project_id"], name="named now")
    assert (same["config"]["id"], same["config"]["name"], same["num_datapoints"]) == (log["config_id"], "named now", 1)
    assert register(api)["config"]["name"] == "named now"
    register(api, model="other")
    assert api.ask("GET", "logs", params={**query, "model_filter": "other"})["total"] == 1


def test_a_tool_is_no_model_config(api: Api) -> None:
    tool = api.get_log(api.log(config=TOOL)["id"])["config_id"]
    for method, path in (("GET", f"model-configs/{tool}"), ("POST", f"model-configs/{tool}/export")):
        api.ask(method, path, status=404)
    api.ask("GET", "model-configs/config_none", status=404)


def test_the_active_config_can_be_had_set_and_taken_away(api: Api) -> None:
    first, second = register(api), register(api, temperature=0)
    path = f"projects/{first['project_id']}"
    assert api.ask("GET", f"{path}/active-config")["config"] == first["config"]
    api.ask("PATCH", path, json={"active_config_id": second["config"]["id"]})
    active = api.ask("GET", f"{path}/active-config", params={"environment": "production"})
    assert active["config"] == second["config"]
    assert active["environment_id"].startswith("env_")
    for _ in range(2):
        assert "active_config" not in api.ask("DELETE", f"{path}/active-config")
    api.ask("GET", f"{path}/active-config", status=404)


def test_versions_are_deployed_to_environments(api: Api) -> None:
    first, second = register(api), register(api, temperature=0)
    path, ids = f"projects/{first['project_id']}", [version["config"]["id"] for version in (first, second)]
    places = [{"id": "any", "name": "staging"}, {"id": "other", "name": "development"}]
    deployed = api.ask("PATCH", f"{path}/deploy-config", json={"config_id": ids[1], "environments": places})
    assert [(each["environment_name"], each["environment_tag"], each["model_config_id"]) for each in deployed] == [
        ("production", "default", ids[0]), ("staging", "other", ids[1]), ("development", "other", ids[1]),
    ]  # fmt: skip
    assert api.ask("GET", f"{path}/deployed-configs") == deployed
    assert api.ask("GET", f"{path}/active-config", params={"environment": "staging"})["config"]["id"] == ids[1]
    staging = {"id": deployed[1]["environment_id"]}
    api.ask("PATCH", f"{path}/deploy-config", json={"config_id": ids[0], "environments": [staging]})
    assert api.ask("GET", f"{path}/active-config", params={"environment": "staging"})["config"]["id"] == ids[0]
    for _ in range(2):
        api.ask("DELETE", f"{path}/deployed-config/{staging['id']}")
    api.ask("GET", f"{path}/active-config", status=404, params={"environment": "staging"})
    api.ask("DELETE", f"{path}/active-config", params={"environment": "development"})
    assert [each.get("model_config_id") for each in api.ask("GET", f"{path}/deployed-configs")] == [ids[0], None, None]
    api.ask("PATCH", f"{path}/deploy-config", json={"config_id": ids[1]})
    assert api.ask("GET", f"{path}/active-config")["config"]["id"] == ids[1]


def test_what_does_not_exist_is_not_deployed(api: Api) -> None:
    version = register(api)
    path, id = f"projects/{version['project_id']}", version["config"]["id"]
    other = register(api, project="another")["config"]["id"]
    assert api.problem("PATCH", f"{path}/deploy-config", json={"config_id": other})["loc"] == ["body", "config_id"]
    api.ask("PATCH", f"{path}/deploy-config", status=404, json={"config_id": "config_none"})
    nowhere = {"config_id": id, "environments": [{"id": "env_none"}]}
    api.ask("PATCH", f"{path}/deploy-config", status=404, json=nowhere)
    api.ask("GET", f"{path}/active-config", status=404, params={"environment": "none"})
    for method, name in (("GET", "configs"), ("GET", "active-config"), ("GET", "deployed-configs")):
        api.ask(method, f"projects/pr_none/{name}", status=404)
    api.ask("POST", "model-configs", status=404, json={"project_id": "pr_none", "model": "m"})
    assert api.problem("POST", "model-configs", json={"model": "m"})["loc"] == ["body", "project"]
    assert api.problem("POST", "model-configs", json={"project": "p"})["loc"] == ["body", "model"]


def test_a_project_is_exported_newest_first(api: Api) -> None:
    ids = [api.log(created_at=f"2024-06-0{day}T00:00:00Z")["id"] for day in (1, 3, 2)]
    project = api.get_log(ids[0])["project_id"]
    page = api.ask("POST", f"projects/{project}/export", params={"size": 2})
    assert ([log["id"] for log in page["records"]], page["total"]) == ([ids[1], ids[2]], 3)
    assert api.ask("POST", f"projects/{project}/export", params={"size": 2, "page": 2})["records"] == []
    api.ask("POST", "projects/pr_none/export", status=404)


@pytest.mark.parametrize(
    "path",
    [
        "evaluations", "evaluators/x", "datasets", "datapoints/x", "projects/pr_x/datasets", "projects/x/evaluations",
        "experiments/x", "projects/x/experiments", "projects/x/active-experiment", "chat-experiment", "finetunes/x",
    ],
)  # fmt: skip
def test_what_is_not_built_says_so(api: Api, path: str) -> None:
    assert "not part of this server" in api.ask("GET", path, status=404)["detail"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "hint"),
    [
        ("POST", "/logs", "the API is below /v4"),
        ("POST", "/projects", "the API is below /v4"),
        ("POST", "/v5/prompts/log", "this server speaks v4"),
        ("PUT", "/v4/logs", "there is no PUT /v4/logs"),
    ],
)
def test_who_asks_at_another_address_is_told_of_the_right_one(api: Api, method: str, path: str, hint: str) -> None:
    answer = api.http.request(method, path, headers={"X-API-KEY": "k"})
    assert answer.status_code in (404, 405)
    assert hint in answer.json()["detail"]["message"]


CHAT = [{"role": "system", "content": "Be kind.\n\n  Always."}, {"role": "user", "content": "{{question}}"}]


def test_a_prompt_file_reads_as_people_write_it(api: Api) -> None:
    version = register(api, chat_template=CHAT, endpoint="chat", temperature=0.7, name="kind", stop=["END"])
    file = api.ask("POST", f"model-configs/{version['config']['id']}/export")
    assert file == (
        "---\nmodel: gpt-4\nprovider: openai\nendpoint: chat\ntemperature: 0.7\nmax_tokens: -1\ntop_p: 1.0\n"
        "stop:\n- END\npresence_penalty: 0.0\nfrequency_penalty: 0.0\nname: kind\n---\n\n"
        "<system>\n  Be kind.\n\n    Always.\n</system>\n\n<user>\n  {{question}}\n</user>\n"
    )
    again = api.ask("POST", "model-configs/deserialize", json={"config": file})
    assert {**again, "id": None} == {**version["config"], "id": None}


def test_a_file_of_little_is_a_config(api: Api) -> None:
    config = api.ask("POST", "model-configs/deserialize", json={"config": "---\r\nmodel: m\r\n---\r\nQ: {{q}}"})
    assert (config["prompt_template"], config["temperature"], config["endpoint"]) == ("Q: {{q}}", 1, "complete")
    chat = api.ask("POST", "model-configs/deserialize", json={"config": "---\nmodel: m\n---\n<user>Hello</user>"})
    assert (chat["chat_template"], chat["endpoint"]) == ([{"role": "user", "content": "Hello"}], "chat")


@pytest.mark.parametrize(
    "file",
    ["", "model: m", "---\nmodel: [\n---\n", "---\n- a\n---\n", "---\n1: a\n---\n", "---\n---\n", "---\nmodel: 3\n---"],
)
def test_a_file_of_another_form_is_refused(api: Api, file: str) -> None:
    assert api.problem("POST", "model-configs/deserialize", json={"config": file})["loc"][:2] == ["body", "config"]


MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "system", "assistant"])},
    optional={
        "content": st.text(alphabet="ab \r\n<>/{}-:\té", max_size=30)
        | st.sampled_from(["</user>", "<system>\n</system>"]),
        "name": st.just("n"),
    },
)


@given(
    template=st.text(alphabet="ab \r\n<>/{}-:#é", max_size=60) | st.just("<user>\n  a\n</user>"),
    chat=st.none() | st.lists(MESSAGES, max_size=4),
    other=st.dictionaries(st.sampled_from("ab"), st.integers() | st.text(max_size=5), max_size=2),
)
def test_any_config_comes_back_from_its_file(template: str, chat: list[Any] | None, other: dict[str, Any]) -> None:
    config: dict[str, Any] = {"model": "m", "temperature": 0.5, **({"other": other} if other else {})}
    if chat is not None:
        config.update(endpoint="chat", chat_template=chat)
    elif template:
        config.update(endpoint="complete", prompt_template=template)
    assert parsed(written(config)) == config

"""Config versions: defaults, names, and which two are one."""

from __future__ import annotations

from typing import Any

import pytest
from support_server import Api


def config_of(api: Api, config: dict[str, Any], project: str = "p") -> Any:
    return api.get_log(api.log(project=project, config=config)["id"])["config"]


def test_a_model_gets_the_contracts_defaults(api: Api) -> None:
    config = config_of(api, {"model": "gpt-4"})
    assert config.pop("id").startswith("config_")
    assert len(config.pop("name").split("-")) == 3
    assert config == {
        "type": "model", "model": "gpt-4", "provider": "openai", "endpoint": "complete", "max_tokens": -1,
        "temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0, "other": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"model": "m"}, {"type": "model", "model": "m", "temperature": 1, "provider": "openai", "max_tokens": -1}),
        ({"model": "m", "temperature": 0}, {"model": "m", "temperature": 0.0}),
        (
            {"model": "m"},
            {"model": "m", "type": None, "provider": None, "temperature": None, "tools": None, "stop": None},
        ),
        ({"model": "m"}, {"model": "m", "provider_api_keys": {"openai": "sk-1"}, "other": {"provider_api_keys": {}}}),
        ({"model": "m", "name": "a", "description": "b"}, {"model": "m", "name": "c"}),
        ({"model": "m", "other": {"a": 1, "b": 2}}, {"b": 2, "model": "m", "other": {"a": 1}}),
        ({"type": "tool", "name": "t", "source": "def f()"}, {"type": "tool", "name": "t", "source_code": "def f()"}),
    ],
)
def test_the_same_config_is_one_version(api: Api, one: dict[str, Any], other: dict[str, Any]) -> None:
    assert config_of(api, one) == config_of(api, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"model": "m"}, {"model": "n"}),
        ({"model": "m"}, {"model": "m", "temperature": 0.5}),
        ({"model": "m"}, {"model": "m", "prompt_template": ""}),
        ({"model": "m"}, {"model": "m", "tools": [{"name": "t"}]}),
        ({"type": "tool", "name": "t"}, {"type": "tool", "name": "t", "description": "d"}),
        ({"type": "tool", "name": "t"}, {"type": "tool", "name": "t", "other": {"kind": "agent"}}),
        ({"type": "tool", "name": "t"}, {"type": "generic", "name": "t"}),
    ],
)
def test_another_config_is_another_version(api: Api, one: dict[str, Any], other: dict[str, Any]) -> None:
    assert config_of(api, one)["id"] != config_of(api, other)["id"]


@pytest.mark.parametrize(
    "config", [{"model": "m", "tools": [{"name": "t"}], "other": {"a": 1}}, {"type": "tool", "name": "t"}]
)
def test_a_config_that_was_answered_is_the_same_when_it_is_posted(api: Api, config: dict[str, Any]) -> None:
    answered = config_of(api, config)
    assert config_of(api, {**answered, "created_by": {"id": "usr_x"}, "tool_configs": []}) == answered


def test_versions_are_a_projects_own(api: Api) -> None:
    one, two = (config_of(api, {"model": "m"}, project) for project in ("one", "two"))
    assert one["id"] != two["id"]
    assert one["name"] == two["name"]


def test_what_a_model_has_beyond_the_contract_is_kept_under_other(api: Api) -> None:
    config = config_of(api, {"model": "m", "top_k": 5, "other": {"a": 1}, "provider": "langchain"})
    assert config["other"] == {"a": 1, "top_k": 5, "provider": "langchain"}
    assert "provider" not in config
    config = config_of(api, {"model": "m", "response_format": {"type": "text"}})
    assert config["other"] == {"response_format": {"type": "text"}}
    assert "response_format" not in config


def test_tools_offered_to_a_model_are_answered_with_ids(api: Api) -> None:
    tools: list[dict[str, Any]] = [
        {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True},
        {"id": "oc_x", "source": "organization"},
    ]
    inline, linked = config_of(api, {"model": "m", "tools": tools})["tools"]
    assert inline == {"id": inline["id"], **tools[0]}
    assert linked == {"id": "oc_x", "source": "organization", "name": "oc_x"}
    again = config_of(api, {"model": "m", "tools": tools, "temperature": 0})["tools"]
    assert again[0]["id"] == inline["id"]


def test_agents_and_generic_configs_are_taken(api: Api) -> None:
    agent = config_of(
        api,
        {
            "type": "agent", "name": "react", "agent_class": "zero-shot", "model_config": {"model": "m"},
            "tools": [{"name": "f"}], "other": {"max_iterations": 3},
        },
    )  # fmt: skip
    assert agent["agent_class"] == "zero-shot"
    assert agent["model_config"]["temperature"] == 1
    assert agent["tools"] == [{"type": "tool", "name": "f"}]
    generic = config_of(api, {"type": "generic", "other": {"a": 1}}, project="g")
    assert generic["other"] == {"a": 1}
    assert len(generic["name"].split("-")) == 3


def test_the_first_config_gives_a_project_its_type_and_the_first_model_is_active(api: Api) -> None:
    id = api.log(config={"type": "tool", "name": "t"})["project_id"]
    project = api.ask("GET", f"projects/{id}")
    assert project["config_type"] == "tool"
    assert "active_config" not in project
    for model in ("first", "second", "first"):
        api.log(config={"model": model})
    project = api.ask("GET", f"projects/{id}")
    assert project["config_type"] == "tool"
    assert project["active_config"]["config"]["model"] == "first"
    assert project["active_config"]["num_datapoints"] == 2

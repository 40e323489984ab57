"""Logs: posted, changed, listed, deleted."""

from __future__ import annotations

from typing import Any

import pytest
from support_server import MODEL, TOOL, Api

from otel_humanloop.server.app import create_app
from otel_humanloop.server.store import Store


def test_a_log_comes_back_as_it_was_given(api: Api) -> None:
    given: dict[str, Any] = {
        "project": "assistant",
        "session_reference_id": "s",
        "reference_id": "r",
        "inputs": {"question": "why?", "nested": {"list": [1, None, 2.5, True], "big": 2**70}},
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "see"}]},
            {
                "role": "assistant",
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
        ],
        "output": "because\x00 of that ☂",
        "output_message": {"role": "assistant", "content": "because"},
        "judgment": ["a", "b"],
        "error": "none worth naming",
        "stdout": "",
        "duration": 1.5,
        "created_at": "2024-06-01T12:00:00.123456+00:00",
        "source": "opentelemetry",
        "source_datapoint_id": "evts_x",
        "metadata": {"k": {"v": 0}},
        "environment": "production",
        "prompt_tokens": 0,
        "output_tokens": 7,
        "prompt_cost": 0.0,
        "output_cost": 0.25,
        "provider_request": {"n": 1},
        "provider_response": {"id": "x"},
    }
    posted = api.ask("POST", "logs", json={**given, "config": MODEL})
    log = api.get_log(posted["id"])
    assert {field: log[field] for field in given} == given
    assert log["project_id"] == posted["project_id"]
    assert log["session_id"] == posted["session_id"]
    assert log["tokens"] == 7
    assert log["started_at"] == "2024-06-01T11:59:58.623456+00:00"
    assert log["evaluation_results"] == []
    assert log["save"] is True


def test_what_was_not_given_is_left_out(api: Api) -> None:
    log = api.get_log(api.log()["id"])
    assert log.keys() == {
        "id", "project", "project_id", "config", "config_id", "inputs", "save", "created_at", "started_at",
        "updated_at", "evaluation_results", "observability_status",
    }  # fmt: skip
    assert log["inputs"] == {}


def test_an_array_is_answered_by_an_array_in_its_order(api: Api) -> None:
    body = [{"project": f"p{n}", "config": MODEL, "output": str(n)} for n in (3, 1, 2)]
    posted = api.ask("POST", "logs", json=body)
    assert [api.get_log(log["id"])["output"] for log in posted] == ["3", "1", "2"]
    assert [api.get_log(log["id"])["project"] for log in posted] == ["p3", "p1", "p2"]


def test_an_empty_array_is_answered_by_an_empty_array(api: Api) -> None:
    assert api.ask("POST", "logs", json=[]) == []


def test_an_array_with_a_bad_log_is_not_kept_at_all(api: Api) -> None:
    body = [{"project": "p", "config": MODEL, "session_reference_id": "s"}] * 3
    problem = api.problem("POST", "logs", json=[*body, {"project": "p", "config": {"model": 4}}])
    assert problem["loc"] == ["body", 3, "config", "model"]
    problem = api.problem("POST", "logs", json=[*body, {"project": "q"}])
    assert problem["loc"] == ["body", 3, "config"]
    assert problem["type"] == "value_error.missing"
    assert api.ask("GET", "projects")["total"] == 0
    assert api.ask("GET", "sessions")["total"] == 0


@pytest.mark.parametrize(
    ("fields", "loc"),
    [
        ({"project": None}, ["body", "project"]),
        ({"config": None}, ["body", "config"]),
        ({"duration": "long"}, ["body", "duration"]),
        ({"duration": -1}, ["body", "duration"]),
        ({"prompt_tokens": 1.5}, ["body", "prompt_tokens"]),
        ({"output_tokens": 10**30}, ["body", "output_tokens"]),
        ({"prompt_cost": 1e300}, ["body", "prompt_cost"]),
        ({"output": {"text": "x"}}, ["body", "output"]),
        ({"messages": [{"role": "user"}, {"content": "x"}]}, ["body", "messages", 1, "role"]),
        ({"inputs": ["a"]}, ["body", "inputs"]),
        ({"created_at": "yesterday"}, ["body", "created_at"]),
        ({"created_at": "0001-01-01T00:00:00Z"}, ["body", "created_at"]),
        ({"created_at": "9999-12-31T23:59:59-14:00"}, ["body", "created_at"]),
        ({"reference_id": ""}, ["body", "reference_id"]),
        ({"reference_id": "a\0b"}, ["body", "reference_id"]),
        ({"project": "p" * 1001}, ["body", "project"]),
        ({"session_id": "sesh_a", "session_reference_id": "b"}, ["body", "session_reference_id"]),
        ({"parent_id": "data_a", "parent_reference_id": "b"}, ["body", "parent_reference_id"]),
        ({"reference_id": "r", "parent_reference_id": "r"}, ["body", "parent_reference_id"]),
        ({"config": {"type": "oracle"}}, ["body", "config", "type"]),
        ({"config": {"type": "tool"}}, ["body", "config", "name"]),
        ({"config": {"model": "m", "max_tokens": 1.5}}, ["body", "config", "max_tokens"]),
        ({"config": {"model": "m", "endpoint": "sing"}}, ["body", "config", "endpoint"]),
        ({"config": {"model": "m", "tools": [{"name": "a"}, {}]}}, ["body", "config", "tools", 1, "name"]),
        (
            {"config": {"model": "m", "chat_template": [{"content": ""}]}},
            ["body", "config", "chat_template", 0, "role"],
        ),
    ],
)
def test_a_field_that_cannot_be_is_named(api: Api, fields: dict[str, Any], loc: list[Any]) -> None:
    problem = api.problem("POST", "logs", json={"project": "p", "config": MODEL, **fields})
    assert problem["loc"] == loc
    problem = api.problem("POST", "logs", json=[{"project": "p", "config": MODEL, **fields}])
    assert problem["loc"] == ["body", 0, *loc[1:]]


@pytest.mark.parametrize("field", ["project_id", "session_id", "parent_id", "config_id"])
def test_an_id_that_names_nothing_is_not_found(api: Api, field: str) -> None:
    fields: dict[str, Any] = {"project": "p", "config": MODEL, field: "x_nothing"}
    if field == "config_id":
        del fields["config"]
    detail = api.ask("POST", "logs", status=404, json=fields)["detail"]
    assert "x_nothing" in detail["message"]
    assert detail["origin"] == "Humanloop"


def test_project_id_wins_over_project(api: Api) -> None:
    first = api.log(project="first")
    both = api.log(project="second", project_id=first["project_id"])
    assert api.get_log(both["id"])["project"] == "first"
    assert api.ask("GET", "projects")["total"] == 1


def test_a_config_id_stands_for_its_config(api: Api) -> None:
    first = api.get_log(api.log()["id"])
    second = api.get_log(api.ask("POST", "logs", json={"project": "p", "config_id": first["config_id"]})["id"])
    assert second["config"] == first["config"]


def test_a_config_of_another_project_is_refused(api: Api) -> None:
    config_id = api.get_log(api.log(project="one")["id"])["config_id"]
    problem = api.problem("POST", "logs", json={"project": "two", "config_id": config_id})
    assert problem["loc"] == ["body", "config_id"]


def test_posting_a_reference_again_is_the_same_log(api: Api) -> None:
    body = {"project": "p", "config": MODEL, "session_reference_id": "s", "reference_id": "r", "output": "x"}
    first = api.ask("POST", "logs", json=body)
    assert api.ask("POST", "logs", json=body) == first
    assert api.ask("POST", "logs", json=[body, body]) == [first, first]
    assert len(api.logs("s")) == 1
    assert api.session("s")["datapoints_count"] == 1
    assert api.ask("GET", f"projects/{first['project_id']}")["data_count"] == 1


def test_a_reference_is_its_sessions_own(api: Api) -> None:
    one = api.log(session_reference_id="one", reference_id="r")
    two = api.log(session_reference_id="two", reference_id="r")
    alone = api.log(reference_id="r")
    assert len({one["id"], two["id"], alone["id"]}) == 3
    assert api.log(reference_id="r")["id"] == alone["id"]


def test_posting_again_replaces_what_is_given_and_keeps_the_rest(api: Api) -> None:
    first = api.log(
        session_reference_id="s", reference_id="r", inputs={"a": 1}, output="old", prompt_tokens=3, metadata={"m": 1}
    )
    before = api.get_log(first["id"])
    again = api.ask(
        "POST", "logs", json={"session_reference_id": "s", "reference_id": "r", "output": "new", "output_tokens": 4}
    )
    assert again == first
    after = api.get_log(first["id"])
    assert after["tokens"] == 7
    changed = {"output", "output_tokens", "tokens", "updated_at"}
    assert {field: after[field] for field in after if field not in changed} == {
        field: before[field] for field in before if field not in changed
    }
    assert after["output"] == "new"


def test_posting_again_with_another_config_or_project_moves_the_log(api: Api) -> None:
    first = api.log(project="one", session_reference_id="s", reference_id="r")
    api.ask("POST", "logs", json={"session_reference_id": "s", "reference_id": "r", "project": "two"})
    moved = api.get_log(first["id"])
    assert moved["project"] == "two"
    assert moved["config"]["model"] == "gpt-4"
    api.ask("POST", "logs", json={"session_reference_id": "s", "reference_id": "r", "config": TOOL})
    assert api.get_log(first["id"])["config"]["type"] == "tool"
    projects = {project["name"]: project["data_count"] for project in api.ask("GET", "projects")["records"]}
    assert projects == {"one": 0, "two": 1}
    assert [project["name"] for project in api.session("s")["projects"]] == ["two"]


def test_deferred_output_changes_output_error_and_duration_only(api: Api) -> None:
    posted = api.log(session_reference_id="s", reference_id="r", inputs={"a": 1}, created_at="2024-06-01T12:00:00Z")
    before = api.get_log(posted["id"])
    assert "output" not in before
    patch = {"output": "done", "duration": 2.5, "referenceId": "r", "id": "x", "provider_api_keys": {}}
    after = api.ask("PATCH", "logs", params={"reference_id": "r"}, json=patch)
    expected = {**before, "output": "done", "duration": 2.5, "updated_at": after["updated_at"]}
    assert after == expected == api.get_log(posted["id"])
    assert after["created_at"] == after["started_at"] == "2024-06-01T12:00:00+00:00"
    assert api.session("s")["ended_at"] == "2024-06-01T12:00:02.500000+00:00"
    assert api.session("s")["last_output"] == "done"


def test_a_late_retry_of_the_deferred_post_leaves_the_patch_and_the_start(api: Api) -> None:
    body = {
        "project": "p", "config": MODEL, "session_reference_id": "s", "reference_id": "r",
        "created_at": "2024-06-01T12:00:00Z",
    }  # fmt: skip
    posted = api.ask("POST", "logs", json=body)
    patched = api.ask("PATCH", "logs", params={"reference_id": "r"}, json={"output": "done", "duration": 5})
    api.ask("POST", "logs", json=body)
    retried = api.get_log(posted["id"])
    assert {**retried, "updated_at": ""} == {**patched, "updated_at": ""}


def test_patching_by_reference_means_the_newest_log(api: Api) -> None:
    api.log(session_reference_id="one", reference_id="r")
    newest = api.log(session_reference_id="two", reference_id="r")
    assert api.ask("PATCH", "logs", params={"reference_id": "r"}, json={"error": "boom"})["id"] == newest["id"]


def test_patching_by_id(api: Api) -> None:
    id = api.log(output="x")["id"]
    assert api.ask("PATCH", f"logs/{id}", json={"error": "boom"})["error"] == "boom"
    assert api.get_log(id)["output"] == "x"


def test_patching_what_is_not_there_is_not_found(api: Api) -> None:
    api.ask("PATCH", "logs/data_x", json={"output": "x"}, status=404)
    api.ask("PATCH", "logs", params={"reference_id": "x"}, json={"output": "x"}, status=404)
    assert api.problem("PATCH", "logs", json={})["loc"] == ["query", "reference_id"]


def test_without_save_no_payload_is_kept(api: Api, store: Store) -> None:
    secret = "the secret"
    payload = {
        "inputs": {"a": secret}, "messages": [{"role": "user", "content": secret}], "output": secret,
        "output_message": {"role": "assistant", "content": secret}, "stdout": secret,
        "provider_request": {"a": secret}, "provider_response": {"a": secret},
    }  # fmt: skip
    posted = api.log(
        save=False, session_reference_id="s", reference_id="r", prompt_tokens=3, metadata={"k": 1}, **payload
    )
    api.ask("PATCH", f"logs/{posted['id']}", json={"output": secret, "duration": 1})
    api.ask("POST", "logs", json={"session_reference_id": "s", "reference_id": "r", "output": secret})
    log = api.get_log(posted["id"])
    assert not payload.keys() & log.keys()
    assert log["save"] is False
    assert log["prompt_tokens"] == 3
    assert log["metadata"] == {"k": 1}
    assert log["config"]["model"] == "gpt-4"
    assert log["duration"] == 1
    assert "first_inputs" not in api.session("s")
    assert secret not in _everything_kept(store)


def test_provider_keys_are_never_kept(api: Api, store: Store) -> None:
    api.log(provider_api_keys={"openai": "sk-secret"}, config={**MODEL, "provider_api_keys": {"openai": "sk-secret"}})
    api.log(
        metadata={"provider_api_keys": {"openai": "sk-secret"}}, provider_request={"provider_api_keys": "sk-secret"}
    )
    keys: dict[str, Any] = {"provider_api_keys": {"openai": "sk-secret"}}
    for config in ({"type": "tool", "name": "t"}, {"type": "generic"}, {"model": "m"}):
        api.log(config={**config, **keys, "other": keys})
    api.log(config={"type": "agent", "agent_class": "a", "model_config": {"model": "m", **keys, "other": keys}})
    registered = {"project": "p", "model": "registered", **keys}
    assert "sk-" not in str(api.ask("POST", "model-configs", json=registered))
    assert "sk-" not in api.ask("POST", "model-configs/serialize", json={"model": "m", **keys})
    mock = {"provider": "mock", "model": "m", **keys}
    chat = {"project": "p", "messages": [], "model_config": mock, "metadata": keys, "inputs": keys, **keys}
    assert "sk-" not in str(api.ask("POST", "chat", json=chat))
    assert "sk-secret" not in _everything_kept(store)


@pytest.mark.parametrize("field", ["source", "environment", "output", "error", "stdout"])
def test_an_empty_text_is_a_value(api: Api, field: str) -> None:
    assert api.get_log(api.log(**{field: ""})["id"])[field] == ""


def test_a_projects_logs_are_listed_newest_first(api: Api) -> None:
    for day in (2, 1, 3):
        project_id = api.log(created_at=f"2024-06-0{day}T12:00:00Z", output=str(day))["project_id"]
    api.log(project="other")

    def listed(**query: Any) -> list[str]:
        page = api.ask("GET", "logs", params={"project_id": project_id, **query})
        assert page["page"] == query.get("page", 0)
        assert page["size"] == query.get("size", 50)
        return [log["output"] for log in page["records"]]

    assert listed() == ["3", "2", "1"]
    assert listed(size=2) == ["3", "2"]
    assert listed(size=2, page=1) == ["1"]
    assert listed(size=2, page=2) == []
    assert listed(start_date="2024-06-02") == ["3", "2"]
    assert listed(end_date="2024-06-02") == ["2", "1"]
    assert listed(start_date="2024-06-01T12:00:01+00:00", end_date="2024-06-02T12:00:00Z") == ["2"]


def test_a_list_of_logs_needs_a_project_or_a_session(api: Api) -> None:
    assert api.problem("GET", "logs")["loc"] == ["query", "project_id"]
    api.ask("GET", "logs", params={"project_id": "pr_x"}, status=404)
    api.ask("GET", "logs", params={"session_id": "sesh_x"}, status=404)
    api.ask("GET", "logs", params={"session_reference_id": "x"}, status=404)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("page=x", "page"),
        ("page=-1", "page"),
        ("size=0", "size"),
        ("size=100000", "size"),
        ("start_date=now", "start_date"),
    ],
)
def test_a_query_that_cannot_be_is_named(api: Api, query: str, name: str) -> None:
    project_id = api.log()["project_id"]
    assert api.problem("GET", f"logs?project_id={project_id}&{query}")["loc"] == ["query", name]


def test_deleted_logs_are_gone_and_those_below_become_roots(api: Api) -> None:
    api.log(session_reference_id="s", reference_id="root", inputs={"first": 1}, created_at="2024-06-01T12:00:00Z")
    parent = api.log(session_reference_id="s", reference_id="mid", parent_reference_id="root", prompt_tokens=5)
    leaf = api.log(session_reference_id="s", reference_id="leaf", parent_reference_id="mid", inputs={"leaf": 1})
    root_id = api.logs("s")[0]["id"]
    api.ask("DELETE", "logs", params={"id": [parent["id"], root_id, "data_unknown"]}, status=204)
    api.ask("GET", f"logs/{root_id}", status=404)
    (left,) = api.logs("s")
    assert left["id"] == leaf["id"]
    assert "parent_id" not in left
    session = api.session("s")
    assert session["datapoints_count"] == 1
    assert "prompt_tokens" not in session
    assert session["first_inputs"] == {"leaf": 1}
    api.ask("DELETE", "logs", params={"id": leaf["id"]}, status=204)
    assert api.session("s")["datapoints_count"] == 0
    assert api.session("s")["projects"] == []


def test_strict_parents_refuses_a_log_whose_parent_is_not_there(store: Store) -> None:
    api = Api(create_app(store, strict_parents=True))
    child = {"project": "p", "config": MODEL, "session_reference_id": "s", "parent_reference_id": "r"}
    problem = api.problem("POST", "logs", json=[{"project": "p", "config": MODEL}, child])
    assert problem["loc"] == ["body", 1, "parent_reference_id"]
    parent = {"project": "p", "config": MODEL, "session_reference_id": "s", "reference_id": "r"}
    posted = api.ask("POST", "logs", json=[child, parent])
    assert api.get_log(posted[0]["id"])["parent_id"] == posted[1]["id"]


def _everything_kept(store: Store) -> str:
    from sqlalchemy import text

    tables = ("logs", "configs", "sessions", "projects")
    return store.read(lambda tx: repr([tx.execute(text(f"SELECT * FROM {table}")).all() for table in tables]))

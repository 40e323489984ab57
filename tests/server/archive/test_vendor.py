"""What the vendor's own export tool left people with is taken in: versions, deployments, logs, traces as sessions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support_server import Api

from otel_humanloop.cli import main
from otel_humanloop.server.app import create_app
from otel_humanloop.server.archive import vendor
from otel_humanloop.server.store import Store, open_store


def exported(
    root: Path,
    id: str,
    file: dict[str, Any],
    logs: list[dict[str, Any]],
    versions: dict[str, dict[str, Any]] | None = None,
    deployments: list[dict[str, str]] | None = None,
) -> None:
    """A file as the vendor's tool wrote it; `versions` by id."""
    folder = root / "exports" / "20250801-120000" / "files" / id
    (folder / "logs").mkdir(parents=True)
    (folder / "file.json").write_text(json.dumps({"id": id, **file}), encoding="utf-8")
    for number, log in enumerate(logs, 1):
        (folder / "logs" / f"{number}.jsonl").write_text(json.dumps(log) + "\n", encoding="utf-8")
    (folder / "versions").mkdir()
    for name, version in (versions or {}).items():
        (folder / "versions" / name).write_text(json.dumps({"version_id": name, **version}), encoding="utf-8")
    (folder / "deployments.json").write_text(json.dumps(deployments or []), encoding="utf-8")
    (folder / ".done").touch()


@pytest.fixture
def vendors(tmp_path: Path) -> Path:
    times = {"start_time": "2025-07-01T12:00:00", "end_time": "2025-07-01T12:00:02.500000"}
    root: dict[str, Any] = {
        "id": "log_root", "trace_id": "log_root", "inputs": {"q": "who?"}, "output": "Sweden", **times,
        "flow": {"attributes": {"env": "prod"}}, "trace_children": [{"id": "log_tool"}],
    }  # fmt: skip
    prompt: dict[str, Any] = {
        "id": "log_llm", "trace_id": "log_root", "output": "Sweden", "created_at": "2025-07-01T12:00:02",
        "messages": [{"role": "user", "content": "who?"}], "trace_children": [{"id": "log_tool"}],
        "prompt": {"model": "gpt-4o", "temperature": 0, "template": [{"role": "system", "content": "Be kind"}]},
    }  # fmt: skip
    tool: dict[str, Any] = {
        "id": "log_tool", "trace_id": "log_root", "inputs": {"q": "2023"}, "output": {"winner": "Sweden"},
        "tool": {"function": {"name": "search", "parameters": {"type": "object"}}},
    }  # fmt: skip
    alone = {"id": "log_alone", "output": "x", "prompt": {"model": "m", "template": "Q: {{q}}"}}
    exported(tmp_path, "fl_1", {"path": "agents/quiz", "name": "quiz", "type": "flow"}, [root])
    exported(tmp_path, "pr_1", {"path": "prompts/answer", "name": "answer", "type": "prompt"}, [prompt, alone])
    exported(tmp_path, "tl_1", {"path": "tools/search", "name": "search", "type": "tool"}, [tool])
    exported(tmp_path, "ds_1", {"path": "data", "name": "data", "type": "dataset"}, [])
    return tmp_path


def test_what_the_vendor_left_is_taken_in(vendors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path / 'humanloop.db'}"
    for new in ("new: 4 logs", "new: nothing"):
        assert main(["import", str(vendors), "--database", url]) == 0, capsys.readouterr().err
        told = capsys.readouterr().err.splitlines()
        assert told == ["note: files of type dataset have no place here and were left out", new]
    with open_store(url) as store:
        api = Api(create_app(store))
        logs = {log["reference_id"]: log for log in api.logs("log_root")}
        assert set(logs) == {"log_root", "log_llm", "log_tool"}
        root, llm, tool = logs["log_root"], logs["log_llm"], logs["log_tool"]
        assert ("parent_id" in root, llm["parent_id"], tool["parent_id"]) == (False, root["id"], llm["id"])
        assert (root["project"], root["duration"], root["config"]["other"]["kind"]) == ("agents/quiz", 2.5, "flow")
        assert (llm["config"]["model"], llm["config"]["chat_template"][0]["content"]) == ("gpt-4o", "Be kind")
        assert (tool["config"]["name"], json.loads(tool["output"])) == ("search", {"winner": "Sweden"})
        project = api.ask("GET", "projects", params={"filter": "prompts/answer"})["records"][0]
        (alone,) = api.ask("GET", "logs", params={"project_id": project["id"], "model_filter": "m"})["records"]
        assert alone["config"]["prompt_template"] == "Q: {{q}}"
        assert "session_id" not in alone


def test_what_cannot_be_taken_is_said_and_the_rest_is(vendors: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exported(vendors, "pr_2", {"path": "odd", "name": "odd", "type": "prompt"}, [{"id": "log_odd", "inputs": []}])
    url = f"sqlite:///{vendors / 'humanloop.db'}"
    assert main(["import", str(vendors), "--database", url]) == 1
    told = capsys.readouterr().err
    assert "new: 4 logs; 1 not taken\n" in told
    assert "pr_2/logs/1.jsonl:1: Expected `object" in told


PROMPT: dict[str, Any] = {
    "path": "prompts/answer", "name": "answer", "type": "prompt", "model": "gpt-4o", "endpoint": "chat",
    "temperature": 0,
    "template": [{"role": "system", "content": "Be kind"}], "provider": "deepseek", "reasoning_effort": "low",
    "tools": [{"name": "search", "description": "d", "parameters": {"type": "object"}}], "attributes": {"team": "x"},
}  # fmt: skip
FILE = {"path": "prompts/answer", "name": "answer", "type": "prompt"}


def test_versions_are_taken_and_deployed_also_where_no_logs_were_exported(
    store: Store, api: Api, tmp_path: Path
) -> None:
    versions = {
        "prv_new": {**PROMPT, "version_name": "kinder", "created_at": "2025-06-02T00:00:00"},
        "prv_old": {**PROMPT, "temperature": 1, "created_at": "2025-06-01T00:00:00"},
    }
    places = [
        {
            "version_id": "prv_new",
            "environment_id": "env_1",
            "environment_name": "production",
            "environment_tag": "default",
        },
        {"version_id": "prv_old", "environment_id": "env_2", "environment_name": "staging", "environment_tag": "other"},
    ]
    exported(tmp_path, "pr_1", FILE, [], versions, places)
    tool = {
        "name": "search",
        "path": "tools/search",
        "function": {"name": "search", "description": "d"},
        "source_code": "x",
    }
    exported(tmp_path, "tl_1", {"path": "tools/search", "name": "search", "type": "tool"}, [], {"tv_1": tool})
    agent = {**PROMPT, "name": "boss", "max_iterations": 3, "tools": [{"type": "file", "link": {"file_id": "tl_1"}}]}
    exported(tmp_path, "ag_1", {"path": "agents/boss", "name": "boss", "type": "agent"}, [], {"av_1": agent})
    exported(
        tmp_path,
        "fl_1",
        {"path": "quiz", "name": "quiz", "type": "flow"},
        [],
        {"fv_1": {"name": "quiz", "attributes": {"a": 1}}},
    )
    assert vendor.read(store, tmp_path).made == {"version": 5}
    assert vendor.read(store, tmp_path).made.total() == 0
    projects = {project["name"]: project for project in api.ask("GET", "projects")["records"]}
    (old, new) = api.ask("GET", f"projects/{projects['prompts/answer']['id']}/configs")[::-1]
    config = new["config"]
    assert (config["name"], config["model"], config["temperature"], config["chat_template"]) == (
        "kinder", "gpt-4o", 0, PROMPT["template"],
    )  # fmt: skip
    assert config["other"] == {"provider": "deepseek", "reasoning_effort": "low", "attributes": {"team": "x"}}
    assert config["tools"][0]["name"] == "search"
    deployed = api.ask("GET", f"projects/{projects['prompts/answer']['id']}/deployed-configs")
    assert [(each["environment_name"], each["model_config_id"]) for each in deployed] == [
        ("production", config["id"]),
        ("staging", old["config"]["id"]),
    ]
    ((made,), (boss,), (quiz,)) = (
        api.ask("GET", f"projects/{projects[name]['id']}/configs") for name in ("tools/search", "agents/boss", "quiz")
    )
    assert (made["config"]["description"], made["config"]["source_code"]) == ("d", "x")
    assert (boss["config"]["type"], boss["config"]["model_config"]["other"]["max_iterations"]) == ("agent", 3)
    assert boss["config"]["other"]["tools"] == agent["tools"]
    assert quiz["config"]["other"] == {"attributes": {"a": 1}, "kind": "flow"}


def test_a_log_that_names_its_version_by_id_is_made_with_it(store: Store, api: Api, tmp_path: Path) -> None:
    log = {"id": "log_1", "output": "x", "prompt": {"version_id": "prv_1"}}
    exported(tmp_path, "pr_1", FILE, [log], {"prv_1": PROMPT})
    assert vendor.read(store, tmp_path).made == {"version": 1, "log": 1}
    project = api.ask("GET", "projects")["records"][0]
    (kept,) = api.ask("GET", "logs", params={"project_id": project["id"]})["records"]
    assert kept["config_id"] == project["active_config"]["config"]["id"]


def test_a_nested_log_whose_file_was_not_exported_is_taken_too(store: Store, api: Api, tmp_path: Path) -> None:
    deep = {"id": "log_deep", "tool": {"path": "tools/deep", "name": "deep"}, "output": "d"}
    child = {"id": "log_child", "prompt": {**PROMPT, "path": "elsewhere"}, "output": "c", "trace_children": [deep]}
    judged = {"id": "log_judge", "evaluator": {"path": "judge"}, "judgment": True}
    root = {"id": "log_root", "flow": {}, "trace_children": [child, judged], "inputs": {"a": 1}}
    exported(tmp_path, "fl_1", {"path": "quiz", "name": "quiz", "type": "flow"}, [root])
    tally = vendor.read(store, tmp_path)
    assert tally.made == {"log": 3}
    assert [line.rpartition("/")[2] for line in tally.refused()] == [
        "1.jsonl:1, nested log log_judge: not of a prompt, tool, flow or agent"
    ]
    logs = {log["reference_id"]: log for log in api.logs("log_root")}
    assert logs["log_child"]["parent_id"] == logs["log_root"]["id"]
    assert (logs["log_deep"]["parent_id"], logs["log_deep"]["project"]) == (logs["log_child"]["id"], "tools/deep")
    assert vendor.read(store, tmp_path).made.total() == 0


def test_what_v4_has_no_field_for_is_in_the_metadata_and_times_are_in_utc(
    store: Store, api: Api, tmp_path: Path
) -> None:
    log = {
        "id": "log_1", "prompt": PROMPT, "output": "x", "metadata": {"k": 1}, "user": "anna", "reasoning_tokens": 7,
        "evaluator_logs": [{"judgment": True}], "batches": [], "provider_latency": 1.5, "environment": "staging",
        "created_at": "2025-07-01T12:00:00", "prompt_tokens": 3, "prompt_cost": 0.5,
    }  # fmt: skip
    exported(tmp_path, "pr_1", FILE, [log])
    assert vendor.read(store, tmp_path).made["log"] == 1
    (project,) = api.ask("GET", "projects")["records"]
    (kept,) = api.ask("GET", "logs", params={"project_id": project["id"]})["records"]
    beside = {"reasoning_tokens": 7, "evaluator_logs": [{"judgment": True}]}
    assert kept["metadata"] == {"k": 1, "user": "anna", "v5": beside}
    assert (kept["duration"], kept["environment"], kept["prompt_tokens"], kept["prompt_cost"]) == (
        1.5,
        "staging",
        3,
        0.5,
    )
    assert (kept["created_at"], kept["started_at"]) == ("2025-07-01T12:00:00+00:00", "2025-07-01T11:59:58.500000+00:00")


def test_a_project_of_the_same_name_is_used_and_keeps_what_it_has(store: Store, api: Api, tmp_path: Path) -> None:
    mine = api.ask("POST", "model-configs", json={"project": "prompts/answer", "model": "mine"})
    place = {
        "version_id": "prv_1",
        "environment_id": "e",
        "environment_name": "production",
        "environment_tag": "default",
    }
    exported(tmp_path, "pr_1", FILE, [{"id": "log_1", "output": "x", "prompt": PROMPT}], {"prv_1": PROMPT}, [place])
    tally = vendor.read(store, tmp_path)
    assert tally.notes() == ["the project `prompts/answer` was here already: what is new of it was put there"]
    assert tally.made == {"version": 1, "log": 1}
    (project,) = api.ask("GET", "projects")["records"]
    assert project["active_config"]["config"]["id"] == mine["config"]["id"]
    assert vendor.read(store, tmp_path).notes() == []


def test_a_broken_line_file_or_version_is_named_and_nothing_else_is_lost(store: Store, tmp_path: Path) -> None:
    good = [{"id": f"log_{n}", "output": str(n), "prompt": PROMPT} for n in range(5)]
    bad = [{"id": "log_x", "prompt": PROMPT, "created_at": "soon"}, {"output": "no id"}]
    exported(tmp_path, "pr_1", FILE, [*good[:2], *bad, *good[2:]], {"prv_1": PROMPT})
    folder = next(tmp_path.rglob("pr_1"))
    (folder / "versions" / "prv_2").write_text("{", encoding="utf-8")
    (folder / "logs" / "99.jsonl").write_bytes(b'{"id": "log_cut"\n\xff\n' + b"[" * 5000 + b"\n")
    (folder / "deployments.json").write_text("{}", encoding="utf-8")
    exported(tmp_path, "pr_2", {"path": "", "name": "", "type": "prompt"}, [])
    exported(tmp_path, "pr_3", {"type": "prompt"}, [])
    tally = vendor.read(store, tmp_path)
    assert tally.made == {"version": 1, "log": 5}
    places = [line.partition("/files/")[2].split(": ")[0] for line in tally.refused()]
    assert places == [
        "pr_1/versions/prv_2", "pr_1/deployments.json", "pr_1/logs/3.jsonl:1", "pr_1/logs/4.jsonl:1",
        "pr_1/logs/99.jsonl:1", "pr_1/logs/99.jsonl:2", "pr_1/logs/99.jsonl:3", "pr_2/file.json", "pr_3/file.json",
    ]  # fmt: skip


def test_what_the_store_refuses_costs_only_itself(store: Store, tmp_path: Path) -> None:
    taken = {"id": "log_2", "output": "x", "prompt": PROMPT}
    own_parent = {"id": "log_1", "trace_id": "t", "trace_parent_id": "log_1", "output": "x", "prompt": PROMPT}
    exported(tmp_path, "pr_1", FILE, [own_parent, taken])
    tally = vendor.read(store, tmp_path)
    assert tally.made == {"log": 1}
    (refused,) = tally.refused()
    assert refused.endswith("1.jsonl:1: a log cannot be its own parent")

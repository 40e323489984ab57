"""Everything written as lines and read back is the same; and what the vendor's export left is taken in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support_server import TOOL, Api

from otel_humanloop.cli import main
from otel_humanloop.errors import DecodeError
from otel_humanloop.server import archive
from otel_humanloop.server.app import create_app
from otel_humanloop.server.store import Store, open_store


def fill(api: Api) -> None:
    """A bit of everything: nesting, a parent that came later, feedback, versions, an empty session."""
    api.log(session_reference_id="s", parent_reference_id="r", output="child", metadata={"a": [1, None]})
    root = api.log(
        session_reference_id="s", reference_id="r", output="root", prompt_tokens=3, duration=2, prompt_cost=0.1
    )
    api.log(project="tools", config=TOOL, error="no", feedback=[{"type": "issue", "value": ["slow"], "user": "u"}])
    api.log(save=False, inputs={"secret": 1}, reference_id="waiting", parent_reference_id="never came")
    api.ask("POST", "model-configs", json={"project": "p", "model": "registered", "name": "mine"})
    api.ask("POST", "sessions", status=201)
    api.ask("POST", "feedback", json={"type": "rating", "value": "good", "data_id": root["id"]})


def said(api: Api) -> Any:
    """All of it as the API says it; `updated_at` aside, which tells of the reading."""
    projects = api.ask("GET", "projects", params={"sort_by": "name"})["records"]
    everything: list[Any] = list(projects)
    for project in projects:
        query = {"project_id": project["id"]}
        everything += api.ask("GET", "logs", params=query)["records"]
        everything += api.ask("GET", "sessions", params=query)["records"]
        everything += api.ask("GET", f"projects/{project['id']}/configs")
    text = json.dumps(everything)
    return json.loads(text, object_hook=lambda o: {k: v for k, v in o.items() if k not in ("updated_at", "last_used")})


def test_what_is_written_and_read_is_the_same(api: Api, store: Store) -> None:
    fill(api)
    lines = list(archive.written(store))
    with open_store("sqlite://") as other:
        again = Api(create_app(other))
        assert archive.read(other, lines) == {"project": 2, "version": 3, "session": 2, "log": 4, "attachment": 0}
        assert said(again) == said(api)
        assert archive.read(other, lines) == dict.fromkeys(("project", "version", "session", "log", "attachment"), 0)
        assert said(again) == said(api)
        assert sorted(map(len, archive.written(other))) == sorted(map(len, lines))
        late = {"project": "p", "config": TOOL, "reference_id": "never came"}
        again.ask("POST", "logs", json=late)
        (log,) = again.ask("GET", "logs", params={"project_id": again.log()["project_id"], "search": "root"})["records"]
        assert log["output"] == "root"


def test_an_archive_longer_than_a_piece_comes_back_whole(api: Api, store: Store) -> None:
    body = [
        {"project": "p", "config": TOOL, "session_reference_id": f"s{n % 7}", "reference_id": f"r{n}"}
        | ({"parent_reference_id": f"r{n + 7}"} if n < 1193 else {})
        for n in range(1200)
    ]
    api.ask("POST", "logs", json=body)
    with open_store("sqlite://") as other:
        assert archive.read(other, archive.written(store))["log"] == 1200
        again = Api(create_app(other))
        for number in range(7):
            parents = [[(log["id"], log.get("parent_id")) for log in each.logs(f"s{number}")] for each in (api, again)]
            assert sorted(parents[0]) == sorted(parents[1])


@pytest.mark.parametrize(
    "line",
    [b"{", b"[]", b"{}", b'{"key": {}}', b'{"log": {}}', b'{"project": {"id": 1}}', b'{"project": {}, "log": {}}'],
)
def test_a_line_of_another_kind_is_said(store: Store, line: bytes) -> None:
    with pytest.raises(DecodeError):
        archive.read(store, [b"\n", line])


def test_the_command_line_writes_and_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here, there = (f"sqlite:///{tmp_path / name}.db" for name in ("here", "there"))
    with open_store(here) as store:
        fill(Api(create_app(store)))
        before = said(Api(create_app(store)))
    file = tmp_path / "everything.jsonl"
    assert main(["export", str(file), "--database", here]) == 0
    assert main(["import", str(file), "--database", there]) == 0
    assert "2 projects, 3 versions, 2 sessions, 4 logs" in capsys.readouterr().err
    with open_store(there) as store:
        assert said(Api(create_app(store))) == before
    assert main(["import", str(tmp_path / "none"), "--database", there]) == 2
    assert main(["import", str(tmp_path), "--database", there]) == 1


def exported(root: Path, id: str, file: dict[str, Any], logs: list[dict[str, Any]]) -> None:
    """A file as the vendor's tool wrote it."""
    folder = root / "exports" / "20250801-120000" / "files" / id
    (folder / "logs").mkdir(parents=True)
    (folder / "file.json").write_text(json.dumps({"id": id, **file}), encoding="utf-8")
    for number, log in enumerate(logs, 1):
        (folder / "logs" / f"{number}.jsonl").write_text(json.dumps(log) + "\n", encoding="utf-8")
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
    for _ in range(2):
        assert main(["import", str(vendors), "--database", url]) == 0, capsys.readouterr().err
        assert "4 logs" in capsys.readouterr().err
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
    assert "4 logs" in told
    assert "inputs" in told

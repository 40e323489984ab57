"""Everything written as lines and read back is the same, also into a store that is in use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support_server import TOOL, Api

from otel_humanloop.cli import main
from otel_humanloop.server.app import create_app
from otel_humanloop.server.archive import restoring, writing
from otel_humanloop.server.store import Store, open_store


def fill(api: Api) -> None:
    """A bit of everything: nesting, a parent that came later, feedback, versions, an empty session."""
    api.log(session_reference_id="s", parent_reference_id="r", output="child", metadata={"a": [1, None]})
    root = api.log(
        session_reference_id="s", reference_id="r", output="root", prompt_tokens=3, duration=2, prompt_cost=0.1
    )
    api.log(project="tools", config=TOOL, error="no", feedback=[{"type": "issue", "value": ["slow"], "user": "u"}])
    api.log(save=False, inputs={"secret": 1}, reference_id="waiting", parent_reference_id="never came")
    mine = api.ask("POST", "model-configs", json={"project": "p", "model": "registered", "name": "mine"})
    newer = api.ask("POST", "model-configs", json={"project": "p", "model": "newer", "name": "newer"})
    place = {"config_id": mine["config"]["id"], "environments": [{"id": "x", "name": "staging"}]}
    api.ask("PATCH", f"projects/{root['project_id']}/deploy-config", json=place)
    api.ask("PATCH", f"projects/{root['project_id']}", json={"active_config_id": newer["config"]["id"]})
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
        deployed = api.ask("GET", f"projects/{project['id']}/deployed-configs")
        everything += [{**each, "environment_id": None} for each in deployed]
    text = json.dumps(everything)
    return json.loads(text, object_hook=lambda o: {k: v for k, v in o.items() if k not in ("updated_at", "last_used")})


def test_what_is_written_and_read_is_the_same(api: Api, store: Store) -> None:
    fill(api)
    lines = list(writing.written(store))
    with open_store("sqlite://") as other:
        again = Api(create_app(other))
        assert restoring.read(other, lines).made == {
            "project": 2,
            "version": 4,
            "deployment": 1,
            "session": 2,
            "log": 4,
        }
        assert said(again) == said(api)
        assert restoring.read(other, lines).made.total() == 0
        assert said(again) == said(api)
        assert sorted(map(len, writing.written(other))) == sorted(map(len, lines))
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
        assert restoring.read(other, writing.written(store)).made["log"] == 1200
        again = Api(create_app(other))
        for number in range(7):
            parents = [[(log["id"], log.get("parent_id")) for log in each.logs(f"s{number}")] for each in (api, again)]
            assert sorted(parents[0]) == sorted(parents[1])


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"{}",
        b"\xff",
        b'{"key": {}}',
        b'{"log": {}}',
        b'{"project": {"id": 1}}',
        b'{"project": {}, "log": {}}',
        b'{"session": {"id": "s", "reference_id": null, "created_at": "now", "updated_at": 1}}',
        b'{"session": {"id": "s", "reference_id": null, "created_at": 1e300, "updated_at": 1}}',
        b'{"deployment": {"id": "e", "environment": "e", "project_id": "none", "config_id": "none"}}',
    ],
)
def test_a_line_that_cannot_be_taken_is_named_and_the_others_are_taken(store: Store, line: bytes) -> None:
    project = {"id": "pr_x", "name": "p", "directory_id": None, "config_type": None, "created_at": 1, "updated_at": 2}
    tally = restoring.read(store, [b"\n", line, json.dumps({"project": project}).encode()])
    (refused,) = tally.refused()
    assert refused.startswith("line 2: ")
    assert tally.made == {"project": 1}


def test_a_log_whose_content_is_no_text_is_refused_and_the_others_are_taken(api: Api, store: Store) -> None:
    for field in ("inputs", "provider_response", "metadata"):
        api.log(**{field: {"a": "MARK"}})
    api.log(output="fine")
    lines = [line.replace(b"MARK", b"\xff") for line in writing.written(store)]
    with open_store("sqlite://") as other:
        tally = restoring.read(other, lines)
        assert [refused.partition(" not of an archive: ")[2][:5] for refused in tally.refused()] == ["'utf-"] * 3
        there = Api(create_app(other))
        (project,) = there.ask("GET", "projects")["records"]
        (log,) = there.ask("GET", "logs", params={"project_id": project["id"]})["records"]
        assert log["output"] == "fine"


def test_the_command_line_writes_and_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here, there = (f"sqlite:///{tmp_path / name}.db" for name in ("here", "there"))
    with open_store(here) as store:
        fill(Api(create_app(store)))
        before = said(Api(create_app(store)))
    file = tmp_path / "everything.jsonl"
    assert main(["export", str(file), "--database", here]) == 0
    assert main(["import", str(file), "--database", there]) == 0
    assert "new: 2 projects, 4 versions, 2 sessions, 4 logs, 1 deployment\n" in capsys.readouterr().err
    assert main(["import", str(file), "--database", there]) == 0
    assert capsys.readouterr().err == "new: nothing\n"
    with open_store(there) as store:
        assert said(Api(create_app(store))) == before
    assert main(["import", str(tmp_path / "none"), "--database", there]) == 2
    assert main(["import", str(tmp_path), "--database", there]) == 1
    file.write_text("{}\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    assert main(["import", str(file), "--database", f"sqlite:///{tmp_path}/third.db"]) == 1
    told = capsys.readouterr().err
    assert "not taken: line 1: " in told
    assert "; 1 not taken\n" in told


def test_what_is_here_under_another_id_is_taken_to_be_that(api: Api, store: Store) -> None:
    fill(api)
    lines = list(writing.written(store))
    with open_store("sqlite://") as other:
        used = Api(create_app(other))
        mine = used.log(session_reference_id="s", reference_id="r", output="mine")
        used.log(project="tools", config=TOOL, output="mine too")
        tally = restoring.read(other, lines)
        assert (tally.refusals, len(tally.notes())) == (0, 2)
        assert "the project `p` is here as pr_" in tally.notes()[0]
        assert tally.made == {"version": 2, "deployment": 1, "session": 1, "log": 3}
        child, root = sorted(used.logs("s"), key=lambda log: log["output"])
        assert (root["id"], root["output"]) == (mine["id"], "mine")
        assert (child["output"], child["parent_id"], child["project_id"]) == ("child", root["id"], mine["project_id"])
        assert restoring.read(other, lines).made.total() == 0
        assert used.ask("GET", "projects")["total"] == 2

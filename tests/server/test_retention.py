"""What is too old is deleted, and nothing else; large projects go piece by piece."""

from __future__ import annotations

import secrets
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from support_server import TOOL, Api

from otel_humanloop.cli import main
from otel_humanloop.errors import SettingsError
from otel_humanloop.server.app import create_app
from otel_humanloop.server.retention import parse_age, prune, retention
from otel_humanloop.server.store import Store, open_store


def ago(**age: float) -> str:
    return (datetime.now(timezone.utc) - timedelta(**age)).isoformat()


def test_what_ended_longer_ago_is_deleted(api: Api, store: Store) -> None:
    old = api.log(created_at=ago(days=40), session_reference_id="old", reference_id="r", output="ancient")
    new = api.log(created_at=ago(days=20), session_reference_id="new", parent_reference_id="r")
    long = api.log(created_at=ago(days=31), duration=86400.0)
    assert prune(store, timedelta(days=30)) == 2
    for id in (old["id"], long["id"]):
        api.ask("GET", f"logs/{id}", status=404)
    assert api.get_log(new["id"])["session_id"] == new["session_id"]
    project = api.ask("GET", f"projects/{new['project_id']}")
    assert project["data_count"] == 1
    query = {"project_id": new["project_id"]}
    assert api.ask("GET", "sessions", params=query)["total"] == 1
    assert api.ask("GET", "logs", params={**query, "search": "ancient"})["total"] == 0
    assert prune(store, timedelta(days=30)) == 0


def test_a_log_whose_parent_was_too_old_is_at_the_top(api: Api, store: Store) -> None:
    api.log(created_at=ago(days=40), session_reference_id="s", reference_id="r")
    child = api.log(created_at=ago(days=1), session_reference_id="s", parent_reference_id="r")
    prune(store, timedelta(days=30))
    assert "parent_id" not in api.get_log(child["id"])
    assert api.session("s")["datapoints_count"] == 1


def test_more_than_one_piece_is_deleted_whole(api: Api, store: Store) -> None:
    body = [{"project": name, "config": TOOL, "created_at": ago(days=2)} for name in ("a", "b") for _ in range(1500)]
    ids = {log["project_id"] for log in api.ask("POST", "logs", json=body)}
    gone, kept = sorted(ids)
    api.ask("DELETE", f"projects/{gone}", status=204)
    api.ask("GET", f"projects/{gone}", status=404)
    assert api.ask("GET", f"projects/{kept}")["data_count"] == 1500
    assert prune(store, timedelta(days=1)) == 1500
    assert api.ask("GET", f"projects/{kept}")["data_count"] == 0


def test_a_server_deletes_of_itself(api: Api, store: Store) -> None:
    log = api.log(created_at=ago(days=2))["id"]
    with retention(store, timedelta(days=1)):
        deadline = time.monotonic() + 60
        while api.http.get(f"/v4/logs/{log}").status_code != 404:
            assert time.monotonic() < deadline


@pytest.mark.parametrize(
    ("text", "age"),
    [("12h", timedelta(hours=12)), ("30d", timedelta(days=30)), ("8w", timedelta(weeks=8))],
)
def test_an_age_is_read(text: str, age: timedelta) -> None:
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "d", "0d", "-1d", "30", "30 days", "1y", "1.5d"])
def test_an_age_that_is_none_is_said(text: str) -> None:
    with pytest.raises(SettingsError, match="hours, days or weeks"):
        parse_age(text)


def test_a_store_still_works_when_it_was_compacted(api: Api, store: Store) -> None:
    kept = api.log(output="kept")
    store.compact()
    api.log(output="after")
    page = api.ask("GET", "logs", params={"project_id": kept["project_id"], "search": "kept"})
    assert [log["id"] for log in page["records"]] == [kept["id"]]


def test_vacuum_gives_back_what_deleted_logs_took(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "humanloop.db"
    with open_store(f"sqlite:///{path}") as store:
        old = {"project": "p", "config": TOOL, "created_at": ago(days=2), "output": ""}
        said = [{**old, "output": secrets.token_hex(2_500)} for _ in range(500)]
        Api(create_app(store)).ask("POST", "logs", json=said)
    before = path.stat().st_size
    assert main(["vacuum", "--keep", "1d", "--database", f"sqlite:///{path}"]) == 0
    assert "500 logs deleted" in capsys.readouterr().err
    assert path.stat().st_size < before / 5

"""`otel-humanloop sessions` and `doctor`, against a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import httpx
import pytest

from otel_humanloop.cli import main
from otel_humanloop.server.serve import running
from otel_humanloop.server.store import open_store

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
KEY = "hl_sk_0123456789abcdef"

LOGS: list[dict[str, Any]] = [
    {
        "project": "agent",
        "session_reference_id": TRACE,
        "reference_id": "00f067aa0ba902b7",
        "config": {"type": "tool", "name": "researcher", "other": {"kind": "agent"}},
        "inputs": {"question": "Which country won Eurovision 2023?"},
        "output": "Sweden \x1b[2Jwon.",
        "created_at": "2026-11-23T07:00:02.500Z",
        "duration": 2.5,
    },
    {
        "project": "moderator",
        "session_reference_id": TRACE,
        "reference_id": "00f067aa0ba902b8",
        "parent_reference_id": "00f067aa0ba902b7",
        "config": {"type": "model", "model": "gpt-4o-mini"},
        "output": "No",
        "prompt_tokens": 38,
        "output_tokens": 1,
        "created_at": "2026-11-23T07:00:01Z",
        "duration": 0.42,
    },
    {
        "project": "orphan",
        "session_reference_id": TRACE,
        "reference_id": "00f067aa0ba902b9",
        "parent_reference_id": "ffffffffffffffff",
        "config": {"type": "tool", "name": "search"},
        "error": "TimeoutError: too slow",
        "created_at": "2026-11-23T07:00:02Z",
        "duration": 0.1,
    },
]


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty server that wants a key, which the environment has."""
    with open_store("sqlite://") as store, running(store=store, api_keys=[KEY]) as server:
        monkeypatch.setenv("HUMANLOOP_BASE_URL", f"{server.url}/v4")
        monkeypatch.setenv("HUMANLOOP_API_KEY", KEY)
        monkeypatch.setenv("COLUMNS", "120")
        yield server.url


def post(url: str, logs: list[dict[str, Any]]) -> str:
    """Logs them, and gives the id of the session of the first."""
    answer = httpx.post(f"{url}/v4/logs", json=logs, headers={"X-API-KEY": KEY}).raise_for_status()
    return str(answer.json()[0]["session_id"])


@pytest.mark.usefixtures("url")
def test_a_server_without_sessions_says_so_and_prints_no_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sessions"]) == 0
    assert capsys.readouterr() == ("", "there are no sessions yet\n")
    assert main(["sessions", "--json"]) == 0
    assert capsys.readouterr() == ("[]\n", "")


def test_sessions_are_listed_newest_first_with_what_they_were_about(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = post(url, LOGS)
    second = post(url, [LOGS[0] | {"session_reference_id": "later", "created_at": "2026-11-23T08:00:00Z"}])
    assert main(["sessions"]) == 0
    headings, *rows = capsys.readouterr().out.splitlines()
    assert headings.split() == ["ID", "STARTED", "LOGS", "PROJECTS", "INPUTS", "OUTPUT"]
    assert [row.split()[0] for row in rows] == [second[5:10], first[5:10]]
    started = datetime(2026, 11, 23, 7, 0, 0, tzinfo=timezone.utc).astimezone()
    assert f"{started:%Y-%m-%d %H:%M:%S}  3  " in rows[1]
    assert "agent, moderator, orphan" in rows[1]
    assert "question: Which country won Eurovision" in rows[1]
    assert "Sweden ␛[2Jwon." in rows[1]


def test_the_list_is_cut_to_the_limit_and_to_a_project(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    first = post(url, LOGS)
    post(url, [LOGS[0] | {"session_reference_id": "later", "created_at": "2026-11-23T08:00:00Z"}])
    assert main(["sessions", "--limit", "1", "--json"]) == 0
    assert [session["reference_id"] for session in json.loads(capsys.readouterr().out)] == ["later"]
    assert main(["sessions", "--project", "moderator", "--json"]) == 0
    assert [session["id"] for session in json.loads(capsys.readouterr().out)] == [first]
    assert main(["sessions", "--project", "nobody"]) == 1
    assert "no project `nobody`" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["id", "start", "short", "trace"])
def test_a_session_is_shown_as_a_tree_by_any_of_its_names(
    name: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    session = post(url, LOGS)
    names = {"id": session, "start": session[:12], "short": session[5:10], "trace": TRACE}
    assert main(["sessions", "show", names[name]]) == 0
    title, page, *tree = capsys.readouterr().out.splitlines()
    assert title == f"session {session[5:10]} · 3 logs · 2.50 s · 38 → 1 tokens · 1 failed · {TRACE}"
    assert page == f"{url}/sessions/{session}"
    ids = [line.split(" · ")[2] for line in tree if line.lstrip("│ ").startswith(("├─", "└─"))]
    assert tree == [
        f"├─ agent researcher · agent · {ids[0]} · 2.50 s",
        "│  │  question: Which country won Eurovision 2023?",
        "│  │  → Sweden ␛[2Jwon.",
        f"│  └─ model gpt-4o-mini · moderator · {ids[1]} · 0.42 s · 38 → 1 tokens",
        "│        → No",
        f"└─ tool search · orphan · {ids[2]} · 0.10 s · its parent ffffffffffffffff has not arrived",
        "      ✗ TimeoutError: too slow",
    ]


def test_a_session_as_json_holds_every_log_and_nothing_a_terminal_obeys(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    session = post(url, LOGS)
    assert main(["sessions", "show", TRACE, "--json"]) == 0
    out = capsys.readouterr().out
    assert out.isascii()
    assert "\x1b" not in out
    shown = json.loads(out)
    assert shown["session"]["id"] == session
    assert {log["reference_id"] for log in shown["logs"]} == {log["reference_id"] for log in LOGS}
    assert "Sweden \x1b[2Jwon." in [log.get("output") for log in shown["logs"]]


def test_a_session_of_more_logs_than_a_page_is_shown_whole(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    post(url, [LOGS[0] | {"reference_id": f"{index:016x}"} for index in range(250)])
    assert main(["sessions", "show", TRACE, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["logs"]) == 250


@pytest.mark.usefixtures("url")
def test_a_session_there_is_not_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("nobody", "sesh_000000000000000000000"):
        assert main(["sessions", "show", name]) == 1
        assert capsys.readouterr().err.startswith("error: ")


def test_the_doctor_says_that_the_server_answers_and_never_the_key(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert f"✓ {url}/v4 answers in " in out
    assert KEY not in out
    assert "****cdef" in out
    assert main(["doctor", "--json"]) == 0
    out = capsys.readouterr().out
    assert KEY not in out
    report = json.loads(out)
    assert report["server"]["milliseconds"] > 0
    assert report["server"]["error"] is None
    settings = {setting["variable"]: setting for setting in report["settings"]}
    assert settings["HUMANLOOP_BASE_URL"] == {
        "variable": "HUMANLOOP_BASE_URL",
        "value": f"{url}/v4",
        "origin": "HUMANLOOP_BASE_URL",
    }
    assert settings["HUMANLOOP_HOLD"]["origin"] == "the default"


@pytest.mark.usefixtures("url")
def test_what_an_error_repeats_is_nothing_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sessions", "show", "\x1b[2Jnobody"]) == 1
    assert capsys.readouterr().err.startswith("error: there is no session `␛[2Jnobody`\n")


def test_the_doctor_shows_nothing_of_a_short_key_and_no_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUMANLOOP_API_KEY", "letmein")
    monkeypatch.setenv("HUMANLOOP_BASE_URL", "http://user:secret@127.0.0.1:8484/v4")
    for arguments in (["doctor", "--offline"], ["doctor", "--offline", "--json"]):
        assert main(arguments) == 0
        out = capsys.readouterr().out
        assert "http://127.0.0.1:8484/v4" in out
        assert "****" in out
        assert not [part for part in ("letmein", "mein", "secret") if part in out]


@pytest.mark.usefixtures("url")
def test_a_key_the_server_does_not_know_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUMANLOOP_API_KEY", "another")
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "Humanloop answered 401" in out
    assert "hint: set HUMANLOOP_API_KEY to a key this server knows" in out
    assert "another" not in out
    assert main(["sessions"]) == 1
    assert "401" in capsys.readouterr().err


def test_the_doctor_goes_on_where_a_setting_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUMANLOOP_HOLD", "soon")
    assert main(["doctor", "--offline"]) == 2
    out = capsys.readouterr().out
    assert "Versions" in out
    assert "HUMANLOOP_HOLD is `soon`" in out
    assert main(["doctor", "--offline", "--json"]) == 2
    assert "HUMANLOOP_HOLD is `soon`" in json.loads(capsys.readouterr().out)["wrong_setting"]


@pytest.mark.usefixtures("url")
def test_the_doctor_fails_where_something_keeps_sessions_from_arriving(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert main(["doctor"]) == 1
    assert "✗ OTEL_SDK_DISABLED is true" in capsys.readouterr().out

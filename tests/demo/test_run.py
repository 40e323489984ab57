"""The demo, from start to the session it shows."""

from __future__ import annotations

import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

from otel_humanloop.demo.guide import GUIDE
from otel_humanloop.demo.model_server import ModelServer
from otel_humanloop.demo.run import PROJECTS, environment, incomplete, run_demo
from otel_humanloop.errors import HumanloopError, SettingsError

SENTENCE = "Sweden won the Eurovision Song Contest in 2023."


class Shown:
    """Keeps what the demo showed, and looks at the page while there is one."""

    def __call__(self, session: Mapping[str, Any], logs: Sequence[Mapping[str, Any]], page: str) -> None:
        self.session, self.logs = session, logs
        self.page = httpx.get(page, trust_env=False).raise_for_status().text


@pytest.mark.slow
def test_live_asks_the_api_of_the_users_own_variables_and_shows_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Shown()
    with ModelServer(GUIDE, api_key="sk-mine") as api:
        monkeypatch.setenv("OPENAI_BASE_URL", api.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
        monkeypatch.setenv("OPENAI_MODEL", "gpt-4.1-nano")
        assert run_demo(once=True, live=True, show=shown) == 0
        assert [request.model for request in api.requests] == ["gpt-4.1-nano"] * 2
    assert [(log["project"], log["output"]) for log in shown.logs] == list(
        zip(PROJECTS, ["No", "Sweden", SENTENCE], strict=True)
    )
    assert all(log["session_id"] == shown.session["id"] for log in shown.logs)
    assert SENTENCE in shown.page


def test_live_without_a_key_says_so_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(SettingsError, match="OPENAI_API_KEY is not set"):
        run_demo(once=True, live=True, show=Shown())


@pytest.mark.slow
def test_a_chain_that_fails_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelServer(GUIDE, api_key="sk-right") as api:
        monkeypatch.setenv("OPENAI_BASE_URL", api.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong")
        with pytest.raises(HumanloopError, match="Incorrect API key provided"):
            run_demo(once=True, live=True, show=Shown())


def test_once_prints_the_session_and_ends_well() -> None:
    command = [sys.executable, "-m", "otel_humanloop", "demo", "--once"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    for word in (*PROJECTS, "No", "Sweden", SENTENCE, "tokens", "/sessions/sesh_"):
        assert word in done.stdout


def test_it_stays_until_interrupted_with_its_page_to_be_read() -> None:
    command = [sys.executable, "-m", "otel_humanloop", "demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as demo:
        try:
            printed = read_until(demo, "Ctrl-C", seconds=120)
            address = re.search(r"http://127\.0\.0\.1:\d+/sessions/\w+", printed)
            assert address is not None, printed
            assert SENTENCE in httpx.get(address[0], trust_env=False).raise_for_status().text
            demo.send_signal(signal.SIGINT)
            assert demo.wait(timeout=30) == 0
        finally:
            demo.kill()


def read_until(program: subprocess.Popen[bytes], word: str, *, seconds: float) -> str:
    """What a program prints up to a word, or as far as it came when the time was over."""
    assert program.stdout is not None
    printed = b""
    deadline = time.monotonic() + seconds
    while word.encode() not in printed and time.monotonic() < deadline:
        if select.select([program.stdout], [], [], 1)[0]:
            more = program.stdout.read1()
            if not more:
                break
            printed += more
    return printed.decode()


SESSION = {"id": "sesh_1"}
WHOLE = [{"project": project, "output": "x"} for project in PROJECTS]


def test_a_session_with_an_output_for_each_project_is_whole() -> None:
    assert incomplete([SESSION], WHOLE) is None


@pytest.mark.parametrize(
    ("sessions", "logs", "said"),
    [
        ([], [], "no session"),
        ([SESSION, SESSION], WHOLE, "2 sessions"),
        ([SESSION], WHOLE[1:], "sessions_example_moderator has 0 logs"),
        ([SESSION], [*WHOLE, WHOLE[2]], "sessions_example_assistant has 2 logs"),
        ([SESSION], [*WHOLE[:2], {"project": PROJECTS[2]}], "sessions_example_assistant has no output"),
        ([SESSION], [*WHOLE, {"project": "stranger", "output": "x"}], "stranger"),
    ],
)
def test_a_session_that_is_not_whole_is_told_by_what_it_lacks(
    sessions: list[dict[str, str]], logs: list[dict[str, str]], said: str
) -> None:
    assert said in str(incomplete(sessions, logs))


def test_the_chain_runs_apart_from_the_users_own_tracing() -> None:
    given = {
        "PATH": "/bin",
        "OTEL_SDK_DISABLED": "true",
        "HUMANLOOP_HOLD": "99",
        "OPENAI_API_KEY": "sk-mine",
        "no_proxy": "example.com",
    }
    offline = environment(given, base_url="http://127.0.0.1:1/v4", openai={"OPENAI_API_KEY": "none"})
    assert "OTEL_SDK_DISABLED" not in offline
    assert "HUMANLOOP_HOLD" not in offline
    assert (offline["PATH"], offline["OPENAI_API_KEY"]) == ("/bin", "none")
    assert offline["NO_PROXY"] == offline["no_proxy"] == "example.com,127.0.0.1"
    live = environment(given, base_url="http://127.0.0.1:1/v4", openai=None)
    assert live["OPENAI_API_KEY"] == "sk-mine"

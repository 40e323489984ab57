"""`otel-humanloop serve` as a process, and where it keeps things when nobody says where."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select
from support_otlp import PROTOBUF, body, hexadecimal, span, until

from otel_humanloop.cli import main
from otel_humanloop.cli.serve import default_database, shown_database
from otel_humanloop.server.store import open_store
from otel_humanloop.server.store.schema import logs

SCRIPT = str(Path(sys.executable).with_name("otel-humanloop"))
SECONDS = 60.0


@contextmanager
def serving(*arguments: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A serving process that answers, and its address. It is killed if it is still there at the end."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [SCRIPT, "serve", "--port", str(port), *arguments]
    environ = os.environ | variables
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until_alive(url, process)
            yield process, url
        finally:
            process.kill()


def wait_until_alive(url: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + SECONDS
    with httpx.Client() as http:
        while True:
            try:
                http.get(f"{url}/readyz").raise_for_status()
            except httpx.TransportError:
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.02)
            else:
                return


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end_and_keeps_what_it_was_given(stop: signal.Signals, tmp_path: Path) -> None:
    log = {"project": "p", "config": {"type": "model", "model": "m"}, "output": "o"}
    with serving(XDG_DATA_HOME=str(tmp_path)) as (process, url):
        given = httpx.post(f"{url}/v4/logs", json=log).raise_for_status().json()
        process.send_signal(stop)
        out, err = process.communicate(timeout=SECONDS)
    assert out == ""
    assert f"Humanloop at {url}/v4" in err
    assert "Traceback" not in err
    assert process.returncode == (130 if stop is signal.SIGINT else -signal.SIGTERM)
    assert (tmp_path / "otel-humanloop" / "humanloop.db").exists() == (sys.platform == "linux")
    with serving(XDG_DATA_HOME=str(tmp_path)) as (_, url):
        assert httpx.get(f"{url}/v4/logs/{given['id']}").json()["output"] == "o"


def test_a_key_given_is_a_key_needed(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'own.db'}"
    with serving("--api-key", "one", "--api-key", "two", "--database", database) as (_, url):
        assert httpx.get(f"{url}/v4/projects").status_code == 401
        for key in ("one", "two"):
            assert httpx.get(f"{url}/v4/projects", headers={"X-API-KEY": key}).status_code == 200
    assert (tmp_path / "own.db").exists()


def first_line(process: subprocess.Popen[str], start: str) -> str:
    """What the process says behind `start`, up to the next comma or the end of the line."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(start):
            return line.removeprefix(start).partition(",")[0].strip()
    raise AssertionError(f"it ended without saying `{start}`")


def test_it_says_which_port_it_was_given(tmp_path: Path) -> None:
    command = [SCRIPT, "serve", "--port", "0", "--no-otlp", "--database", f"sqlite:///{tmp_path}/own.db"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            url = first_line(process, "Humanloop at ")
            assert httpx.get(f"{url}/projects", timeout=SECONDS).status_code == 200
            assert httpx.get(f"{url}/metrics", timeout=SECONDS).status_code == 404, "nothing is taken in"
        finally:
            process.kill()


def test_spans_are_let_in_by_the_keys_that_let_logs_in_and_reach_a_server_whose_keys_are_stored(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'own.db'}"
    key = subprocess.run(
        [SCRIPT, "keys", "--database", database, "add", "a"], capture_output=True, text=True, check=True
    )
    shown = {"X-API-KEY": key.stdout.split()[-1]}
    bearer = {"Authorization": f"Bearer {shown['X-API-KEY']}"}
    with serving("--otlp-http-port", "0", "--otlp-grpc-port", "0", "--database", database, HUMANLOOP_DELAY="0.02") as (
        process,
        url,
    ):
        otlp = f"{first_line(process, 'OTLP at ')}/v1/traces"
        for headers, status in (({}, 401), ({"Authorization": "Bearer wrong"}, 401), (bearer, 200)):
            answer = httpx.post(otlp, content=body(span(1, 2)), headers={**PROTOBUF, **headers}, trust_env=False)
            assert answer.status_code == status
        logs = f"{url}/v4/logs?session_reference_id={1:032x}"
        assert httpx.get(logs).status_code == 401
        found = until(lambda: (answer := httpx.get(logs, headers=shown)).is_success and answer.json()["records"])
        assert [log["reference_id"] for log in found] == [hexadecimal(2)]
        # What is told to whoever reaches the receiver is told beside the API to those with a key.
        assert httpx.get(f"{url}/metrics").status_code == 401
        password = ("any", shown["X-API-KEY"])
        told = until(
            lambda: text if "sent_logs_total 1.0" in (text := httpx.get(f"{url}/metrics", auth=password).text) else ""
        )
        assert 'otel_humanloop_requests_total{code="unauthenticated",receiver="http",signal="traces"} 2.0' in told


def test_what_was_taken_in_is_logged_before_it_ends(tmp_path: Path) -> None:
    """It does not wait for the delay to be over: nothing is left for a next start to find."""
    database = f"sqlite:///{tmp_path / 'own.db'}"
    with serving("--otlp-http-port", "0", "--otlp-grpc-port", "0", "--database", database, HUMANLOOP_DELAY="30") as (
        process,
        _,
    ):
        otlp = f"{first_line(process, 'OTLP at ')}/v1/traces"
        assert httpx.post(otlp, content=body(span(1, 2)), headers=PROTOBUF, trust_env=False).status_code == 200
        process.terminate()
        process.communicate(timeout=SECONDS)
    with open_store(database) as store:
        assert store.read(lambda tx: tx.execute(select(func.count()).select_from(logs)).scalar_one()) == 1


def test_the_password_of_a_database_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    url = "postgresql://anna:secret@127.0.0.1:1/nowhere"
    assert shown_database(url) == "postgresql://anna:***@127.0.0.1:1/nowhere"
    assert shown_database("sqlite:////a/b.db") == "sqlite:////a/b.db"
    assert main(["serve", "--port", "0", "--no-otlp", "--database", url]) == 2
    assert "secret" not in capsys.readouterr().err


def test_parents_must_come_first_and_other_names_be_allowed_where_it_is_told_so() -> None:
    child = {"project": "p", "config": {"type": "model", "model": "m"}, "parent_reference_id": "b" * 16}
    child["session_reference_id"] = "a" * 32
    with serving("--strict-parents", "--allowed-host", "humanloop.internal", "--database", "sqlite://") as (_, url):
        assert httpx.post(f"{url}/v4/logs", json=child).status_code == 422
        for name, status in (("humanloop.internal", 200), ("elsewhere.internal", 403)):
            assert httpx.get(f"{url}/v4/projects", headers={"Host": name}).status_code == status


def test_an_address_others_can_reach_is_refused_without_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", "0.0.0.0", "--port", "0", "--database", "sqlite://"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "there is no API key" in captured.err
    assert "hint: give an API key (--api-key KEY)" in captured.err


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port), "--database", "sqlite://"]) == 2
    said = capsys.readouterr().err
    assert f"cannot listen on 127.0.0.1 port {port}" in said
    assert "hint: choose another port (--port)" in said
    assert "Humanloop at" not in said


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have folders of their own")
@pytest.mark.parametrize("given", ["", "relative/path"])
def test_without_a_data_folder_of_its_own_a_user_has_the_one_of_the_specification(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".local" / "share" / "otel-humanloop"
    assert default_database({"XDG_DATA_HOME": given}) == f"sqlite:///{folder / 'humanloop.db'}"
    assert folder.stat().st_mode & 0o777 == 0o700, "nobody else reads what programs ask their models"


def test_a_provider_that_says_nothing_is_given_up_after_the_seconds_one_says(tmp_path: Path) -> None:
    chat = {"project": "p", "model_config": {"model": "m"}, "messages": [{"role": "user", "content": "hello"}]}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        asked = {
            "OPENAI_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/v1",
            "HUMANLOOP_PROVIDER_TIMEOUT": "0.2",
        }
        with serving("--no-otlp", "--database", f"sqlite:///{tmp_path}/h.db", **asked) as (_, url):
            answer = httpx.post(f"{url}/v4/chat", json=chat, timeout=SECONDS)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["detail"]["message"] == "the provider did not answer in time"


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "nan", "1e9"])
def test_a_provider_timeout_that_is_none_is_refused_at_start(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["serve", f"--provider-timeout={seconds}"])
    assert f"`{seconds}` is not a number of seconds" in capsys.readouterr().err

"""The command line from outside: exit codes, what goes to which stream, and how it is painted."""

from __future__ import annotations

import os
import pty
import re
import signal
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from otel_humanloop.cli import main

SCRIPT = str(Path(sys.executable).with_name("otel-humanloop"))
SGR = re.compile(r"\x1b\[[0-9;]*m")


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without what would bend a command, and with what is given."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HUMANLOOP_", "OTEL_")) and name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM")
    }
    return kept | variables


def command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, *arguments], env=environment(**variables), capture_output=True, text=True, timeout=60, check=False
    )


def on_a_terminal(*program: str, **variables: str) -> str:
    """What a program writes to a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(program, env=environment(**variables), stdin=theirs, stdout=theirs, stderr=theirs) as running:
        os.close(theirs)
        written = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # Linux's way of saying that the other side has gone
                break
            if not chunk:
                break
            written += chunk
        running.wait(60)
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def test_the_version_is_that_of_the_distribution() -> None:
    done = command("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"otel-humanloop {version('otel-humanloop')}\n", "")


def test_the_package_can_be_run_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "otel_humanloop", "--version"], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == f"otel-humanloop {version('otel-humanloop')}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required: COMMAND"),
        (["dance"], "dance"),
        (["sessions", "--limit", "0"], "`0` is not a whole number, 1 or more"),
        (["sessions", "--limit", "many"], "`many` is not a whole number"),
        (["serve", "--port", "70000"], "`70000` is not a whole number, 0 to 65535"),
        (["sessions", "show"], "required: ID"),
    ],
)
def test_wrong_arguments_end_with_2_and_say_what_is_wrong(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err


@pytest.mark.parametrize("name", ["demo", "serve", "sessions", "doctor"])
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"usage: otel-humanloop {name}" in capsys.readouterr().out


def test_a_wrong_setting_ends_with_2_and_a_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUMANLOOP_BASE_URL", "humanloop")
    assert main(["sessions"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    error, hint = captured.err.splitlines()
    assert error.startswith("error: HUMANLOOP_BASE_URL is `humanloop`, but must be")
    assert hint.startswith("hint: ")


def test_a_server_that_is_not_there_ends_with_1_and_a_hint(
    closed_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUMANLOOP_BASE_URL", f"http://127.0.0.1:{closed_port}/v4")
    assert main(["sessions"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert "\nhint: " in captured.err


def test_ctrl_c_ends_quietly_with_130() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        variables = environment(HUMANLOOP_BASE_URL=f"http://127.0.0.1:{silent.getsockname()[1]}/v4")
        with subprocess.Popen(
            [SCRIPT, "sessions"], env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as running:
            connection, _ = silent.accept()
            with connection:
                connection.recv(65536)  # it has asked, and waits for an answer that will not come
                running.send_signal(signal.SIGINT)
                out, err = running.communicate(timeout=60)
    assert (running.returncode, out, err) == (130, b"", b"")


def test_a_reader_that_has_seen_enough_is_not_an_error() -> None:
    """`otel-humanloop doctor | true`: nobody reads, and nobody is told of a broken pipe."""
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [SCRIPT, "doctor", "--offline"],
            env=environment(),
            stdout=write,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(write)
    assert done.stderr == b""


def test_on_a_terminal_the_same_text_is_painted() -> None:
    plain = command("doctor", "--offline", COLUMNS="90").stdout
    painted = on_a_terminal(SCRIPT, "doctor", "--offline", COLUMNS="90", TERM="xterm-256color")
    assert "\x1b" not in plain
    assert "\x1b[" in painted
    assert [line.rstrip() for line in SGR.sub("", painted).splitlines()] == plain.splitlines()


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1", "TERM": "xterm-256color"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_no_paint_gets_none(variables: dict[str, str]) -> None:
    assert "\x1b" not in on_a_terminal(SCRIPT, "doctor", "--offline", **variables)


def test_without_rich_a_terminal_gets_plain_text() -> None:
    program = (
        "import sys; sys.modules['rich'] = None; from otel_humanloop.cli import main; main(['doctor', '--offline'])"
    )
    written = on_a_terminal(sys.executable, "-c", program, TERM="xterm-256color")
    assert written.startswith("Versions")
    assert "\x1b" not in written


def test_a_stream_that_cannot_write_a_character_gets_one_it_can() -> None:
    done = command("doctor", "--offline", PYTHONIOENCODING="ascii", OTEL_TRACES_SAMPLER="Zürich")
    assert "Z\\xfcrich" in done.stdout
    assert done.stderr == ""

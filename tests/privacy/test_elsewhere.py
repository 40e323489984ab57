"""Where else a text could come out: what a server says back, messages, metrics, the list of what was refused."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from corpus import captures
from hostile.backends import backend
from peer import Peer
from privacy.canary import CANARY, MODES, found_in, names_in, singing

from otel_humanloop.cli import main

PROGRAM = Path(__file__).parent / "program.py"
TESTS = Path(__file__).parent.parent
CAPTURE = "traceloop-openai-0.62.4/chat_tools"
STATUSES = (b"422 Unprocessable Entity", b"400 Bad Request", b"500 Internal Server Error")


class Echo:
    """A server that says back, as its reason, all that it was sent.

    Attributes:
        heard: All of that.
    """

    def __init__(self, status: bytes) -> None:
        self.heard = b""
        self._status = status

    def serve(self, peer: Peer) -> None:
        while request := peer.request():
            self.heard += request
            detail = json.dumps({"detail": request.decode("utf-8", "replace")[-800:]}).encode()
            peer.send(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (self._status, len(detail), detail))

    @contextlib.contextmanager
    def at_work(self) -> Iterator[str]:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def accept() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        connection, _ = listener.accept()
                        with connection, contextlib.suppress(OSError):
                            connection.settimeout(10)
                            self.serve(Peer(connection, 0))

            thread = threading.Thread(target=accept, daemon=True)
            thread.start()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v4"
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def run(mode: str, **variables: str) -> bytes:
    """All that the program says, on both of its outputs."""
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    environ = {**os.environ, "PYTHONPATH": path, "NO_PROXY": "*", "HUMANLOOP_TIMEOUT": "1", **variables}
    program = subprocess.run(
        [sys.executable, str(PROGRAM), mode, CAPTURE], env=environ, capture_output=True, timeout=60, check=False
    )
    assert program.returncode == 0, program.stderr
    assert b"otel.sdk.exporter." in program.stdout
    return program.stdout + program.stderr


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


EVERY = [(mode, status) for mode in MODES for status in STATUSES]


@pytest.mark.parametrize(
    ("mode", "status"), [EVERY[0], *(pytest.param(*one, marks=pytest.mark.slow) for one in EVERY[1:])]
)
def test_a_server_that_says_everything_back_brings_nothing_out(
    mode: str,
    status: bytes,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = names_in([singing(span, mode) for span in captures.spans(CAPTURE)], mode)
    spool = f"sqlite:///{tmp_path}/spool.db"
    echo = Echo(status)
    with echo.at_work() as base_url:
        said = run(mode, HUMANLOOP_BASE_URL=base_url, HUMANLOOP_SPOOL=spool)
        monkeypatch.setenv("HUMANLOOP_BASE_URL", base_url)
        for arguments in ([], ["--json"], ["--resend"], ["--discard"]):
            main(["spool", "--spool", spool, *arguments])
            assert found_in(on_disk(tmp_path), but=names) == []
    shown = "".join(capsys.readouterr())
    assert b"POST /v4/logs" in echo.heard
    assert found_in(echo.heard, but=names) == []
    assert found_in(said, but=names) == []
    assert found_in(shown.encode(), but=names) == []
    if not status.startswith(b"5"):
        assert b"was refused" in said
        assert "logs were refused" in shown
        assert status.decode()[:3] in shown


@pytest.mark.parametrize("status", [b"401 Unauthorized", pytest.param(b"500 No", marks=pytest.mark.slow)])
def test_a_key_is_in_no_message_no_metric_and_not_on_the_disk(
    status: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = f"sqlite:///{tmp_path}/spool.db"
    echo = Echo(status)
    with echo.at_work() as base_url:
        address = base_url.replace("http://", f"http://user:{CANARY}-password@")
        given = {"HUMANLOOP_BASE_URL": address, "HUMANLOOP_API_KEY": f"{CANARY}-key", "HUMANLOOP_SPOOL": spool}
        said = run("redacted", **given)
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        for command in (["spool", "--spool", spool], ["spool", "--spool", spool, "--resend"], ["doctor"], ["sessions"]):
            main(command)
    assert f"{CANARY}-key".encode() in echo.heard, "it is sent"
    assert found_in(said) == []
    assert found_in("".join(capsys.readouterr()).encode()) == []
    assert found_in(on_disk(tmp_path)) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["redirects", "malformed", "garbage", "dead", "no TLS", "no name", "hangs up"])
def test_nor_where_a_backend_is_not_what_it_should_be(kind: str, tmp_path: Path) -> None:
    with backend(kind) as base_url:
        address = base_url.replace("://", f"://user:{CANARY}-password@")
        spool = f"sqlite:///{tmp_path}/spool.db"
        said = run("redacted", HUMANLOOP_BASE_URL=address, HUMANLOOP_API_KEY=f"{CANARY}-key", HUMANLOOP_SPOOL=spool)
    assert found_in(said) == []
    assert found_in(on_disk(tmp_path)) == []

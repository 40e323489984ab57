"""An answer means that it is kept, also by a process that is killed the moment after."""

from __future__ import annotations

import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from support_server import MODEL

DEADLINE = 90.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def process(database: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A server that answers, and its address; dead at the end."""
    port = free_port()
    script = str(Path(__file__).parent / "crashing.py")
    server = subprocess.Popen([sys.executable, script, database, str(port)])
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + DEADLINE
        while not _listens(port):
            assert time.monotonic() < deadline, "the server did not start"
            with suppress(subprocess.TimeoutExpired):
                raise AssertionError(f"the server ended: {server.wait(0.02)}")
        yield server, url
    finally:
        server.kill()
        server.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), DEADLINE).close()
    except ConnectionRefusedError:
        return False
    return True


class Client(threading.Thread):
    """Posts bodies of parent and children, patches the parent, and notes what was acknowledged, until cut off."""

    def __init__(self, url: str, name: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.client_name = name
        self.posted: dict[str, list[str]] = {}
        self.patched: dict[str, str] = {}
        self.refused: list[str] = []

    def run(self) -> None:
        with httpx.Client(base_url=f"{self.url}/v4", timeout=DEADLINE, verify=False) as http:
            for number in itertools.count():
                session = f"{self.client_name}-{number}"
                log: dict[str, Any] = {"project": "p", "config": MODEL, "session_reference_id": session}
                children = [{**log, "parent_reference_id": session, "output": "x" * 500} for _ in range(3)]
                try:
                    answer = http.post("/logs", json=[{**log, "reference_id": session}, *children])
                    if answer.status_code != 200:
                        self.refused.append(answer.text)
                        continue
                    self.posted[session] = [posted["id"] for posted in answer.json()]
                    answer = http.patch("/logs", params={"reference_id": session}, json={"output": session})
                    if answer.status_code == 200:
                        self.patched[self.posted[session][0]] = session
                except httpx.TransportError:
                    return


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'humanloop.db'}"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
@pytest.mark.parametrize("lives", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_every_acknowledged_log_is_there_after_kill_9(database: str, lives: int) -> None:
    chance = random.Random(7)
    clients: list[Client] = []
    for life in range(lives):
        with process(database) as (server, url):
            lot = [Client(url, f"{life}-{number}") for number in range(6)]
            for client in lot:
                client.start()
            enough = chance.randint(20, 120)
            deadline = time.monotonic() + DEADLINE
            while sum(len(client.posted) for client in lot) < enough:
                assert time.monotonic() < deadline, "too little was acknowledged"
                lot[0].join(0.005)
            os.kill(server.pid, signal.SIGKILL)
            for client in lot:
                client.join(DEADLINE)
            clients.extend(lot)
    assert [client.refused for client in clients if client.refused] == []
    with process(database) as (_, url), httpx.Client(base_url=f"{url}/v4", timeout=DEADLINE, verify=False) as http:
        project_id = http.get("/projects").json()["records"][0]["id"]
        logs = {log["id"]: log for log in listed(http, "/logs", 0, project_id=project_id)}
        for client in clients:
            for session, ids in client.posted.items():
                assert {logs[id]["session_reference_id"] for id in ids} == {session}
                assert [logs[id].get("parent_id") for id in ids] == [None, ids[0], ids[0], ids[0]]
            for id, output in client.patched.items():
                assert logs[id]["output"] == output
        sessions = listed(http, "/sessions", 1)
        assert {session["datapoints_count"] for session in sessions} == {4}
        assert len(logs) == 4 * len(sessions) == http.get(f"/projects/{project_id}").json()["data_count"]


def listed(http: httpx.Client, path: str, first: int, **query: str) -> list[dict[str, Any]]:
    """Every record of a list."""
    records: list[dict[str, Any]] = []
    for page in itertools.count(first):
        answer = http.get(path, params={**query, "page": page, "size": 1000}).json()
        records += answer["records"]
        if len(records) >= answer["total"]:
            return records
    raise AssertionError


def test_it_finishes_what_came_in_when_it_is_told_to_stop(database: str) -> None:
    with process(database) as (server, url):
        posted = httpx.post(f"{url}/v4/logs", json={"project": "p", "config": MODEL}).json()
        server.terminate()
        assert server.wait(DEADLINE) in (0, -signal.SIGTERM)
    with process(database) as (_, url):
        assert httpx.get(f"{url}/v4/logs/{posted['id']}").status_code == 200

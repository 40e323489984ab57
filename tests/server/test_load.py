"""Many clients at once, on one server and on two that share a PostgreSQL: nothing is lost, nothing fails."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from server.test_durability import DEADLINE, listed, process

CONFIG = {"model": "gpt-4", "prompt_template": "Q {{question}}"}
CLIENTS = 32


class Client(threading.Thread):
    """Posts a parent with children, patches it, gives feedback and lists, until the time is over."""

    def __init__(self, urls: list[str], name: str, until: float) -> None:
        super().__init__(daemon=True)
        self.urls = itertools.cycle(urls)
        self.client_name = name
        self.until = until
        self.patched: dict[str, str] = {}
        self.logs = 0
        self.failed: list[str] = []

    def run(self) -> None:
        with httpx.Client(timeout=DEADLINE, verify=False) as http:
            for number in itertools.count():
                if time.monotonic() >= self.until or self.failed:
                    return
                self.round(http, f"{self.client_name}-{number}")

    def round(self, http: httpx.Client, session: str) -> None:
        log: dict[str, Any] = {"project": "load", "config": CONFIG, "session_reference_id": session}
        child = {**log, "parent_reference_id": session, "inputs": {"question": session}}
        posted = self.ask(http, "POST", "logs", json=[child, {**log, "reference_id": session}, child])
        if posted is None:
            return
        self.logs += len(posted)
        if self.ask(http, "PATCH", "logs", params={"reference_id": session}, json={"output": session}) is not None:
            self.patched[posted[1]["id"]] = session
        self.ask(http, "POST", "feedback", json={"type": "rating", "value": "good", "data_id": posted[0]["id"]})
        page = self.ask(http, "GET", "logs", params={"session_reference_id": session})
        if page is not None and [each.get("parent_id") for each in page["records"]].count(posted[1]["id"]) != 2:
            self.failed.append(f"{session} is not in its place: {page}")

    def ask(self, http: httpx.Client, method: str, path: str, **request: Any) -> Any:
        answer = http.request(method, f"{next(self.urls)}/v4/{path}", **request)
        if answer.status_code == 200:
            return answer.json()
        self.failed.append(f"{method} {path}: {answer.status_code} {answer.text}")
        return None


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[str]]:
    """One server on SQLite, two processes on one PostgreSQL."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield [stack.enter_context(process(f"sqlite:///{tmp_path / 'humanloop.db'}"))[1]]
        else:
            database = str(request.getfixturevalue("postgres_url"))
            yield [stack.enter_context(process(database))[1] for _ in range(2)]


@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_no_write_is_lost_and_no_request_fails(urls: list[str], seconds: int) -> None:
    until = time.monotonic() + seconds
    clients = [Client(urls, str(number), until) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(seconds + DEADLINE)
        assert not client.is_alive()
    assert [failure for client in clients for failure in client.failed] == []
    total = sum(client.logs for client in clients)
    assert total >= 3 * CLIENTS
    for url in urls:
        with httpx.Client(base_url=f"{url}/v4", timeout=DEADLINE, verify=False) as http:
            (project,) = http.get("/projects").json()["records"]
            assert project["data_count"] == total
            logs = {log["id"]: log for log in listed(http, "/logs", 0, project_id=project["id"])}
            assert len(logs) == total
            for client in clients:
                for id, output in client.patched.items():
                    assert logs[id]["output"] == output

"""Several processes at one address and on one database: real ones, that are killed and told to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from server.test_load import Client
from sqlalchemy import text
from support_otlp import PROTOBUF, body, hexadecimal, span, until
from support_server import MODEL

from otel_humanloop.cli import main
from otel_humanloop.server.rate import RateLimit, SharedBuckets
from otel_humanloop.server.store import Store, open_store

SECONDS = 60.0

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds workers in /proc")


class Server:
    """`otel-humanloop serve --workers`, as a user starts it.

    Attributes:
        url: Where it answers.
        otlp: Where it takes spans in over HTTP, where it does.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.url = self._said("Humanloop at ").removesuffix("/v4")
        self.otlp = ""

    def takes_spans(self) -> None:
        self.otlp = self._said("OTLP at ")

    def _said(self, start: str) -> str:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if line.startswith(start):
                return line.removeprefix(start).partition(",")[0].strip()
        raise AssertionError(f"it ended without saying `{start}`")

    def workers(self) -> list[int]:
        """The processes that answer: those whose command says that they were spawned."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]

    def log(self, **fields: Any) -> httpx.Response:
        """Posts a log over a connection of its own, which any worker may take."""
        log = {"project": "p", "config": MODEL, **fields}
        return httpx.post(f"{self.url}/v4/logs", json=log, timeout=SECONDS, trust_env=False)

    def count(self) -> int:
        projects = httpx.get(f"{self.url}/v4/projects", timeout=SECONDS, trust_env=False).json()["records"]
        return int(projects[0]["data_count"]) if projects else 0


@contextmanager
def serving(database: str, *arguments: str, workers: int = 2) -> Iterator[Server]:
    """A server that answers, with all of its workers; none of its processes is there afterwards."""
    command = [sys.executable, "-m", "otel_humanloop", "serve", "--port", "0", "--workers", str(workers)]
    command += ["--database", database, *(arguments or ["--no-otlp"])]
    environ = {**os.environ, "HUMANLOOP_DELAY": "0.02"}
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            server = Server(process)
            assert httpx.get(f"{server.url}/readyz", timeout=SECONDS, trust_env=False).status_code == 200
            until(lambda: len(server.workers()) == workers)
            yield server
        finally:
            process.kill()
            process.communicate(timeout=SECONDS)


def is_running(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'own.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced_and_all_end_together_with_nothing_lost(database: str) -> None:
    with serving(database) as server, ThreadPoolExecutor(4) as threads:
        first = server.workers()
        posts = [threads.submit(server.log, output=str(number)) for number in range(10)]
        os.kill(first[0], signal.SIGKILL)
        answered = [
            post.result().status_code for post in posts if not isinstance(post.exception(), httpx.TransportError)
        ]
        assert set(answered) <= {200}
        until(lambda: len(server.workers()) == 2 and first[0] not in server.workers())
        assert server.log().status_code == 200
        last = [threads.submit(server.log) for _ in range(8)]
        taken = sum(post.result().status_code == 200 for post in last)
        assert server.count() >= len(answered) + 1 + taken
        workers = server.workers()
        server.process.terminate()
        assert server.process.wait(SECONDS) == -signal.SIGTERM
        assert not [pid for pid in workers if is_running(pid)]
        assert "Traceback" not in server.process.communicate(timeout=SECONDS)[1]
    if database.startswith("sqlite"):
        with open_store(database) as store:
            kept = store.read(lambda tx: tx.execute(text("SELECT count(*) FROM logs")).scalar_one())
        assert kept >= len(answered) + 1 + taken


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [5, 30])
def test_under_load_no_write_is_lost_and_no_request_fails(database: str, seconds: int) -> None:
    with serving(database, workers=3) as server:
        end = time.monotonic() + seconds
        clients = [Client([server.url], str(number), end) for number in range(16)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(seconds + SECONDS)
            assert not client.is_alive()
        assert [failure for client in clients for failure in client.failed] == []
        assert server.count() == sum(client.logs for client in clients) > 0


@pytest.mark.slow
def test_workers_end_with_the_process_that_started_them_however_that_ends(tmp_path: Path) -> None:
    with serving(f"sqlite:///{tmp_path}/own.db") as server:
        workers = server.workers()
        server.process.kill()
        until(lambda: not [pid for pid in workers if is_running(pid)])


@pytest.mark.slow
def test_a_request_that_came_in_is_answered_before_they_end(tmp_path: Path) -> None:
    with serving(f"sqlite:///{tmp_path}/own.db") as server, httpx.Client(timeout=SECONDS, trust_env=False) as http:
        begun = threading.Event()

        def slowly() -> Iterator[bytes]:
            yield b'{"project": "p", "config": {"model": "m"}, "output": "'
            begun.set()
            until(told.is_set)
            yield b'late"}'

        told = threading.Event()
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(http.post, f"{server.url}/v4/logs", content=slowly())
            assert begun.wait(SECONDS)
            server.process.terminate()
            until(lambda: _is_refused(server.url))
            told.set()
            assert answer.result().status_code == 200
        assert server.process.wait(SECONDS) == -signal.SIGTERM


def _is_refused(url: str) -> bool:
    try:
        httpx.get(f"{url}/healthz", timeout=0.2, trust_env=False)
    except httpx.TransportError:
        return True
    return False


@pytest.mark.slow
def test_spans_are_taken_in_once_and_seen_by_all(tmp_path: Path) -> None:
    with serving(f"sqlite:///{tmp_path}/own.db", "--otlp-http-port", "0", "--otlp-grpc-port", "0") as server:
        server.takes_spans()
        sent = httpx.post(f"{server.otlp}/v1/traces", content=body(span(1, 2)), headers=PROTOBUF, trust_env=False)
        assert sent.status_code == 200
        logs = f"{server.url}/v4/logs?session_reference_id={1:032x}"
        found = until(lambda: (page := httpx.get(logs, trust_env=False)).is_success and page.json()["records"])
        assert [log["reference_id"] for log in found] == [hexadecimal(2)]


@pytest.mark.slow
def test_a_page_sees_what_came_to_another_worker(tmp_path: Path) -> None:
    with serving(f"sqlite:///{tmp_path}/own.db") as server, ThreadPoolExecutor(6) as threads:
        watching = threading.Barrier(7)

        def watch() -> str:
            with httpx.stream("GET", f"{server.url}/live", timeout=SECONDS, trust_env=False) as stream:
                lines = stream.iter_lines()
                next(line for line in lines if line == "event: watching")
                watching.wait(SECONDS)
                return next(line for line in lines if line == "event: change")

        pages = [threads.submit(watch) for _ in range(6)]
        watching.wait(SECONDS)
        assert server.log(session_reference_id="s").status_code == 200
        assert [page.result(SECONDS) for page in pages] == ["event: change"] * 6


@pytest.mark.slow
def test_a_key_may_make_so_many_requests_of_all_of_them_together(tmp_path: Path) -> None:
    with serving(f"sqlite:///{tmp_path}/own.db", "--no-otlp", "--rate-limit", "5") as server:
        answers = [httpx.get(f"{server.url}/v4/projects", timeout=SECONDS, trust_env=False) for _ in range(12)]
        statuses = [answer.status_code for answer in answers]
        assert 5 <= statuses.count(200) <= 7, statuses  # one more for each twelve seconds these took
        assert statuses.count(429) == 12 - statuses.count(200)


def test_buckets_are_shared_by_those_that_know_the_file(tmp_path: Path) -> None:
    one, two = (SharedBuckets(str(tmp_path / "buckets.db")) for _ in range(2))
    try:
        limits = [RateLimit(3, one), RateLimit(3, two)]
        waits = [limits[number % 2].wait("key", 100.0) for number in range(5)]
        assert waits == [0, 0, 0, 20, 20]
        assert limits[0].wait("another", 100.0) == 0
        assert [limit.wait("key", 120.0) for limit in limits] == [0, 20]
        assert b"key" not in (tmp_path / "buckets.db").read_bytes()
    finally:
        one.close()
        two.close()


@pytest.mark.parametrize("database", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_that_ends_with_its_process_is_not_shared(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", "0", "--no-otlp", "--workers", "2", "--database", database]) == 2
    assert "hint: name a file" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["0", "-1", "two"])
def test_a_number_of_workers_is_one_from_1_on(given: str) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--workers", given])


def test_whoever_writes_without_pause_lets_others_write(tmp_path: Path) -> None:
    """Two that keep one file: the second gets its turns while the first always has more to write."""
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    with open_store(url) as busy, open_store(url) as other:
        busy.write(lambda tx: tx.execute(text("CREATE TABLE marks (who TEXT)")))
        done = threading.Event()
        threads = [threading.Thread(target=_write_until, args=(busy, done.is_set)) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(20):
                other.write(lambda tx: tx.execute(text("INSERT INTO marks VALUES ('other')")))
        finally:
            done.set()
            for thread in threads:
                thread.join(SECONDS)
        counted = "SELECT who, count(*) FROM marks GROUP BY who ORDER BY who"
        marks: dict[str, int] = dict(other.read(lambda tx: tx.execute(text(counted)).all()))
    assert marks["other"] == 20
    assert marks["busy"] > 0


def _write_until(store: Store, is_over: Callable[[], bool]) -> None:
    while not is_over():
        store.write(lambda tx: tx.execute(text("INSERT INTO marks VALUES ('busy')")))

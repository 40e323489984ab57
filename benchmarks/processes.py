"""Processes that are measured from outside: what they and their children cost, and how they are started and ended."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.contest import clean_environ
from benchmarks.environments import PROJECT, environment

_TICK = os.sysconf("SC_CLK_TCK")
_IDLE = 0.03
"""CPU seconds in a second: what waking up now and then takes."""


class Tree:
    """A process that was started from here, or that somebody else started, with all below it.

    Attributes:
        pid: The first of them.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def cpu(self) -> float:
        """CPU seconds of all of them, those that have ended included."""
        return sum(_cpu(pid) for pid in self._pids())

    def memory(self) -> int:
        """Bytes of all of them; what several share is counted once, in parts."""
        return sum(_memory(pid) for pid in self._pids())

    def _pids(self) -> list[int]:
        parents = {
            int(entry.name): _parent(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit()
        }
        found = [self.pid]
        for pid in found:
            found.extend(child for child, parent in parents.items() if parent == pid)
        return found


class Server:
    """A server that was started.

    Attributes:
        processes: It, and all it started itself.
        started_in: Seconds from its start to its first answer; 0 before.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log
        self.processes = Tree(process.pid)
        self.started_in = 0.0

    def cpu(self) -> float:
        """CPU seconds, as `Tree.cpu` has them."""
        return self.processes.cpu()

    def memory(self) -> int:
        """Bytes, as `Tree.memory` has them."""
        return self.processes.memory()

    def wait_for(self, url: str, *, timeout: float = 180.0) -> None:
        """Returns when it answers there with success; raises RuntimeError where it ends or takes longer."""
        began = time.perf_counter()
        while True:
            try:
                with urllib.request.urlopen(url, timeout=5):
                    self.started_in = time.perf_counter() - began
                    return
            except (urllib.error.URLError, OSError) as error:
                if self._process.poll() is not None or time.perf_counter() - began > timeout:
                    said = self._log.read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"no answer from {url}: {error}\n{said}") from error
            time.sleep(0.02)


@contextmanager
def server(command: Sequence[str], folder: Path, **variables: str) -> Generator[Server, None, None]:
    """Starts a server in a process group of its own, which ends with the block."""
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=clean_environ(**variables), stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield Server(process, log)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class OtlpClient:
    """Sends OTLP over HTTP over one connection, which is made with the first request.

    Args:
        url: Where traces are taken in, with the path.
        headers: What is asked for besides.
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        self._path = parts.path
        self._headers = {"Content-Type": "application/x-protobuf", **(headers or {})}

    def post(self, body: bytes) -> None:
        """One request; raises RuntimeError where it is not answered with success."""
        self._connection.request("POST", self._path, body, self._headers)
        answer = self._connection.getresponse()
        said = answer.read()
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"answered with {answer.status}: {said[:500]!r}")


class Sink:
    """Something that takes in whatever exporters send.

    Attributes:
        url: Its address.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def wait_for(self, spans: int, *, timeout: float = 120.0) -> None:
        """Returns when so many spans (or logs) have come since the last call. Raises TimeoutError."""
        came = 0

        def done() -> bool:
            nonlocal came
            with urllib.request.urlopen(f"{self.url}/taken", timeout=60) as answer:
                came += json.load(answer)["spans"]
            return came >= spans

        wait_until(done, timeout=timeout)


@contextmanager
def sink() -> Generator[Sink, None, None]:
    """A sink in a process of its own, which ends with the block."""
    process = subprocess.Popen(
        [str(environment("ours").python), "-m", "benchmarks.sink"],
        cwd=PROJECT,
        env=clean_environ(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        if not url:
            raise RuntimeError("the sink did not start")
        yield Sink(url)
    finally:
        process.stdin.close()
        process.wait(timeout=20)


@contextmanager
def folder() -> Generator[Path, None, None]:
    """A folder of its own for whatever a server keeps, gone after the block."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as path:
        yield Path(path)


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_until(done: Callable[[], bool], *, timeout: float, every: float = 0.05) -> float:
    """Polls; returns the seconds it took. Raises TimeoutError."""
    began = time.perf_counter()
    while not done():
        if time.perf_counter() - began > timeout:
            raise TimeoutError(f"not done after {timeout} s")
        time.sleep(every)
    return time.perf_counter() - began


def wait_until_idle(cpu: Callable[[], float], *, timeout: float = 30.0) -> float:
    """Returns when next to nothing was spent for a second, or the time is over: the CPU seconds spent by then."""
    ends = time.perf_counter() + timeout
    before = cpu()
    while True:
        time.sleep(1)
        now = cpu()
        if now - before < _IDLE or time.perf_counter() > ends:
            return now
        before = now


def _cpu(pid: int) -> float:
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) / _TICK if fields else 0.0  # utime, stime, and those of its ended children


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def _stat(pid: int) -> list[str]:
    try:
        # A process may have blanks and brackets in its name, which stands in brackets.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _memory(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))

"""Processes that are measured from outside: what they and their children cost, and how they are started and ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.contest import clean_environ
from benchmarks.environments import PROJECT, environment

_TICK = os.sysconf("SC_CLK_TCK")


class Server:
    """A server that was started, with all the processes it started itself.

    Attributes:
        started_in: Seconds from its start to its first answer; 0 before.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log
        self.started_in = 0.0

    def cpu(self) -> float:
        """CPU seconds of it and of all it started, those that have ended included."""
        return sum(_cpu(pid) for pid in self.pids())

    def memory(self) -> int:
        """Bytes of its processes; what several share is counted once, in parts."""
        return sum(_memory(pid) for pid in self.pids())

    def pids(self) -> list[int]:
        """It and all below it."""
        parents = {
            int(entry.name): _parent(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit()
        }
        found = [self._process.pid]
        for pid in found:
            found.extend(child for child, parent in parents.items() if parent == pid)
        return found

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


@contextmanager
def sink() -> Generator[str, None, None]:
    """The address of something that takes in whatever exporters send."""
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
        yield process.stdout.readline().strip()
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


def wait_until(done: Callable[[], bool], *, timeout: float) -> float:
    """Polls; returns the seconds it took. Raises TimeoutError."""
    began = time.perf_counter()
    while not done():
        if time.perf_counter() - began > timeout:
            raise TimeoutError(f"not done after {timeout} s")
        time.sleep(0.05)
    return time.perf_counter() - began


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

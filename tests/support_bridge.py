"""The bridge as a process: started as a user starts it, ended as an operating system ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from support_otlp import until


class Process:
    """One bridge.

    Attributes:
        urls: Where it takes spans in, by scheme.
        said: The line it said that in.
    """

    def __init__(self, process: subprocess.Popen[str], said: str, urls: dict[str, str]) -> None:
        self.process = process
        self.said = said
        self.urls = urls

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.wait(20)

    def end(self) -> str:
        """SIGTERM; what it said after that."""
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=30)
        return said

    def metric(self, line: str) -> float:
        """The value of a line of `/metrics`, by its name with labels; 0 where there is none."""
        text = httpx.get(f"{self.urls['http']}/metrics", trust_env=False).text
        return next((float(each.rsplit(" ", 1)[1]) for each in text.splitlines() if each.startswith(f"{line} ")), 0.0)


@contextmanager
def bridge_process(
    base_url: str,
    spool: Path,
    *,
    receive: tuple[str, ...] = ("http://127.0.0.1:0",),
    arguments: tuple[str, ...] = (),
    **environ: str,
) -> Iterator[Process]:
    """A bridge, killed at the end if it is still there."""
    command = [sys.executable, "-m", "otel_humanloop", "bridge", *arguments]
    for url in receive:
        command += ["--receive", url]
    variables = {
        **os.environ,
        "HUMANLOOP_BASE_URL": base_url,
        "HUMANLOOP_DELAY": "0.02",
        "HUMANLOOP_HOLD": "0.3",
        "HUMANLOOP_SPOOL": f"sqlite:///{spool}",
        **environ,
    }
    process = subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        stderr = process.stderr
        said = until(stderr.readline)
        assert said.startswith("taking spans in at "), said + stderr.read()
        found = said.removeprefix("taking spans in at ").partition(";")[0].split(", ")
        yield Process(process, said, {url.partition("://")[0]: url for url in found})
    finally:
        process.kill()
        process.wait(20)
        if process.stderr is not None:
            process.stderr.close()

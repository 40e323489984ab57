"""What an example talks to, and how a user starts it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from otel_humanloop.demo.run import environment
from otel_humanloop.server.serve import running
from otel_humanloop.server.store import open_store

EXAMPLES = Path(__file__).parents[2] / "examples"


class Humanloop:
    """A server of our own, and what it was sent."""

    def __init__(self, url: str) -> None:
        self.url = url

    def sessions(self) -> list[dict[str, Any]]:
        return self._records("/sessions", page=1)

    def logs(self, session: dict[str, Any]) -> list[dict[str, Any]]:
        return self._records("/logs", session_id=session["id"], page=0)

    def _records(self, path: str, **asked: Any) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.url}/v4{path}", params={**asked, "size": 100}, trust_env=False)
        return answer.raise_for_status().json()["records"]


class Programs:
    """Starts examples between a server and a model."""

    def __init__(self, humanloop: Humanloop) -> None:
        self._humanloop = humanloop
        self._started: list[subprocess.Popen[str]] = []

    def start(
        self, name: str, *arguments: str, model: str, instrumented: bool = False, **variables: str
    ) -> subprocess.Popen[str]:
        """Starts `examples/<name>`, by itself or by `opentelemetry-instrument`, with a model at that address."""
        openai = {"OPENAI_BASE_URL": model, "OPENAI_API_KEY": "any"}
        environ = environment(os.environ, base_url=f"{self._humanloop.url}/v4", openai=openai)
        command = [sys.executable, str(EXAMPLES / name), *arguments]
        if instrumented:
            command.insert(0, str(Path(sysconfig.get_path("scripts")) / "opentelemetry-instrument"))
        program = subprocess.Popen(
            command, env={**environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._started.append(program)
        return program

    def stop(self) -> None:
        for program in self._started:
            program.kill()
            program.communicate()


@pytest.fixture
def humanloop() -> Iterator[Humanloop]:
    with open_store("sqlite://") as store, running(store=store) as server:
        yield Humanloop(server.url)


@pytest.fixture
def programs(humanloop: Humanloop) -> Iterator[Programs]:
    programs = Programs(humanloop)
    yield programs
    programs.stop()

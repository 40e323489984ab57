"""`otel-humanloop demo`: runs the guide's chain from start to session, as a user would run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

from otel_humanloop.errors import HumanloopError, MissingExtra, SettingsError

PROJECTS = ("sessions_example_moderator", "sessions_example_google", "sessions_example_assistant")
"""The projects the chain logs to, in the order of its steps."""

_CHAIN_SECONDS = 120.0
_ARRIVAL_SECONDS = 10.0


class Show(Protocol):
    """Shows a session: as `GET /sessions/{id}` and `GET /logs?session_id=` answer it, and its page's address."""

    def __call__(self, session: Mapping[str, Any], logs: Sequence[Mapping[str, Any]], page: str) -> None: ...


def run_demo(*, once: bool, live: bool, show: Show) -> int:
    """Starts a server and a model, runs the chain between them, and shows the session it makes.

    Args:
        once: End when the session was shown. Otherwise its page stays until Ctrl-C.
        live: Ask the real OpenAI API, with OPENAI_API_KEY and the other OPENAI_* variables.

    Returns:
        0. What goes wrong is raised.

    Raises:
        SettingsError: `live` without OPENAI_API_KEY.
        MissingExtra: `opentelemetry-instrument` is not installed.
        HumanloopError: The chain failed, or its session did not arrive whole.
    """
    if live and not os.environ.get("OPENAI_API_KEY"):
        raise SettingsError(
            "`--live` asks the real OpenAI API, but OPENAI_API_KEY is not set",
            hint="set OPENAI_API_KEY, or leave out `--live` for a model that needs no key",
        )
    with ExitStack() as running:
        url, openai = _start(running, live=live)
        _run_chain(environment(os.environ, base_url=f"{url}/v4", openai=openai))
        session, logs = _arrived(f"{url}/v4")
        show(session, logs, page=f"{url}/sessions/{session['id']}")
        if not once:
            sys.stderr.write("Ctrl-C ends the demo and its server.\n")
            _until_interrupted()
    return 0


def _until_interrupted() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        sys.stderr.write("\n")


def environment(given: Mapping[str, str], *, base_url: str, openai: Mapping[str, str] | None) -> dict[str, str]:
    """What the chain runs in: whatever else the user has set for tracing must not bend it.

    Args:
        given: The user's own environment.
        base_url: Of the Humanloop server.
        openai: OPENAI_* variables to be used instead of the user's; None leaves those in place.
    """
    ours = ("HUMANLOOP_", "OTEL_", "TRACELOOP_") if openai is None else ("HUMANLOOP_", "OTEL_", "TRACELOOP_", "OPENAI_")
    kept = {name: value for name, value in given.items() if not name.startswith(ours)}
    # A proxy knows nothing of servers on this machine.
    unproxied = ",".join(filter(None, [given.get("NO_PROXY") or given.get("no_proxy"), "127.0.0.1"]))
    return {
        **kept,
        **(openai or {}),
        "NO_PROXY": unproxied,
        "no_proxy": unproxied,
        "HUMANLOOP_BASE_URL": base_url,
        "OTEL_PYTHON_CONFIGURATOR": "humanloop",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_SERVICE_NAME": "otel-humanloop-demo",
    }


def _start(running: ExitStack, *, live: bool) -> tuple[str, Mapping[str, str] | None]:
    """Starts what the chain talks to: gives the server's address, and where the model is if it is ours."""
    from otel_humanloop.demo.guide import GUIDE
    from otel_humanloop.demo.model_server import ModelServer
    from otel_humanloop.server.serve import running as running_server
    from otel_humanloop.server.store import open_store

    server = running.enter_context(running_server(store=running.enter_context(open_store("sqlite://"))))
    if live:
        return server.url, None
    model = running.enter_context(ModelServer(GUIDE))
    return server.url, {"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "no key is needed"}


def _run_chain(environ: Mapping[str, str]) -> None:
    search = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    instrument = shutil.which("opentelemetry-instrument", path=search)
    if instrument is None:
        raise MissingExtra("the demo", "openai")
    command = [instrument, sys.executable, str(_chain())]
    try:
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=_CHAIN_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise HumanloopError(f"the chain has not ended after {_CHAIN_SECONDS:.0f} seconds") from error
    if done.returncode != 0:
        raise HumanloopError(f"the chain ended with {done.returncode}:\n{done.stderr.strip()}")


def _chain() -> Path:
    """The program: it stands beside this file in an installation, and among the examples in a checkout."""
    here = Path(__file__).parent
    installed = here / "chain.py"
    return installed if installed.exists() else here.parents[1] / "examples" / "chain.py"


def _arrived(api: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The one session of a server, once it is whole."""
    import httpx

    deadline = time.monotonic() + _ARRIVAL_SECONDS
    with httpx.Client(trust_env=False) as http:
        while True:
            sessions = http.get(f"{api}/sessions", params={"page": 1, "size": 2}).raise_for_status().json()["records"]
            logs: list[dict[str, Any]] = []
            if sessions:
                asked = {"session_id": sessions[0]["id"], "page": 0, "size": 100}
                logs = http.get(f"{api}/logs", params=asked).raise_for_status().json()["records"]
            missing = incomplete(sessions, logs)
            if missing is None:
                return sessions[0], logs
            if time.monotonic() > deadline:
                raise HumanloopError(f"the session did not arrive whole: {missing}")
            time.sleep(0.05)


def incomplete(sessions: Sequence[Mapping[str, Any]], logs: Sequence[Mapping[str, Any]]) -> str | None:
    """What a server still lacks of the chain's session, in words; None where it is whole."""
    if len(sessions) != 1:
        return f"there are {len(sessions)} sessions where there should be one" if sessions else "there is no session"
    for project in PROJECTS:
        found = [log for log in logs if log.get("project") == project]
        if len(found) != 1:
            return f"{project} has {len(found)} logs where it should have one"
        if not found[0].get("output"):
            return f"the log of {project} has no output"
    others = {str(log.get("project")) for log in logs}.difference(PROJECTS)
    return f"there are logs of {', '.join(sorted(others))} in it" if others else None

"""A gunicorn that loads its application before it forks; its workers end after three requests, each one span."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from otel_humanloop import HumanloopSpanProcessor

REQUESTS = 12


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    model = environ["PATH_INFO"].strip("/")
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": model}
    trace.get_tracer("app").start_span("chat", attributes=attributes).end()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


def ask(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return bool(answer.read() == b"ok")
    except (urllib.error.URLError, ConnectionError):
        return False


def main() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--preload", "--workers", "2", "--max-requests", "3", "--bind", f"127.0.0.1:{port}"]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *options, "gunicorn_workers:application"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    deadline = time.monotonic() + 60
    for number in range(REQUESTS):
        # A request that no worker took has made no span: it is asked again.
        while not ask(f"http://127.0.0.1:{port}/request-{number}"):
            if time.monotonic() > deadline or server.poll() is not None:
                sys.exit(f"no answer to request {number}")
            threading.Event().wait(0.1)
    server.send_signal(signal.SIGTERM)
    sys.exit(server.wait(60))


if __name__ == "__main__":
    main()
else:
    tracing = TracerProvider()
    tracing.add_span_processor(HumanloopSpanProcessor())
    trace.set_tracer_provider(tracing)

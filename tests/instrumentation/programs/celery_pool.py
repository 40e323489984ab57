"""A Celery worker whose pool forks, and whose processes end after two tasks each: every task is one span.

The provider is made where Celery imports this file, which is before it forks. The broker is a folder.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from celery import Celery
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from otel_humanloop import HumanloopSpanProcessor

TASKS = 9
queue, done = Path("queue").absolute(), Path("done").absolute()
app = Celery(broker="filesystem://")
app.conf.broker_transport_options = {"data_folder_in": str(queue), "data_folder_out": str(queue)}
app.conf.worker_prefetch_multiplier = 1


@app.task(name="ask")
def ask(number: int) -> None:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": f"task-{number}"}
    trace.get_tracer("app").start_span("chat", attributes=attributes).end()
    (done / str(number)).touch()


def main() -> None:
    queue.mkdir()
    done.mkdir()
    for number in range(TASKS):
        ask.delay(number)
    pool = ["--pool", "prefork", "--concurrency", "2", "--max-tasks-per-child", "2", "--loglevel", "INFO"]
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "celery_pool", "worker", *pool],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    deadline = time.monotonic() + 120
    while len(list(done.iterdir())) < TASKS and worker.poll() is None and time.monotonic() < deadline:
        threading.Event().wait(0.1)
    worker.send_signal(signal.SIGTERM)  # a warm shutdown: tasks end, then processes
    if worker.wait(60) != 0 or len(list(done.iterdir())) < TASKS:
        sys.exit(f"the worker ended with {worker.returncode}, {len(list(done.iterdir()))} tasks done")


if __name__ == "__main__":
    main()
else:
    tracing = TracerProvider()
    tracing.add_span_processor(HumanloopSpanProcessor())
    trace.set_tracer_provider(tracing)

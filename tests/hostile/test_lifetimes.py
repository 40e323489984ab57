"""What many lifetimes and many spans leave behind: nothing that grows."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from applications import CHAT
from opentelemetry.sdk.trace import TracerProvider

from otel_humanloop import HumanloopSpanExporter, HumanloopSpanProcessor
from otel_humanloop.delivery.sender import Sender

DEAD = "http://127.0.0.1:1/v4"


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this platform does not list open files")
@pytest.mark.parametrize("times", [5, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("spool", ["memory:", "sqlite:///{folder}/spool.db"])
def test_making_and_shutting_down_leaves_no_thread_file_or_object(times: int, spool: str, tmp_path: Path) -> None:
    def live() -> None:
        settings: dict[str, Any] = {"base_url": DEAD, "spool": spool.format(folder=tmp_path), "shutdown_timeout": 0}
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(HumanloopSpanProcessor(**settings))
        provider.get_tracer("app").start_span("chat", attributes=CHAT).end()
        provider.shutdown()
        HumanloopSpanExporter(**settings).shutdown()

    def ours() -> int:
        gc.collect()
        return Counter(type(each) for each in gc.get_objects())[Sender]

    live()
    settled = threading.Event()
    before = open_files(), threading.active_count(), ours()
    for _ in range(times):
        live()
    for _ in range(200):  # a thread that was in its step ends after it
        if (open_files(), threading.active_count(), ours()) <= before:
            break
        settled.wait(0.05)
    assert open_files() <= before[0]
    assert threading.active_count() <= before[1]
    assert ours() <= before[2]


MANY = """
import resource, sys
from opentelemetry.sdk.trace import TracerProvider
from otel_humanloop import HumanloopSpanProcessor
provider = TracerProvider(shutdown_on_exit=False)
provider.add_span_processor(HumanloopSpanProcessor(base_url="http://127.0.0.1:1/v4", max_spans=2000))
tracer = provider.get_tracer("app")
attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.prompt.0.content": "x" * 1000}
def spans(number):
    for _ in range(number):
        tracer.start_span("chat", attributes=attributes).end()
spans(5_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
spans(int(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
provider.shutdown()
"""


@pytest.mark.parametrize("number", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_memory_stays_bounded_however_many_spans_end_while_nobody_takes_them(number: int) -> None:
    environ = {**os.environ, "HUMANLOOP_SHUTDOWN_TIMEOUT": "0"}
    program = subprocess.run(
        [sys.executable, "-c", MANY, str(number)], env=environ, capture_output=True, text=True, timeout=600, check=True
    )
    grown = int(program.stdout) * (1 if sys.platform == "darwin" else 1024)
    assert grown < 30_000_000
    assert program.stderr.count("the spool is full") <= 10

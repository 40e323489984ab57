"""A traced program that prints a result and ends, one way or another. Run by `test_hosts.py` under every bad condition.

    program.py WORK ENDING COUNTS

WORK is how its spans are made, ENDING how it ends, and COUNTS a file that gets what the exporter told of itself. The
variable SAID is how many characters each span says.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import os
import signal
import sqlite3
import sys
import threading
import time
from pathlib import Path
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

SPANS = 100
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.output_tokens": 5,  # so that it is priced
    "app.note": "x" * int(os.environ.get("SAID", "0")),
}

work, ending, counts = sys.argv[1], sys.argv[2], Path(sys.argv[3])
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader], shutdown_on_exit=False))
longest = 0.0
ends = 0.0


def tell() -> None:
    """Writes how many spans were exported, by `error.type`, the longest that one took the program, and its end."""
    told: dict[str, Any] = {"longest": longest, "ending": time.perf_counter() - ends}
    data = reader.get_metrics_data()
    for resource in data.resource_metrics if data is not None else []:
        for metric in resource.scope_metrics[0].metrics:
            if metric.name == "otel.sdk.exporter.span.exported":
                for point in metric.data.data_points:
                    told[str((point.attributes or {}).get("error.type", ""))] = point.value
    counts.write_text(json.dumps(told))


atexit.register(tell)  # before the provider, so that it is called after it
if os.environ.get("TRACED") == "yes":
    from otel_humanloop import HumanloopSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(HumanloopSpanProcessor())
    trace.set_tracer_provider(provider)
tracer = trace.get_tracer("app")


@atexit.register  # after the provider, so that it is called before it
def end() -> None:
    """The program ends now; what it then waits for is ours."""
    global ends
    ends = time.perf_counter()


def span() -> int:
    """One traced piece of work; gives 1."""
    global longest
    began = time.perf_counter()
    with tracer.start_as_current_span("chat", attributes=CHAT) as current:
        current.set_attribute("gen_ai.usage.input_tokens", 3)
    longest = max(longest, time.perf_counter() - began)
    return 1


async def traced() -> int:
    await asyncio.sleep(0)
    return span()


async def together() -> int:
    return sum(await asyncio.gather(*(traced() for _ in range(SPANS))))


def in_threads() -> int:
    done: list[int] = []
    threads = [
        threading.Thread(target=lambda: done.extend(span() for _ in range(SPANS // 4)), daemon=False) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done)


class EndsLate:
    """Traces while the interpreter takes itself apart."""

    def __del__(self) -> None:
        span()


def fail() -> None:
    raise RuntimeError("an exception of the program's own, at its exit")


if work == "threads":
    result = in_threads()
elif work == "asyncio":
    result = asyncio.run(together())
else:
    result = sum(span() for _ in range(SPANS))
sys.stdout.write(f"result {result}\n")
sys.stdout.flush()
if ending == "exit":
    sys.exit(3)
if ending == "raise":
    raise ValueError("the program's own failure")
if ending == "interrupt":
    raise KeyboardInterrupt
if ending == "terminated":
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
if ending == "terminated politely":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(4))
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
if ending == "fails at exit":
    atexit.register(fail)
if ending == "traces at exit":
    atexit.register(span)
    late = EndsLate()
if ending == "at once":
    os._exit(5)
if ending == "killed when kept":
    deadline = time.monotonic() + 30
    spool = Path(os.environ["HUMANLOOP_SPOOL"].removeprefix("sqlite:///"))
    while time.monotonic() < deadline:
        with contextlib.closing(sqlite3.connect(spool)) as database:
            if database.execute("SELECT spans FROM depth").fetchone() == (SPANS,):
                os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.01)

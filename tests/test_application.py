"""What an application that carries the exporter or the processor feels of it: forks, exits, threads, full spools."""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import time

import pytest
from applications import AGENT, CHAT, Install
from humanloop import Humanloop
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags

from otel_humanloop import HumanloopSpanExporter, HumanloopSpanProcessor


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_a_forked_child_sends_its_own_spans_and_not_its_parents(install: Install, humanloop: Humanloop) -> None:
    provider = install(delay=60)
    tracer = provider.get_tracer("app")
    tracer.start_span("chat", attributes={**CHAT, "gen_ai.request.model": "parent"}).end()

    def work() -> None:
        tracer.start_span("chat", attributes={**CHAT, "gen_ai.request.model": "child"}).end()
        provider.shutdown()

    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join(20)
    assert child.exitcode == 0
    assert [log["config"]["model"] for log in humanloop.logs()] == ["child"]
    assert provider.force_flush()
    assert sorted(log["config"]["model"] for log in humanloop.logs()) == ["child", "parent"]


PROGRAM = """
import sys, time
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from otel_humanloop import HumanloopSpanExporter, HumanloopSpanProcessor
provider = TracerProvider()
processor = {"processor": HumanloopSpanProcessor, "exporter": lambda: BatchSpanProcessor(HumanloopSpanExporter())}
provider.add_span_processor(processor[sys.argv[1]]())
tracer = provider.get_tracer("app")
for _ in range(100):
    tracer.start_span("chat", attributes={"gen_ai.operation.name": "chat"}).end()
print("done")
sys.exit(3)
"""


@pytest.mark.parametrize("kind", ["processor", "exporter"])
@pytest.mark.parametrize("backend", ["dead", "silent"])
def test_a_program_exits_as_it_would_within_the_deadline_where_nothing_answers(kind: str, backend: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # accepts, and never says a word
        port = listener.getsockname()[1] if backend == "silent" else 1
        environ = {
            **os.environ,
            "HUMANLOOP_BASE_URL": f"http://127.0.0.1:{port}/v4",
            "HUMANLOOP_SHUTDOWN_TIMEOUT": "1",
            "HUMANLOOP_TIMEOUT": "2",
        }
        started = time.monotonic()
        program = subprocess.run(
            [sys.executable, "-c", PROGRAM, kind], env=environ, capture_output=True, text=True, timeout=60, check=False
        )
        took = time.monotonic() - started
    assert (program.returncode, program.stdout) == (3, "done\n")
    assert "100 spans could not be delivered" in program.stderr
    assert "Traceback" not in program.stderr
    assert took < 40, "it waited for more than its deadline, a second"


def test_shutdown_may_be_called_twice_and_spans_that_end_later_do_no_harm(humanloop: Humanloop) -> None:
    processor = HumanloopSpanProcessor(base_url=humanloop.base_url)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    late = provider.get_tracer("app").start_span("chat", attributes=CHAT)
    processor.shutdown()
    processor.shutdown()
    late.end()
    assert not processor.force_flush()
    assert humanloop.requests == []


def ended(number: int, **attributes: str) -> ReadableSpan:
    """A call of a model that has ended, in a trace of its own."""
    return ReadableSpan(
        "chat",
        SpanContext(number, number, is_remote=False, trace_flags=TraceFlags(1)),
        attributes={**CHAT, **attributes},
        instrumentation_scope=InstrumentationScope("app"),
        start_time=1,
        end_time=2,
    )


def test_a_full_spool_drops_the_newest_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    exporter = HumanloopSpanExporter(base_url="http://127.0.0.1:1/v4", max_spans=3, timeout=1)
    assert exporter.export([ended(number) for number in range(1, 11)]) is SpanExportResult.FAILURE
    assert exporter.export([ended(11)]) is SpanExportResult.FAILURE
    exporter.shutdown(timeout_millis=0)
    full = [record.getMessage() for record in caplog.records if "spool is full" in record.message]
    assert [message.partition(" (")[0] for message in full] == ["the spool is full: 7 spans were dropped"]


def test_of_spans_exported_together_those_are_kept_that_the_spool_has_bytes_for(
    humanloop: Humanloop, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = HumanloopSpanExporter(base_url=humanloop.base_url, max_bytes=10_000)
    exporter.export([ended(1), ended(2, note="x" * 20_000), ended(3), ended(4)])
    assert exporter.force_flush()
    exporter.shutdown()
    assert {log["reference_id"] for log in humanloop.logs()} == {f"{number:016x}" for number in (1, 3, 4)}
    (full,) = [record.getMessage() for record in caplog.records if "spool is full" in record.message]
    assert full == "the spool is full: a span was dropped"


def test_an_exporter_that_was_shut_down_takes_nothing(humanloop: Humanloop) -> None:
    exporter = HumanloopSpanExporter(base_url=humanloop.base_url)
    exporter.shutdown()
    assert exporter.export([ended(1)]) is SpanExportResult.FAILURE
    assert exporter.export([]) is SpanExportResult.SUCCESS
    assert humanloop.requests == []


def test_many_threads_lose_nothing(install: Install, humanloop: Humanloop) -> None:
    provider = install()
    tracer = provider.get_tracer("app")

    def work() -> None:
        for _ in range(50):
            with tracer.start_as_current_span("agent", attributes=AGENT):
                tracer.start_span("chat", attributes=CHAT).end()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert provider.force_flush()
    assert sum(len(body) for body in humanloop.posts()) == 800
    assert len({log["reference_id"] for body in humanloop.posts() for log in body}) == 800

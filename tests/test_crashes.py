"""A program that is killed, with a spool in a file: the next one sends what it left, where it belongs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from applications import until
from humanloop import Humanloop

from otel_humanloop.delivery.spools import open_spool

PIPES: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}

PROGRAM = """
import os, sys, time
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, set_span_in_context
from otel_humanloop import HumanloopSpanProcessor

AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a", "humanloop.session": "conversation-1"}
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
HTTP = {"http.request.method": "POST", "url.full": "http://a.example/"}

processor = HumanloopSpanProcessor()
provider = TracerProvider(shutdown_on_exit=False)
provider.add_span_processor(processor)
tracer = provider.get_tracer("app")

def say(*words):
    print(*words, flush=True)
    sys.stdin.readline()

def child(parent, name, attributes, kind=SpanKind.INTERNAL):
    return tracer.start_span(name, attributes=attributes, context=set_span_in_context(parent), kind=kind)

agent = tracer.start_span("agent", attributes=AGENT)
call = child(agent, "POST", HTTP, SpanKind.CLIENT)
"""

OPEN = """
child(call, "first", {**CHAT, "gen_ai.request.model": "first"}).end()
say("sent")  # with the agent, as it stands
child(call, "second", {**CHAT, "gen_ai.request.model": "second"}).end()
say("kept")
"""

ENDED = """
late = child(call, "second", {**CHAT, "gen_ai.request.model": "second"})
child(call, "first", {**CHAT, "gen_ai.request.model": "first"}).end()
call.end()
agent.end()
say("sent")
late.end()
say("kept")
"""

ONE_OF_SEVERAL = """
import sys
from opentelemetry.sdk.trace import TracerProvider
from otel_humanloop import HumanloopSpanProcessor
provider = TracerProvider()
provider.add_span_processor(HumanloopSpanProcessor())
for number in range(10):
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": f"{sys.argv[1]}-{number}"}
    provider.get_tracer("app").start_span("chat", attributes=attributes).end()
print("traced", flush=True)
sys.stdin.readline()
"""

NEXT = """
import sys
from otel_humanloop import HumanloopSpanProcessor
processor = HumanloopSpanProcessor()
assert processor.force_flush(20000)
processor.shutdown()
"""


def kept(url: str) -> int:
    """How many spans are in that spool."""
    spool = open_spool(url, max_spans=1000, max_bytes=1 << 20)
    spans = spool.spans
    spool.close()
    return spans


@pytest.fixture
def environ(humanloop: Humanloop, tmp_path: Path) -> dict[str, str]:
    """The variables of a program that keeps its spans in a file."""
    return {
        **os.environ,
        "HUMANLOOP_BASE_URL": humanloop.base_url,
        "HUMANLOOP_SPOOL": f"sqlite:///{tmp_path}/spool.db",
        "HUMANLOOP_DELAY": "0.02",
        "HUMANLOOP_HOLD": "0.1",
        "HUMANLOOP_SHUTDOWN_TIMEOUT": "20",
    }


@pytest.mark.parametrize("what_was_above", [OPEN, ENDED], ids=["open", "ended"])
def test_what_was_left_finds_the_session_and_the_log_above_it(
    what_was_above: str, humanloop: Humanloop, environ: dict[str, str]
) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM + what_was_above], env=environ, text=True, **PIPES) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stdout.readline() == "sent\n"
        until(lambda: len(humanloop.logs()) == 2)
        before = len(humanloop.requests)
        humanloop.answers += [503] * 1000
        program.stdin.write("\n")
        program.stdin.flush()
        assert program.stdout.readline() == "kept\n"
        until(lambda: len(humanloop.requests) > before)  # what is sent was kept before
        program.send_signal(signal.SIGKILL)
    humanloop.answers.clear()
    assert [log["config"].get("model") for log in humanloop.logs()] == [None, "first"]
    following = subprocess.run(
        [sys.executable, "-c", NEXT], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert (following.returncode, following.stderr) == (0, "")
    assert humanloop.session()["reference_id"] == "conversation-1"
    agent, *calls = humanloop.logs()
    assert {log["config"]["model"]: log["parent_id"] for log in calls} == {"first": agent["id"], "second": agent["id"]}


@pytest.mark.slow
def test_of_several_programs_on_one_file_the_killed_ones_spans_are_left_to_the_next_and_no_others(
    humanloop: Humanloop, environ: dict[str, str]
) -> None:
    humanloop.answers += [503] * 1000
    with contextlib.ExitStack() as stack:
        programs = [
            stack.enter_context(
                subprocess.Popen([sys.executable, "-c", ONE_OF_SEVERAL, name], env=environ, text=True, **PIPES)
            )
            for name in ("killed", "second", "third")
        ]
        for program in programs:
            assert program.stdout is not None
            assert program.stdout.readline() == "traced\n"
        until(lambda: kept(environ["HUMANLOOP_SPOOL"]) == 30)
        programs[0].kill()
        programs[0].wait(20)
        humanloop.answers.clear()
        for program in programs[1:]:
            program.communicate("\n", timeout=60)
            assert program.returncode == 0
    survived = sorted(log["config"]["model"] for log in humanloop.logs())
    assert survived == sorted(f"{name}-{number}" for name in ("second", "third") for number in range(10))
    following = subprocess.run(
        [sys.executable, "-c", NEXT], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert (following.returncode, following.stderr) == (0, "")
    left = Counter(log["config"]["model"] for log in humanloop.logs()) - Counter(survived)
    assert left == Counter(f"killed-{number}" for number in range(10))

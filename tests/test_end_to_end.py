"""A program with no line of ours in it, under OpenTelemetry's own instrumentation: what Humanloop then shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from humanloop import Humanloop

from otel_humanloop.demo.model_server import Failure, ModelServer, Reply, Request, ToolCall

APP = Path(__file__).parent / "apps" / "openai_app.py"
INSTRUMENT = Path(sysconfig.get_path("scripts")) / "opentelemetry-instrument"

IN_CODE = """
import runpy, sys
from opentelemetry import trace
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor
from otel_humanloop import HumanloopSpanExporter, HumanloopSpanProcessor
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
provider.add_span_processor({})
trace.set_tracer_provider(provider)
OpenAIInstrumentor().instrument()
runpy.run_path(sys.argv[1], run_name="__main__")
"""

CONFIGURATION = """
file_format: "1.0"
resource:
  attributes:
    - name: service.name
      value: shop
tracer_provider:
  processors:
    - simple:
        exporter:
          console:
    - batch:
        exporter:
          humanloop:
            base_url: {base_url}
            hold: "5"
"""


def answers(request: Request) -> Reply | Failure | None:
    if request.model == "gpt-error":
        return Failure(status=429, message="Too many requests", kind="requests", code="rate_limit_exceeded")
    if request.model == "gpt-tools":
        return Reply(tool_calls=(ToolCall(name="get_weather", arguments={"city": "Paris"}),))
    return Reply(text=f"From {request.model}.")


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with ModelServer([answers]) as server:
        yield server


class Run:
    """What a run left: the spans as OpenTelemetry's console exporter printed them, and Humanloop."""

    def __init__(self, humanloop: Humanloop, printed: str) -> None:
        self.humanloop = humanloop
        self.spans: list[dict[str, Any]] = []
        decoder, rest = json.JSONDecoder(), printed.lstrip()
        while rest:
            span, end = decoder.raw_decode(rest)
            self.spans.append(span)
            rest = rest[end:].lstrip()


WAYS = [
    "processor in code",
    # The README's tests take these ways too, with a program that makes one call.
    *(
        pytest.param(way, marks=pytest.mark.slow)
        for way in ("OTEL_TRACES_EXPORTER", "OTEL_CONFIG_FILE", "OTEL_PYTHON_CONFIGURATOR", "exporter in code")
    ),
]


@pytest.fixture(params=WAYS)
def run(request: pytest.FixtureRequest, humanloop: Humanloop, model: ModelServer, tmp_path: Path) -> Run:
    """The program, run in each of the ways there are."""
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "HUMANLOOP_", "OPENAI_"))
    }
    environ |= {
        "HUMANLOOP_BASE_URL": humanloop.base_url,
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_API_KEY": "any",
        "OTEL_SERVICE_NAME": "shop",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "TRACELOOP_METRICS_ENABLED": "false",
        "NO_PROXY": "127.0.0.1",
    }
    command = [str(INSTRUMENT), sys.executable, str(APP)]
    if request.param == "OTEL_TRACES_EXPORTER":
        environ["OTEL_TRACES_EXPORTER"] = "humanloop,console"
    elif request.param == "OTEL_CONFIG_FILE":
        file = tmp_path / "otel.yaml"
        file.write_text(CONFIGURATION.format(base_url=humanloop.base_url))
        environ["OTEL_CONFIG_FILE"] = str(file)
        del environ["HUMANLOOP_BASE_URL"]
    elif request.param == "OTEL_PYTHON_CONFIGURATOR":
        environ["OTEL_PYTHON_CONFIGURATOR"] = "humanloop"
        environ["OTEL_TRACES_EXPORTER"] = "console"
    else:
        made = {
            "exporter in code": "BatchSpanProcessor(HumanloopSpanExporter())",
            "processor in code": "HumanloopSpanProcessor()",
        }
        command = [sys.executable, "-c", IN_CODE.format(made[request.param]), str(APP)]
    program = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert program.returncode == 0, program.stderr
    assert "Traceback" not in program.stderr
    return Run(humanloop, program.stdout)


def test_it_makes_one_session_of_logs_named_and_nested_as_its_spans(run: Run) -> None:
    spans = {span["context"]["span_id"].removeprefix("0x"): span for span in run.spans}
    (trace_id,) = {span["context"]["trace_id"].removeprefix("0x") for span in run.spans}
    assert run.humanloop.session()["reference_id"] == trace_id
    logs = {log["reference_id"]: log for log in run.humanloop.logs()}
    # opentelemetry-instrument has loaded the HTTP client's instrumentation too: its spans are infrastructure.
    assert {spans[other]["name"] for other in set(spans) - set(logs)} <= {"POST"}
    assert set(logs) <= set(spans)
    by_id = {log["id"]: reference for reference, log in logs.items()}
    for reference, log in logs.items():
        parent = spans[reference]["parent_id"]
        assert (by_id[log["parent_id"]] if log.get("parent_id") else None) == (
            parent.removeprefix("0x") if parent else None
        )
        assert log["project"] == "shop"
        assert 0 <= log["duration"] < 60

    chat = run.humanloop.log("gpt-chat")
    assert chat["messages"] == [{"role": "user", "content": "Say hello"}]
    assert chat["output"] == "From gpt-chat."
    assert (chat["config"]["temperature"], chat["config"]["max_tokens"]) == (0.5, 20)
    assert (chat["config"]["provider"], chat["config"]["endpoint"]) == ("openai", "chat")
    assert chat["prompt_tokens"] == 5
    assert chat["output_tokens"] == 5

    stream = run.humanloop.log("gpt-stream")
    assert stream["output"] == "From gpt-stream."
    assert stream["output_tokens"] == 5
    assert stream["metadata"]["streaming"] is True

    tools = run.humanloop.log("gpt-tools")
    (call,) = tools["output_message"]["tool_calls"]
    assert call["function"]["name"] == "get_weather"
    assert json.loads(call["function"]["arguments"]) == {"city": "Paris"}
    assert [tool["name"] for tool in tools["config"]["tools"]] == ["get_weather"]

    embeddings = next(log for log in logs.values() if log["config"].get("other", {}).get("kind") == "embedding")
    assert embeddings["config"]["other"]["model"] == "text-embedding-3-small"
    assert embeddings["inputs"] == {"input": ["one", "two"]}
    assert embeddings["prompt_tokens"] == 2

    responses = run.humanloop.log("gpt-responses")
    assert responses["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Say goodbye"},
    ]
    assert responses["output"] == "From gpt-responses."
    assert logs[by_id[responses["parent_id"]]]["config"]["name"] == "answer"
    assert responses["prompt_tokens"] == 11

    error = run.humanloop.log("gpt-error")
    assert error["error"].startswith("openai.RateLimitError: ")
    assert "Too many requests" in error["error"]
    assert error.get("output") is None
    assert error["messages"] == [{"role": "user", "content": "Break"}]

    assert run.humanloop.log("gpt-async")["output"] == "From gpt-async."

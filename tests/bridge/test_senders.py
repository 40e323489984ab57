"""Senders that are not Python's SDK: Node.js, and a Collector written in Rust."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from humanloop import Humanloop
from support_otlp import AGENT, CHAT, HTTP, PROTOBUF, body, hexadecimal, span, until

NODE = """
const { NodeTracerProvider, BatchSpanProcessor } = require("@opentelemetry/sdk-trace-node");
const { trace, context } = require("@opentelemetry/api");
const [kind, url] = process.argv.slice(2);
const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-" + kind);
const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url }))] });
provider.register();
const tracer = trace.getTracer("app");
const said = [{ role: "user", parts: [{ type: "text", content: "Zo\\u00eb \\ud83d" }] }];
const agent = tracer.startSpan("agent", {
  attributes: { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Agent" },
});
const chat = tracer.startSpan("chat", {
  attributes: {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.input.messages": JSON.stringify(said),
  },
}, trace.setSpan(context.active(), agent));
chat.end();
agent.end();
provider.shutdown().then(() => console.log(agent.spanContext().traceId));
"""

PACKAGES = [
    "@opentelemetry/api",
    "@opentelemetry/sdk-trace-node",
    "@opentelemetry/exporter-trace-otlp-grpc",
    "@opentelemetry/exporter-trace-otlp-http",
    "@opentelemetry/exporter-trace-otlp-proto",
]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Node's SDK and a program that uses it."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"private": true}')
    (folder / "app.js").write_text(NODE)
    command = [npm, "install", "--no-audit", "--no-fund", "--silent", *PACKAGES]
    subprocess.run(command, cwd=folder, check=True, timeout=300)
    return folder


@pytest.mark.sdk
@pytest.mark.parametrize("kind", ["http", "proto", "grpc"])
def test_nodes_sdk(kind: str, node: Path, bridges: Any, humanloop: Humanloop) -> None:
    with bridges() as bridge:
        grpc = bridge.url("grpc").replace("grpc://", "http://")
        url = grpc if kind == "grpc" else f"{bridge.url('http')}/v1/traces"
        done = subprocess.run(
            ["node", "app.js", kind, url], cwd=node, capture_output=True, text=True, timeout=60, check=True
        )
        until(lambda: len(humanloop.logs()) == 2)
    assert humanloop.session()["reference_id"] == done.stdout.strip()
    assert humanloop.log("gpt-4o")["parent_id"] == humanloop.log("Agent")["id"]
    assert "Zoë" in str(humanloop.log("gpt-4o")["messages"])


@contextmanager
def rotel(folder: Path, *arguments: str) -> Iterator[str]:
    """Rotel, which sends to `arguments`; gives the address of its OTLP/HTTP."""
    package = pytest.importorskip("rotel", reason="rotel is not installed")
    agent = Path(package.__file__).parent / "rotel-agent"
    ports = []
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ports.append(listener.getsockname()[1])
    command = [str(agent), "start", "--otlp-http-endpoint", f"127.0.0.1:{ports[0]}"]
    command += ["--otlp-grpc-endpoint", f"127.0.0.1:{ports[1]}", "--exporter", "otlp", *arguments]
    log = folder / "rotel.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, "ROTEL_PID_FILE": ""})
    try:

        def answers() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                socket.create_connection(("127.0.0.1", ports[0]), timeout=1).close()
            except OSError:
                return False
            return True

        until(answers)
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@pytest.mark.collector
@pytest.mark.parametrize("protocol", ["http", "grpc"])
@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_rotel(protocol: str, compression: str, bridges: Any, humanloop: Humanloop, tmp_path: Path) -> None:
    with bridges() as bridge:
        endpoint = bridge.url(protocol).replace("grpc://", "http://")
        arguments = ["--otlp-exporter-endpoint", endpoint, "--otlp-exporter-protocol", protocol]
        arguments += ["--otlp-exporter-compression", compression, "--batch-timeout", "200ms"]
        with rotel(tmp_path, *arguments) as url:
            spans = span(1, 1, None, AGENT), span(1, 2, 1, HTTP), span(1, 3, 2, CHAT)
            answer = httpx.post(f"{url}/v1/traces", content=body(*spans), headers=PROTOBUF, trust_env=False)
            assert answer.status_code in (200, 202)
            until(lambda: len(humanloop.logs()) == 2)
    logs = {log["reference_id"]: log for log in humanloop.logs()}
    assert logs[hexadecimal(3)]["parent_id"] == logs[hexadecimal(1)]["id"]

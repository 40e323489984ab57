"""The files of `collector-config/`: each valid for a real Collector, the main ones carrying spans from end to end."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from humanloop import Humanloop
from support_otlp import AGENT, BARE_CHAT, CHAT, HTTP, PROTOBUF, body, hexadecimal, span, until

CONFIGURATIONS = Path(__file__).parents[2] / "collector-config"
OTELCOL = os.environ.get("OTELCOL_BIN", "")
COLLECTOR = sorted(path.name for path in CONFIGURATIONS.glob("*.yaml") if path.name != "docker-compose.yaml")

NEEDS_COLLECTOR = [
    pytest.mark.collector,
    pytest.mark.skipif(not OTELCOL, reason="OTELCOL_BIN does not name an OpenTelemetry Collector"),
]


def arguments_of(name: str) -> list[str]:
    """A fragment is one beside a configuration that is whole."""
    whole = ["--config", str(CONFIGURATIONS / "agent.yaml")] if name == "alongside-existing.yaml" else []
    return [*whole, "--config", str(CONFIGURATIONS / name)]


@pytest.mark.parametrize("name", [pytest.param(name, marks=NEEDS_COLLECTOR) for name in COLLECTOR])
def test_a_configuration_is_valid_and_has_no_name_of_yesterday(name: str) -> None:
    environ = {**os.environ, "BRIDGE_TOKEN": "secret"}
    done = subprocess.run(
        [OTELCOL, "validate", *arguments_of(name)], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not re.search("deprecat|alias", done.stderr, re.IGNORECASE), done.stderr


def manifests(name: str) -> list[dict[str, Any]]:
    """What one file of `kubernetes/` has the cluster make."""
    return list(yaml.safe_load_all((CONFIGURATIONS / "kubernetes" / name).read_text()))


def of_kind(kind: str, documents: list[dict[str, Any]]) -> dict[str, Any]:
    (document,) = (each for each in documents if each["kind"] == kind)
    return document


def test_in_the_cluster_the_collector_finds_the_bridges() -> None:
    config = yaml.safe_load(of_kind("ConfigMap", manifests("collector.yaml"))["data"]["config.yaml"])
    bridge = manifests("bridge.yaml")
    service, workload = of_kind("Service", bridge), of_kind("StatefulSet", bridge)
    resolver = config["exporters"]["load_balancing/humanloop"]["resolver"]["dns"]
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    assert resolver["hostname"] == f"{name}.{namespace}.svc.cluster.local"
    assert int(resolver["port"]) in {port["port"] for port in service["spec"]["ports"]}
    assert workload["spec"]["template"]["metadata"]["labels"] == service["spec"]["selector"]


@pytest.mark.collector
@pytest.mark.skipif(not OTELCOL, reason="OTELCOL_BIN does not name an OpenTelemetry Collector")
def test_the_configuration_in_the_cluster_is_valid_too(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(of_kind("ConfigMap", manifests("collector.yaml"))["data"]["config.yaml"])
    environ = {**os.environ, "BRIDGE_TOKEN": "secret"}
    command = [OTELCOL, "validate", "--config", str(config)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_files_compose_names_are_there() -> None:
    compose = yaml.safe_load((CONFIGURATIONS / "docker-compose.yaml").read_text())
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            if volume.startswith("./"):
                assert (CONFIGURATIONS / volume.split(":")[0]).is_file()
        if "build" in service:
            assert (CONFIGURATIONS / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


def test_the_page_tells_of_every_file() -> None:
    told = (CONFIGURATIONS / "README.md").read_text()
    files = [path.relative_to(CONFIGURATIONS).as_posix() for path in CONFIGURATIONS.rglob("*.yaml")]
    assert [name for name in files if f"`{name}`" not in told] == ["compose-collector.yaml"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(name: str, folder: Path, *overrides: str, **environ: str) -> Iterator[str]:
    """A Collector with that configuration, at ports of its own; gives the address of its OTLP/HTTP."""
    http, grpc = free_port(), free_port()
    settings = [
        f"yaml:receivers::otlp::protocols::http::endpoint: 127.0.0.1:{http}",
        f"yaml:receivers::otlp::protocols::grpc::endpoint: 127.0.0.1:{grpc}",
        "yaml:service::telemetry::metrics::level: none",
        *overrides,
    ]
    command = [OTELCOL, *arguments_of(name)]
    for each in settings:
        command += ["--config", each]
    log = folder / f"{name}.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, env={**os.environ, **environ}, stdout=output, stderr=output)
    try:

        def answers() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                return httpx.post(f"http://127.0.0.1:{http}/v1/traces", headers=PROTOBUF, trust_env=False).is_success
            except httpx.TransportError:
                return False

        until(answers, 30)
        yield f"http://127.0.0.1:{http}"
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(15)


def send(url: str, *spans: dict[str, Any]) -> None:
    answer = httpx.post(f"{url}/v1/traces", content=body(*spans), headers=PROTOBUF, trust_env=False)
    assert answer.status_code == 200


TRACE = [
    span(1, 1, None, AGENT),
    span(1, 2, 1, HTTP),
    span(1, 3, 2, CHAT),
]


def is_a_session(humanloop: Humanloop) -> bool:
    logs = {log["reference_id"]: log for log in humanloop.logs()}
    return len(logs) == 2 and logs[hexadecimal(3)].get("parent_id") == logs[hexadecimal(1)]["id"]


@pytest.mark.collector
@pytest.mark.skipif(not OTELCOL, reason="OTELCOL_BIN does not name an OpenTelemetry Collector")
class TestFromEndToEnd:
    """Programs, a real Collector, the bridge, Humanloop."""

    def test_an_agent_and_a_gateway(self, bridges: Any, humanloop: Humanloop, tmp_path: Path) -> None:
        port = free_port()
        with (
            bridges() as bridge,
            running(
                "gateway.yaml",
                tmp_path,
                f"yaml:receivers::otlp::protocols::grpc::endpoint: 127.0.0.1:{port}",
                f"yaml:extensions::health_check::endpoint: 127.0.0.1:{free_port()}",
                BRIDGE_ENDPOINT=bridge.url("http"),
            ),
            running(
                "agent.yaml",
                tmp_path,
                f"yaml:extensions::health_check::endpoint: 127.0.0.1:{free_port()}",
                GATEWAY_ENDPOINT=f"127.0.0.1:{port}",
            ) as agent,
        ):
            send(agent, *TRACE)
            until(lambda: is_a_session(humanloop), 30)

    @pytest.mark.parametrize("name", ["alongside-existing.yaml", "redaction.yaml", "tail-sampling.yaml"])
    def test_a_whole_trace_arrives(self, name: str, bridges: Any, humanloop: Humanloop, tmp_path: Path) -> None:
        more = {
            "alongside-existing.yaml": [f"yaml:extensions::health_check::endpoint: 127.0.0.1:{free_port()}"],
            "tail-sampling.yaml": ["yaml:processors::tail_sampling/genai::decision_wait: 1s"],
        }
        with (
            bridges() as bridge,
            running(name, tmp_path, *more.get(name, []), BRIDGE_ENDPOINT=bridge.url("http")) as url,
        ):
            send(url, *TRACE)
            send(url, span(9, 90, None, HTTP), span(9, 91, 90, {"step": "of a trace without AI"}))
            until(lambda: is_a_session(humanloop), 30)

    def test_only_spans_of_ai(self, bridges: Any, humanloop: Humanloop, tmp_path: Path) -> None:
        with bridges() as bridge, running("genai-only.yaml", tmp_path, BRIDGE_ENDPOINT=bridge.url("http")) as url:
            send(url, *TRACE, span(2, 5, 4, HTTP), span(3, 6, None, {"a": "root"}))
            until(lambda: len(humanloop.logs()) == 2, 30)
            assert (
                'otel_humanloop_received_spans_total{receiver="http"} 3.0'
                in httpx.get(f"{bridge.url('http')}/metrics", trust_env=False).text
            )

    def test_what_is_masked_does_not_arrive(self, bridges: Any, humanloop: Humanloop, tmp_path: Path) -> None:
        said = '[{"role":"user","parts":[{"type":"text","content":"I am ada@example.com, key sk-%s"}]}]' % ("a1" * 12)
        attributes = {**BARE_CHAT, "gen_ai.input.messages": said, "my.api_key": "hunter2", "gen_ai.usage.note": "kept"}
        with bridges() as bridge, running("redaction.yaml", tmp_path, BRIDGE_ENDPOINT=bridge.url("http")) as url:
            send(url, span(1, 1, None, attributes))
            (log,) = until(humanloop.logs, 30)
        told = str(log)
        assert "****" in told
        assert "I am" in told
        assert not any(secret in told for secret in ("ada@example.com", "sk-a1", "hunter2"))

    def test_a_queue_on_the_disk_survives_the_bridge_and_the_collector(
        self, bridges: Any, humanloop: Humanloop, tmp_path: Path
    ) -> None:
        port = free_port()
        environ = {"QUEUE_DIRECTORY": str(tmp_path / "queue"), "BRIDGE_ENDPOINT": f"http://127.0.0.1:{port}"}
        quick = "yaml:exporters::otlp_http/humanloop::retry_on_failure::initial_interval: 200ms"
        with running("persistent-queue.yaml", tmp_path, quick, **environ) as url:
            send(url, *TRACE)
        assert humanloop.logs() == []
        with bridges(f"http://127.0.0.1:{port}"), running("persistent-queue.yaml", tmp_path, quick, **environ):
            until(lambda: is_a_session(humanloop), 30)

    def test_two_bridges_behind_one_collector(self, bridges: Any, humanloop: Humanloop, tmp_path: Path) -> None:
        with ExitStack() as stack:
            first = stack.enter_context(bridges(spool=f"sqlite:///{tmp_path}/1.db"))
            second = stack.enter_context(bridges(spool=f"sqlite:///{tmp_path}/2.db"))
            places = {
                name: each.url("grpc").removeprefix("grpc://")
                for name, each in (("BRIDGE_1", first), ("BRIDGE_2", second))
            }
            url = stack.enter_context(running("load-balanced.yaml", tmp_path, **places))
            traces = range(1, 31)
            for trace in traces:
                send(url, span(trace, trace * 10, None, AGENT), span(trace, trace * 10 + 1, trace * 10, HTTP))
                send(url, span(trace, trace * 10 + 2, trace * 10 + 1, CHAT))
            until(lambda: len(humanloop.logs()) == 2 * len(traces), 60)
            logs = {log["reference_id"]: log for log in humanloop.logs()}
            for trace in traces:
                assert logs[hexadecimal(trace * 10 + 2)]["parent_id"] == logs[hexadecimal(trace * 10)]["id"]
            assert first.keeper.counts.accepted
            assert second.keeper.counts.accepted

    def test_over_tls_with_a_token_and_a_certificate(self, bridges: Any, humanloop: Humanloop, tmp_path: Path) -> None:
        trustme = pytest.importorskip("trustme")
        servers, clients = trustme.CA(), trustme.CA()
        servers.cert_pem.write_to_path(str(tmp_path / "servers.pem"))
        clients.cert_pem.write_to_path(str(tmp_path / "clients.pem"))
        for name, issued in (
            ("bridge", servers.issue_cert("127.0.0.1")),
            ("collector", clients.issue_cert("collector")),
        ):
            issued.private_key_pem.write_to_path(str(tmp_path / f"{name}-key.pem"))
            (tmp_path / f"{name}.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        files = f"cert={tmp_path}/bridge.pem&key={tmp_path}/bridge-key.pem&client_ca={tmp_path}/clients.pem"
        with (
            bridges(f"https://127.0.0.1:0?{files}", tokens=("secret",)) as bridge,
            running(
                "tls-auth.yaml",
                tmp_path,
                BRIDGE_ENDPOINT=bridge.url("https"),
                BRIDGE_TOKEN="secret",
                BRIDGE_CA=str(tmp_path / "servers.pem"),
                CLIENT_CERT=str(tmp_path / "collector.pem"),
                CLIENT_KEY=str(tmp_path / "collector-key.pem"),
            ) as url,
        ):
            send(url, *TRACE)
            until(lambda: is_a_session(humanloop), 30)

    @pytest.mark.kafka
    @pytest.mark.skipif(not os.environ.get("KAFKA_BROKER"), reason="KAFKA_BROKER does not name a broker")
    def test_through_kafka(self, bridges: Any, humanloop: Humanloop, tmp_path: Path) -> None:
        broker = os.environ["KAFKA_BROKER"]
        topic = f"otlp_spans-{os.getpid()}"
        with (
            bridges(f"kafka://{broker}/{topic}?group={topic}&topic.metadata.refresh.interval.ms=500", spool="memory:"),
            running(
                "kafka.yaml",
                tmp_path,
                f"yaml:exporters::kafka/humanloop::traces::topic: {topic}",
                KAFKA_BROKER=broker,
            ) as url,
        ):
            send(url, *TRACE)
            until(lambda: is_a_session(humanloop), 60)

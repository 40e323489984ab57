"""The bridge as an operator meets it: started, guarded, ended; alone and beside the server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import trustme
from humanloop import Humanloop
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from support_bridge import bridge_process
from support_otlp import AGENT, CHAT, PROTOBUF, body, hexadecimal, request, span, until

from otel_humanloop.bridge import addresses
from otel_humanloop.bridge.service import RunningBridge
from otel_humanloop.cli import main
from otel_humanloop.errors import SettingsError


@pytest.mark.parametrize("kind", ["http", "grpc"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_the_sdks_own_exporters_are_understood(
    kind: str, compression: str, bridge: RunningBridge, humanloop: Humanloop
) -> None:
    if kind == "http":
        from opentelemetry.exporter.otlp.proto.http import Compression

        exporter: Any = HttpExporter(f"{bridge.url('http')}/v1/traces", compression=Compression(compression))
    else:
        squeeze = grpc.Compression.Gzip if compression == "gzip" else grpc.Compression.NoCompression
        exporter = GrpcExporter(bridge.url("grpc"), insecure=True, compression=squeeze)
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("app")
    with tracer.start_as_current_span("agent", attributes=AGENT) as agent:
        tracer.start_span("chat", attributes=CHAT).end()
    provider.shutdown()
    until(lambda: len(humanloop.logs()) == 2)
    assert humanloop.session()["reference_id"] == f"{agent.get_span_context().trace_id:032x}"
    assert humanloop.log("gpt-4o")["parent_id"] == humanloop.log("Agent")["id"]


def test_what_a_bridge_does_is_not_traced(bridge: RunningBridge, humanloop: Humanloop) -> None:
    """In a process whose requests are traced, and whose spans go to the bridge itself."""
    provider = TracerProvider()
    exporter = HttpExporter(f"{bridge.url('http')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=20))
    HTTPXClientInstrumentor().instrument(tracer_provider=provider)
    try:
        for number in range(1, 4):
            provider.get_tracer("app").start_span("chat", attributes=CHAT).end()
            provider.force_flush()
            until(lambda number=number: bridge.keeper.counts.sent == number)
        provider.force_flush()
    finally:
        HTTPXClientInstrumentor().uninstrument()
    provider.shutdown()
    assert bridge.keeper.counts.accepted == 3
    assert len(humanloop.logs()) == 3


@pytest.mark.parametrize("kind", ["http", "grpc"])
def test_the_sdks_exporter_comes_again_when_it_is_told_to(kind: str, bridges: Any, humanloop: Humanloop) -> None:
    humanloop.answers += [503]
    with bridges(max_spans=1, hold=0.1) as bridge:
        url = bridge.url(kind)
        exporter: Any = HttpExporter(f"{url}/v1/traces") if kind == "http" else GrpcExporter(url, insecure=True)
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(exporter, max_export_batch_size=1, schedule_delay_millis=10))
        for _ in range(2):
            provider.get_tracer("app").start_span("chat", attributes=CHAT).end()
        provider.force_flush(30_000)
        until(lambda: len(humanloop.logs()) == 2)
        provider.shutdown()


def test_it_says_where_it_delivers_and_no_password(tmp_path: Path) -> None:
    with bridge_process("http://anna:hidden@127.0.0.1:1/v4", tmp_path / "spool.db") as bridge:
        assert bridge.said.rstrip().endswith(f"; to http://127.0.0.1:1/v4, kept in sqlite:///{tmp_path}/spool.db")


def test_sigterm_ends_it_with_what_is_left_on_the_disk(humanloop: Humanloop, tmp_path: Path) -> None:
    spool = tmp_path / "spool.db"
    with bridge_process("http://127.0.0.1:1/v4", spool, HUMANLOOP_SHUTDOWN_TIMEOUT="0.2") as bridge:
        url = f"{bridge.urls['http']}/v1/traces"
        assert httpx.post(url, content=body(span(1, 2)), headers=PROTOBUF, trust_env=False).status_code == 200
        said = bridge.end()
        assert bridge.process.returncode == 0
        assert f"1 spans stay in sqlite:///{spool}" in said
        assert "Traceback" not in said
    with bridge_process(humanloop.base_url, spool) as bridge:
        until(humanloop.logs)
        bridge.end()
        assert bridge.process.returncode == 0


def test_at_its_end_it_delivers_what_it_can(humanloop: Humanloop, tmp_path: Path) -> None:
    with bridge_process(humanloop.base_url, tmp_path / "spool.db", HUMANLOOP_DELAY="60") as bridge:
        url = f"{bridge.urls['http']}/v1/traces"
        httpx.post(url, content=body(span(1, 2), span(1, 3, 2)), headers=PROTOBUF, trust_env=False)
        assert "stay" not in bridge.end()
    assert len(humanloop.logs()) == 2


def test_what_a_spool_in_memory_forgets_at_its_end_is_said(humanloop: Humanloop, tmp_path: Path) -> None:
    humanloop.answers += [422]
    with bridge_process(humanloop.base_url, tmp_path / "none.db", arguments=("--spool", "memory:")) as bridge:
        url = f"{bridge.urls['http']}/v1/traces"
        httpx.post(url, content=body(span(1, 2)), headers=PROTOBUF, trust_env=False)
        until(lambda: bridge.metric("otel_humanloop_refused_logs_total"))
        assert "1 logs that Humanloop refused are forgotten" in bridge.end()


def certificates(folder: Path) -> tuple[trustme.CA, trustme.CA]:
    """Files for a receiver, and the authorities of servers and of clients."""
    servers, clients = trustme.CA(), trustme.CA()
    issued = servers.issue_cert("127.0.0.1", "localhost")
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    servers.cert_pem.write_to_path(str(folder / "ca.pem"))
    clients.cert_pem.write_to_path(str(folder / "clients.pem"))
    client = clients.issue_cert("a-collector")
    client.private_key_and_cert_chain_pem.write_to_path(str(folder / "client.pem"))
    client.private_key_pem.write_to_path(str(folder / "client-key.pem"))
    (folder / "client-cert.pem").write_bytes(b"".join(blob.bytes() for blob in client.cert_chain_pems))
    return servers, clients


def test_tls_and_a_clients_certificate_over_http(bridges: Any, tmp_path: Path) -> None:
    import ssl

    certificates(tmp_path)
    files = f"cert={tmp_path}/cert.pem&key={tmp_path}/key.pem"
    trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    known = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    known.load_cert_chain(tmp_path / "client.pem")
    with bridges(f"https://127.0.0.1:0?{files}") as bridge:
        url = f"{bridge.url('https')}/v1/traces"
        with httpx.Client(verify=trusting, trust_env=False) as client:
            assert client.post(url, content=b"", headers=PROTOBUF).status_code == 200
        with httpx.Client(trust_env=False) as client, pytest.raises(httpx.ConnectError):
            client.post(url, content=b"", headers=PROTOBUF)
    with bridges(f"https://127.0.0.1:0?{files}&client_ca={tmp_path}/clients.pem") as bridge:
        url = f"{bridge.url('https')}/v1/traces"
        with httpx.Client(verify=known, trust_env=False) as client:
            assert client.post(url, content=b"", headers=PROTOBUF).status_code == 200
        with httpx.Client(verify=trusting, trust_env=False) as client, pytest.raises(httpx.TransportError):
            client.post(url, content=b"", headers=PROTOBUF)


def test_tls_and_a_clients_certificate_over_grpc(bridges: Any, tmp_path: Path) -> None:
    certificates(tmp_path)
    files = f"cert={tmp_path}/cert.pem&key={tmp_path}/key.pem&client_ca={tmp_path}/clients.pem"
    authority = (tmp_path / "ca.pem").read_bytes()
    key, chain = (tmp_path / "client-key.pem").read_bytes(), (tmp_path / "client-cert.pem").read_bytes()
    with bridges(f"grpcs://127.0.0.1:0?{files}") as bridge:
        where = bridge.url("grpcs").removeprefix("grpcs://")
        with grpc.secure_channel(where, grpc.ssl_channel_credentials(authority, key, chain)) as channel:
            TraceServiceStub(channel).Export(request([]), timeout=20)
        with (
            grpc.secure_channel(where, grpc.ssl_channel_credentials(authority)) as channel,
            pytest.raises(grpc.RpcError),
        ):
            TraceServiceStub(channel).Export(request([]), timeout=20)


@pytest.mark.parametrize("url", ["http://0.0.0.0:0", "grpc://[::]:0"])
def test_what_others_can_reach_must_ask_for_something(url: str, bridges: Any) -> None:
    with pytest.raises(SettingsError, match="others can reach"), bridges(url):
        pass
    with bridges(url, tokens=("secret",)):
        pass


def test_a_port_that_is_taken_is_said(bridges: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for scheme in ("http", "grpc"):
            with pytest.raises(SettingsError, match=str(port)), bridges(f"{scheme}://127.0.0.1:{port}"):
                pass


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1",
        "127.0.0.1:4318",
        "http://",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:4318/v1/traces",
        "http://127.0.0.1:4318?cert=a",
        "https://127.0.0.1:4318",
        "https://127.0.0.1:4318?cert=/none&key=/none",
        "grpcs://127.0.0.1:4317?key=/none",
        "http://127.0.0.1:4318?tls=",
        "kafka://127.0.0.1:9092",
        "kafka:///topic",
        "kafka://127.0.0.1:9092/topic?group=",
    ],
)
def test_an_address_that_means_nothing_is_an_error_that_names_it(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bridge", "--receive", url]) == 2
    said = capsys.readouterr().err
    assert f"`{url}`" in said
    assert "hint:" in said


def test_a_data_folder_that_cannot_be_made_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a container whose file system is not to be written to."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    monkeypatch.delenv("HUMANLOOP_SPOOL", raising=False)
    assert main(["bridge"]) == 2
    said = capsys.readouterr().err
    assert f"error: the folder {tmp_path}/file/otel-humanloop cannot be made" in said
    assert "hint: set XDG_DATA_HOME" in said


@pytest.mark.parametrize("name", ["sasl.password", "ssl.key.password", "ssl.key.pem", "sasl.oauthbearer.client.secret"])
def test_an_address_is_told_without_its_secrets(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"kafka://127.0.0.1:9092/topic?{name}=hidden&signal=none"
    assert main(["bridge", "--receive", url]) == 2
    assert f"`kafka://127.0.0.1:9092/topic?{name}=***&signal=none`" in capsys.readouterr().err


def test_addresses_are_read() -> None:
    assert addresses.parse("http://localhost") == addresses.Listen(scheme="http", host="localhost", port=4318)
    assert addresses.parse("grpc://[::1]:9") == addresses.Listen(scheme="grpc", host="::1", port=9)
    assert addresses.parse("kafka://a:1,b:2/one,two?group=g&dead_letter=d&security.protocol=SSL") == addresses.Consume(
        brokers="a:1,b:2",
        topics=("one", "two"),
        group="g",
        dead_letter="d",
        properties={"security.protocol": "SSL"},
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_serve_takes_otlp_in_too(tmp_path: Path) -> None:
    api, otlp = free_port(), free_port()
    command = [sys.executable, "-m", "otel_humanloop", "serve", "--port", str(api), "--otlp-http-port", str(otlp)]
    command += ["--otlp-grpc-port", str(free_port()), "--database", f"sqlite:///{tmp_path}/humanloop.db"]
    variables = {**os.environ, "HUMANLOOP_DELAY": "0.02", "XDG_DATA_HOME": str(tmp_path)}
    with subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True) as server:
        try:

            def sent() -> bool:
                try:
                    url = f"http://127.0.0.1:{otlp}/v1/traces"
                    return httpx.post(url, content=body(span(1, 2)), headers=PROTOBUF, trust_env=False).is_success
                except httpx.TransportError:
                    return False

            def logs() -> list[Any]:
                url = f"http://127.0.0.1:{api}/v4/logs?session_reference_id={1:032x}"
                try:
                    answer = httpx.get(url, trust_env=False)
                except httpx.TransportError:
                    return []
                return list(answer.json()["records"]) if answer.is_success else []

            until(sent)
            assert [log["reference_id"] for log in until(logs)] == [hexadecimal(2)]
        finally:
            server.send_signal(signal.SIGTERM)
            _, said = server.communicate(timeout=20)
    assert server.returncode in (0, -signal.SIGTERM), said
    assert "Traceback" not in said

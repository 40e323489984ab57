"""The client against real sockets that behave as badly as networks do."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from peer import Peer

from otel_humanloop.delivery.client import Client
from otel_humanloop.errors import Unavailable
from otel_humanloop.settings import Settings

SettingsFor = Callable[..., Settings]
Listen = Callable[[Callable[[Peer], None]], int]

BODY = b'[{"project": "p"}]'
IDS = b'[{"id": "data_1", "project_id": "pr_1"}]'
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(IDS), IDS)


@pytest.fixture
def failure(settings_for: SettingsFor) -> Callable[..., Unavailable]:
    """What posting to that address fails with, within its time."""

    def failure(base_url: str, timeout: float = 5) -> Unavailable:
        client = Client(settings_for(base_url=base_url))
        started = time.monotonic()
        with pytest.raises(Unavailable) as caught:
            client.post_logs(BODY, timeout=timeout, count=1)
        assert time.monotonic() - started < timeout + 4
        client.close()
        return caught.value

    return failure


def test_one_connection_serves_many_requests(settings_for: SettingsFor, listen: Listen) -> None:
    seen: list[tuple[int, bytes]] = []

    def serve(peer: Peer) -> None:
        while request := peer.request():
            seen.append((peer.number, request.rpartition(b"\r\n\r\n")[2]))
            peer.send(OK)

    client = Client(settings_for(base_url=f"http://127.0.0.1:{listen(serve)}/v4"))
    for _ in range(3):
        client.post_logs(BODY, timeout=5, count=1)
    client.close()
    assert seen == [(0, BODY)] * 3


def test_a_connection_the_server_closed_after_its_answer_is_made_anew(
    settings_for: SettingsFor, listen: Listen
) -> None:
    connections: list[int] = []

    def serve(peer: Peer) -> None:
        connections.append(peer.number)
        peer.request()
        peer.send(OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))

    client = Client(settings_for(base_url=f"http://127.0.0.1:{listen(serve)}/v4"))
    for _ in range(3):
        client.post_logs(BODY, timeout=5, count=1)
    client.close()
    assert connections == [0, 1, 2]


def test_nothing_listening_says_so_and_how_to_start_something(failure: Callable[..., Unavailable]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: no other process can take the port meanwhile
        port = unused.getsockname()[1]
        error = failure(f"http://127.0.0.1:{port}/v4")
    assert error.message == f"nothing listens at 127.0.0.1:{port}"
    assert "otel-humanloop serve" in str(error.hint)


def test_a_name_that_does_not_exist_says_so(failure: Callable[..., Unavailable]) -> None:
    error = failure("http://no-such-host.invalid/v4", timeout=30)
    assert error.message.startswith("the name no-such-host.invalid could not be resolved: ")


def test_a_server_that_takes_the_request_and_never_answers_is_given_up(
    failure: Callable[..., Unavailable], listen: Listen
) -> None:
    port = listen(Peer.until_gone)
    error = failure(f"http://127.0.0.1:{port}/v4", timeout=0.2)
    assert error.message == f"127.0.0.1:{port} did not answer within 0.2 s"


def test_a_server_that_stops_in_the_middle_of_its_headers_is_given_up(
    failure: Callable[..., Unavailable], listen: Listen
) -> None:
    def serve(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: applic")
        peer.until_gone()

    port = listen(serve)
    assert failure(f"http://127.0.0.1:{port}/v4", timeout=0.2).message.endswith("did not answer within 0.2 s")


def test_the_phases_of_a_request_share_its_time(failure: Callable[..., Unavailable], listen: Listen) -> None:
    def serve(peer: Peer) -> None:
        peer.request()
        peer.quiet(0.8)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n")
        peer.until_gone()

    port = listen(serve)
    started = time.monotonic()
    assert failure(f"http://127.0.0.1:{port}/v4", timeout=1).message.endswith("did not answer within 1 s")
    assert time.monotonic() - started < 1.6, "not 0.8 s for the headers and a whole second more for the body"


def test_a_body_that_comes_byte_by_byte_is_given_up_though_no_wait_is_long(
    failure: Callable[..., Unavailable], listen: Listen
) -> None:
    def serve(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n")
        while True:  # until the client hangs up, which sending notices
            peer.send(b" ")

    port = listen(serve)
    assert failure(f"http://127.0.0.1:{port}/v4", timeout=0.1).message.endswith("did not answer within 0.1 s")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Type: applica",
        b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n[{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[{",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x03\x00\x02\x02\x46",
    ],
    ids=["nothing", "half its headers", "half its body", "half its chunks", "SSH", "TLS"],
)
def test_an_answer_that_breaks_off_or_is_not_http_may_be_better_next_time(
    failure: Callable[..., Unavailable], listen: Listen, answer: bytes
) -> None:
    def serve(peer: Peer) -> None:
        peer.request()
        peer.send(answer)

    error = failure(f"http://127.0.0.1:{listen(serve)}/v4")
    assert "broke before the answer was complete" in error.message


@pytest.mark.skipif(sys.platform != "linux", reason="how a full queue of connections behaves is the system's own")
def test_an_address_that_swallows_every_packet_is_given_up(failure: Callable[..., Unavailable]) -> None:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)  # one connection waits to be accepted, and no one accepts: from then on SYNs are dropped
        stack.enter_context(socket.create_connection(listener.getsockname()))
        port = listener.getsockname()[1]
        assert failure(f"http://127.0.0.1:{port}/v4", timeout=0.2).message == (
            f"no connection to 127.0.0.1:{port} within 0.2 s"
        )


def test_a_proxy_that_says_no_is_named_as_the_reason(
    failure: Callable[..., Unavailable], listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def serve(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listen(serve)}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    error = failure("https://humanloop.example/v4")
    assert error.message.startswith("the proxy on the way to humanloop.example:443 refused: 407")
    assert "HTTPS_PROXY" in str(error.hint)


def test_speaking_tls_to_a_server_that_does_not_hints_at_http(
    failure: Callable[..., Unavailable], listen: Listen
) -> None:
    def serve(peer: Peer) -> None:
        peer.connection.recv(1)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    error = failure(f"https://127.0.0.1:{listen(serve)}/v4")
    assert error.message.startswith("no TLS connection to 127.0.0.1:")
    assert "http://" in str(error.hint)


def test_a_certificate_no_one_vouches_for_is_not_accepted_and_named_as_the_reason(
    failure: Callable[..., Unavailable], listen: Listen, settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = Path(__file__).parent / "data" / "self-signed.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    def serve(peer: Peer) -> None:
        with context.wrap_socket(peer.connection, server_side=True) as encrypted:
            secure = Peer(encrypted, peer.number)
            while secure.request():
                secure.send(OK)

    base_url = f"https://127.0.0.1:{listen(serve)}/v4"
    error = failure(base_url)
    assert error.message.startswith("the certificate of 127.0.0.1:")
    assert "self-signed" in error.message.replace("self signed", "self-signed")
    assert "SSL_CERT_FILE" in str(error.hint)

    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    trusting = Client(settings_for(base_url=base_url))
    trusting.post_logs(BODY, timeout=5, count=1)
    trusting.close()


def test_the_application_sees_no_line_of_a_request_in_its_log(
    settings_for: SettingsFor, listen: Listen, caplog: pytest.LogCaptureFixture
) -> None:
    def serve(peer: Peer) -> None:
        peer.request()
        peer.send(OK)

    caplog.set_level(logging.INFO)
    client = Client(settings_for(f"http://127.0.0.1:{listen(serve)}/v4"))
    client.post_logs(b"[{}]", timeout=5)
    client.close()
    assert caplog.records == []


def test_a_host_in_no_proxy_is_reached_without_the_proxy_and_a_name_and_password_go_along(
    settings_for: SettingsFor, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []

    def serve(peer: Peer) -> None:
        seen.append(peer.request())
        peer.send(OK)

    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    client = Client(settings_for(f"http://ada:s%3Acret@127.0.0.1:{listen(serve)}/v4"))
    client.post_logs(b"[{}]", timeout=5)
    client.close()
    assert b"Authorization: Basic YWRhOnM6Y3JldA==" in seen[0]

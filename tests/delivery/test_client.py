from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest
from contract import validate_request

from otel_humanloop.delivery.client import MAX_ANSWER, Client
from otel_humanloop.errors import Refused, SettingsError, Unavailable
from otel_humanloop.settings import Settings

SettingsFor = Callable[..., Settings]

LONG = json.dumps([{"project": "p", "output": "word " * 1000}]).encode()


class Recorder:
    """A Humanloop that acknowledges everything, and remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        body = request.content
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        value = json.loads(body)
        validate_request(request.method, request.url.path.removeprefix("/v4"), value)
        if request.method == "PATCH":
            return httpx.Response(200, json={"id": "data_1", "config": {}})
        return httpx.Response(200, json=[{"id": f"data_{i}", "project_id": "pr_1"} for i, _ in enumerate(value)])


def recorded(settings: Settings, body: bytes = LONG) -> httpx.Request:
    recorder = Recorder()
    client = Client(settings, transport=httpx.MockTransport(recorder))
    client.post_logs(body, timeout=1, count=1)
    client.close()
    return recorder.requests[0]


def test_logs_are_posted_as_an_array_with_the_key_and_who_is_asking(settings_for: SettingsFor) -> None:
    request = recorded(settings_for(api_key="hl_sk_1", compression="none"))
    assert (request.method, str(request.url)) == ("POST", "https://humanloop.example/v4/logs")
    assert request.headers["X-API-KEY"] == "hl_sk_1"
    assert request.headers["User-Agent"] == f"otel-humanloop/{version('otel-humanloop')}"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Accept"] == "application/json"
    assert request.content == LONG


def test_without_a_key_no_key_is_sent(settings_for: SettingsFor) -> None:
    assert "X-API-KEY" not in recorded(settings_for()).headers


def test_a_log_is_patched_by_its_reference_id_whatever_that_holds(settings_for: SettingsFor) -> None:
    recorder = Recorder()
    client = Client(settings_for(base_url="https://h.example/v4/"), transport=httpx.MockTransport(recorder))
    client.patch_log("a b&c=d/é", b'{"output": "done"}', timeout=1)
    [request] = recorder.requests
    assert (request.method, request.url.path) == ("PATCH", "/v4/logs")
    assert dict(request.url.params) == {"reference_id": "a b&c=d/é"}
    assert request.content == b'{"output": "done"}'


@pytest.mark.parametrize(
    ("compression", "base_url", "compressed"),
    [
        ("auto", "https://humanloop.example/v4", True),
        ("auto", "http://10.0.0.7:8484/v4", True),
        ("auto", "http://127.0.0.1:8484/v4", False),
        ("auto", "http://127.5.5.5/v4", False),
        ("auto", "http://[::1]:8484/v4", False),
        ("auto", "http://localhost:8484/v4", False),
        ("auto", "http://humanloop.localhost/v4", False),
        ("auto", "http://localhost.example/v4", True),
        ("gzip", "http://127.0.0.1:8484/v4", True),
        ("none", "https://humanloop.example/v4", False),
    ],
)
def test_bodies_are_compressed_where_a_network_is_in_between(
    settings_for: SettingsFor, compression: str, base_url: str, compressed: bool
) -> None:
    request = recorded(settings_for(base_url=base_url, compression=compression))
    if compressed:
        assert request.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(request.content) == LONG
        assert int(request.headers["Content-Length"]) < len(LONG)
    else:
        assert "Content-Encoding" not in request.headers
        assert request.content == LONG


def test_a_small_body_is_not_worth_compressing(settings_for: SettingsFor) -> None:
    request = recorded(settings_for(compression="gzip"), b'[{"project": "p"}]')
    assert "Content-Encoding" not in request.headers


def client_answering(settings: Settings, response: httpx.Response) -> Client:
    return Client(settings, transport=httpx.MockTransport(lambda _: response))


def test_fewer_ids_than_logs_is_no_acknowledgement(settings_for: SettingsFor) -> None:
    ids = [{"id": "data_1", "project_id": "pr_1"}]
    client_answering(settings_for(), httpx.Response(200, json=ids)).post_logs(b"[{}]", timeout=1, count=1)
    with pytest.raises(Unavailable, match="1 log ids for 2 logs"):
        client_answering(settings_for(), httpx.Response(200, json=ids)).post_logs(b"[{},{}]", timeout=1, count=2)


def test_a_refusal_gives_its_status_and_reason(settings_for: SettingsFor) -> None:
    detail = [{"loc": ["body", 0, "project"], "msg": "field required", "type": "value_error.missing"}]
    client = client_answering(settings_for(), httpx.Response(422, json={"detail": detail}))
    with pytest.raises(Refused) as caught:
        client.post_logs(b"[{}]", timeout=1)
    assert (caught.value.status, caught.value.detail) == (422, "body.0.project: field required")
    with pytest.raises(Refused):
        client.patch_log("a", b"{}", timeout=1)


def test_a_busy_server_says_when_to_come_back(settings_for: SettingsFor) -> None:
    client = client_answering(settings_for(), httpx.Response(429, headers={"Retry-After": "12"}))
    with pytest.raises(Unavailable) as caught:
        client.post_logs(b"[{}]", timeout=1)
    assert caught.value.retry_after == 12


def test_a_redirect_is_not_followed_for_it_might_take_the_key_elsewhere(settings_for: SettingsFor) -> None:
    asked: list[str] = []

    def redirect(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(307, headers={"Location": "https://elsewhere.example/v4/logs"})

    client = Client(settings_for(api_key="secret"), transport=httpx.MockTransport(redirect))
    with pytest.raises(Refused) as caught:
        client.post_logs(b"[{}]", timeout=1)
    assert asked == ["humanloop.example"]
    assert caught.value.hint == "set HUMANLOOP_BASE_URL to https://elsewhere.example/v4"


def test_an_answer_that_cannot_be_decompressed_is_a_broken_answer(settings_for: SettingsFor) -> None:
    response = httpx.Response(
        200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"this was never compressed")
    )
    with pytest.raises(Unavailable, match="broke before the answer was complete"):
        client_answering(settings_for(), response).post_logs(b"[{}]", timeout=1)


def test_an_answer_that_never_ends_is_read_only_so_far(settings_for: SettingsFor) -> None:
    read = 0

    def endless() -> Any:
        nonlocal read
        while True:
            read += 1024 * 1024
            yield b" " * 1024 * 1024

    with pytest.raises(Unavailable):
        client_answering(settings_for(), httpx.Response(200, content=endless())).post_logs(b"[{}]", timeout=60)
    assert read <= 20 * 1024 * 1024


def test_a_patched_log_that_is_given_back_too_long_to_read_is_patched_all_the_same(settings_for: SettingsFor) -> None:
    log = b'{"id": "data_1", "output": "' + b"x" * MAX_ANSWER + b'"}'
    client_answering(settings_for(), httpx.Response(200, content=log)).patch_log("a", b"{}", timeout=60)


def test_credentials_in_the_address_are_used_and_never_shown(settings_for: SettingsFor) -> None:
    seen: list[str] = []

    def hotel(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        return httpx.Response(200, html="<p>Log in to use the Wi-Fi</p>")

    settings = settings_for(base_url="https://me:hunter2@humanloop.example/v4")
    client = Client(settings, transport=httpx.MockTransport(hotel))
    with pytest.raises(Unavailable) as caught:
        client.post_logs(b"[{}]", timeout=1)
    assert seen
    assert seen[0].startswith("Basic ")
    assert "hunter2" not in str(caught.value)


def test_a_proxy_variable_that_cannot_be_is_said_at_the_start(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "carrier-pigeon://roof")
    with pytest.raises(SettingsError, match="HTTPS_PROXY"):
        Client(settings_for())


def test_a_certificate_file_that_is_not_there_is_said_at_the_start(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", os.fspath(tmp_path / "no.pem"))
    with pytest.raises(SettingsError, match="SSL_CERT_FILE"):
        Client(settings_for())


def test_certificates_are_not_read_for_a_server_without_tls(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", os.fspath(tmp_path / "no.pem"))
    Client(settings_for(base_url="http://127.0.0.1:9/v4")).close()


def test_a_base_url_httpx_cannot_use_is_said_at_the_start(settings_for: SettingsFor) -> None:
    with pytest.raises(SettingsError, match="HUMANLOOP_BASE_URL"):
        Client(settings_for(base_url="http://\x7f/v4"))


def test_importing_the_client_does_not_import_httpx() -> None:
    program = (
        "import sys, otel_humanloop.delivery.sender as s; sys.exit('httpx' in sys.modules or 'httpcore' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

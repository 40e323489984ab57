"""A provider that answers badly: its caller is told, its call is logged with the error, and nothing else is harmed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from support_server import Api

from otel_humanloop.server.app import create_app
from otel_humanloop.server.providers import ProviderSettings
from otel_humanloop.server.store import Store

DEEP = b"[" * 50_000 + b"]" * 50_000
HI = b'"choices":[{"index":0,"message":{"content":"hi"}}]'


class Service:
    """An address that answers every request with the same bytes."""

    def __init__(self) -> None:
        self.status = 200
        self.body = b""
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(service.status)
                self.send_header("Content-Length", str(len(service.body)))
                self.end_headers()
                self.wfile.write(service.body)

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    thread = threading.Thread(target=service.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield service
    service.server.shutdown()
    thread.join()
    service.server.server_close()


@pytest.fixture
def api(store: Store, service: Service) -> Api:
    settings = ProviderSettings(base_url=f"http://127.0.0.1:{service.server.server_port}")
    return Api(create_app(store, providers=settings))


def chat(api: Api, status: int, **fields: Any) -> Any:
    """Asks; returns what the caller is told, and the log of the call."""
    asked = {"messages": [{"role": "user", "content": "?"}], "model_config": {"model": "m"}}
    answer = api.http.post("/v4/chat", json={"project": "p", **asked, **fields})
    assert answer.status_code == status, answer.text
    (project,) = api.ask("GET", "projects")["records"]
    (log,) = api.ask("GET", "logs", params={"project_id": project["id"]})["records"]
    return answer, log


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"[]", b'{"choices":[{"message":{"content":"\xff"}}]}', b'{"other":"\xff",' + HI + b"}",
        b'{"choices":' + DEEP + b"}", b'{"other":' + DEEP + b"," + HI + b"}", b'{"other":"\\ud83d",' + HI + b"}",
        b'{"choices":[{"message":{"content":7}}]}',
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_read_or_kept_is_an_error_of_the_providers(
    api: Api, service: Service, body: bytes
) -> None:
    service.body = body
    answer, log = chat(api, 503)
    assert answer.json()["detail"]["origin"] == "OpenAI"
    assert "cannot be read" in log["error"]
    assert "provider_response" not in log


@pytest.mark.parametrize(
    ("status", "body", "told", "said"),
    [
        (400, b'{"error":{"message":"No."}}', 422, "No."),
        (400, b"[1]", 422, "[1]"),
        (404, b"", 422, "the provider answered 404 without a word"),
        (302, b"", 422, "the provider answered 302 without a word"),
        (500, b"\xff", 503, "\ufffd"),
        (502, b"[" * 50_000, 503, "[" * 1000),
    ],
)
def test_a_refusal_in_any_form_is_told_and_logged(
    api: Api, service: Service, status: int, body: bytes, told: int, said: str
) -> None:
    service.status, service.body = status, body
    answer, log = chat(api, told)
    assert (answer.json()["detail"]["message"], log["error"]) == (said, said)


def test_a_choice_that_was_not_given_is_an_error_of_its_log(api: Api, service: Service) -> None:
    service.body = b'{"choices":[]}'
    answer, log = chat(api, 200)
    assert answer.json()["data"] == []
    assert "fewer samples" in log["error"]


@pytest.mark.parametrize("body", [b"", b"{" + HI + b"}", b": nothing\n\n", b"data: [DONE]\n\n"])
def test_a_stream_that_is_none_is_told_by_its_status(api: Api, service: Service, body: bytes) -> None:
    service.body = body
    answer, log = chat(api, 503, stream=True)
    assert answer.json()["detail"]["message"] == log["error"]
    assert "was asked for a stream" in log["error"]


@pytest.mark.parametrize("index", [-1, 1])
def test_a_stream_of_samples_nobody_asked_for_is_left_out(api: Api, service: Service, index: int) -> None:
    chunks = ({"choices": [{"index": where, "delta": {"content": str(where)}}]} for where in (0, index, 0))
    service.body = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    answer, log = chat(api, 200, stream=True)
    assert answer.text.count("data: ") == 2
    assert log["output"] == "00"

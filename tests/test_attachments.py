"""A picture too large for its message: from the program that showed it to a model to the server that keeps it."""

from __future__ import annotations

import base64
import json
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from applications import CHAT, Install, until
from humanloop import Humanloop
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from support_bridge import bridge_process

from otel_humanloop import HumanloopSpanProcessor
from otel_humanloop.attachments import StandIn, attachment
from otel_humanloop.demo.model_server import ModelServer

PICTURE = attachment(b"\x89PNG\r\n\x1a\n" + random.Random(7).randbytes(60_000), "image/png")
BASE64 = base64.b64encode(PICTURE.content).decode()
WORDS = str(StandIn(media_type="image/png", size=len(PICTURE.content), sha256=PICTURE.sha256))
LOOKS = {
    **CHAT,
    "gen_ai.input.messages": json.dumps(
        [
            {
                "role": "user",
                "parts": [
                    {"type": "text", "content": "What is this? Ask anna@example.com."},
                    {"type": "blob", "modality": "image", "mime_type": "image/png", "content": BASE64},
                ],
            }
        ]
    ),
}


def kept(humanloop: Humanloop, sha256: str = PICTURE.sha256) -> bytes | None:
    answer = httpx.get(f"{humanloop.base_url}/attachments/sha256/{sha256}", trust_env=False)
    return answer.content if answer.status_code == 200 else None


def look(provider: TracerProvider, times: int = 1) -> None:
    for _ in range(times):
        with provider.get_tracer("app").start_as_current_span("chat", attributes=LOOKS):
            pass


def test_a_flush_brings_the_log_and_then_its_picture_once(install: Install, humanloop: Humanloop) -> None:
    provider = install()
    look(provider, times=3)
    assert provider.force_flush()
    assert kept(humanloop) == PICTURE.content
    logs = humanloop.logs()
    assert len(logs) == 3
    for log in logs:
        assert [part.get("text") for part in log["messages"][0]["content"]][1] == WORDS
        assert BASE64[:1000] not in json.dumps(log)


@pytest.mark.parametrize("settings", [{"capture_content": False}, {"redact": "email"}], ids=str)
def test_where_content_is_withheld_or_redacted_no_picture_leaves(
    install: Install, humanloop: Humanloop, settings: dict[str, Any]
) -> None:
    provider = install(**settings)
    look(provider)
    assert provider.force_flush()
    assert len(humanloop.logs()) == 1
    assert kept(humanloop) is None


class _Other(BaseHTTPRequestHandler):
    """A Humanloop that is not ours: it takes logs, and says of anything else that it knows no such thing."""

    asked: list[tuple[str, str]]

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked.append((self.command, self.path))
        known = (self.command, self.path) == ("POST", "/v4/logs")
        said = json.dumps([{"id": "x", "project_id": "p"} for _ in json.loads(body)]).encode() if known else b"{}"
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said)

    do_POST = do_HEAD = do_PUT = _answer

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def other() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Where it is, and what it was asked."""
    asked: list[tuple[str, str]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Other", (_Other,), {"asked": asked}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v4", asked
    server.shutdown()
    server.server_close()
    thread.join()


def test_another_server_is_asked_once_and_brought_nothing(other: tuple[str, list[tuple[str, str]]]) -> None:
    base_url, asked = other
    provider = TracerProvider()
    provider.add_span_processor(HumanloopSpanProcessor(base_url=base_url, delay=0.02))
    for _ in range(2):
        look(provider)
        assert provider.force_flush()
    provider.shutdown()
    assert asked == [
        ("POST", "/v4/logs"),
        ("HEAD", f"/v4/attachments/sha256/{PICTURE.sha256}"),
        ("POST", "/v4/logs"),
    ]


@pytest.mark.filterwarnings("ignore:Support for class-based `config`")  # of the instrumentation's own
def test_the_picture_of_a_real_program_is_kept(install: Install, humanloop: Humanloop) -> None:
    provider = install()
    instrumentor = OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        with ModelServer() as model, openai.OpenAI(base_url=model.base_url, api_key="none") as client:
            client.responses.create(
                model="gpt-4o",
                input=[
                    {
                        "role": "user",
                        "content": [
                            {"type": "input_text", "text": "What is this?"},
                            {"type": "input_image", "image_url": f"data:image/png;base64,{BASE64}", "detail": "auto"},
                        ],
                    }
                ],
            )
    finally:
        instrumentor.uninstrument()
    assert provider.force_flush()
    (log,) = humanloop.logs()
    assert WORDS in json.dumps(log["messages"])
    assert kept(humanloop) == PICTURE.content


def test_the_bridge_brings_what_comes_over_the_network(humanloop: Humanloop, tmp_path: Path) -> None:
    span = {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "name": "chat",
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000001000000000",
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in LOOKS.items()],
    }
    request = {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "app"}, "spans": [span]}]}]}
    with bridge_process(humanloop.base_url, tmp_path / "spool.db") as bridge:
        httpx.post(f"{bridge.urls['http']}/v1/traces", json=request, trust_env=False).raise_for_status()
        until(lambda: kept(humanloop) == PICTURE.content)
    assert WORDS in json.dumps(humanloop.logs())

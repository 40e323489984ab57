"""Doors that stand open to a network, entered as from there: the bridge's receivers, the server's API and viewer."""

from __future__ import annotations

import asyncio
import functools
import gzip
import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote_from_bytes

import grpc
import httpx
import zstandard
from fuzz.mutants import Door
from fuzz.span_doors import captured, records_in_protobuf, spans, spans_in_protobuf

from otel_humanloop.bridge import addresses, service
from otel_humanloop.server.app import create_app
from otel_humanloop.server.providers import ProviderSettings
from otel_humanloop.server.store import open_store
from otel_humanloop.settings import load

_RECORDED = Path(__file__).parent.parent / "server" / "data"
_LIFETIME = 500  # requests one bridge or one server is asked, for what they keep grows

_SERVICES = ("trace.v1.TraceService", "logs.v1.LogsService", "metrics.v1.MetricsService")
_KINDS = [
    (path, kind, encoding)
    for path in ("/v1/traces", "/v1/logs", "/import/otel/v1/traces", "/v1/metrics")
    for kind in ("application/x-protobuf", "application/json")
    for encoding in ("identity", "gzip", "deflate", "zstd")
]


class _Bridge:
    """A bridge whose Humanloop is not there, made anew now and then."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._asked = _LIFETIME

    def __call__(self) -> tuple[service.RunningBridge, Any, httpx.Client]:
        self._asked += 1
        if self._asked > _LIFETIME:
            self._stack.close()
            self._asked = 1
            given = {"base_url": "http://127.0.0.1:1/v4", "spool": "memory:", "delay": 0.02, "shutdown_timeout": 0}
            receivers = [addresses.parse(url) for url in ("http://127.0.0.1:0", "grpc://127.0.0.1:0")]
            self._bridge = self._stack.enter_context(service.running(load(given, {}), receivers))
            where = self._bridge.url("grpc").removeprefix("grpc://")
            self._channel = self._stack.enter_context(grpc.insecure_channel(where))
            self._client = self._stack.enter_context(
                httpx.Client(base_url=self._bridge.url("http"), trust_env=False, timeout=60)
            )
        return self._bridge, self._channel, self._client

    def close(self) -> None:
        self._stack.close()
        self._asked = _LIFETIME


BRIDGE = _Bridge()
"""The one both of its doors belong to. Whoever has entered one of them closes it."""


def _harmed(bridge: service.RunningBridge) -> None:
    assert "internal" not in bridge.keeper.counts.dropped, "a span was lost to an error of ours"


def _grpc(data: bytes) -> None:
    """A byte for the service, and the message as it is."""
    bridge, channel, _ = BRIDGE()
    name = _SERVICES[data[0] % len(_SERVICES)] if data else _SERVICES[0]
    export: Any = channel.unary_unary(f"/opentelemetry.proto.collector.{name}/Export")
    try:
        export(data[1:], timeout=60)
    except grpc.RpcError as error:
        status: Any = error
        assert status.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED), status.details()
    _harmed(bridge)


def _http(data: bytes) -> None:
    """A byte for path, kind and encoding, and the body as it is."""
    bridge, _, client = BRIDGE()
    path, kind, encoding = _KINDS[data[0] % len(_KINDS)] if data else _KINDS[0]
    headers = {"content-type": kind, "content-encoding": encoding}
    answer = client.post(path, content=data[1:], headers=headers)
    assert answer.status_code in (200, 400, 413, 429), answer.text
    _harmed(bridge)


def _requests_in_protobuf() -> list[bytes]:
    return [b"\x00" + data for data in spans_in_protobuf()] + [b"\x01" + data for data in records_in_protobuf()]


def _requests() -> list[bytes]:
    def entered(path: str, kind: str, encoding: str, body: bytes) -> bytes:
        return bytes([_KINDS.index((path, kind, encoding))]) + body

    json_kind, protobuf = "application/json", "application/x-protobuf"
    known = [entered("/v1/traces", json_kind, "identity", data) for data in spans()[::4]]
    known += [entered("/v1/logs", json_kind, "gzip", gzip.compress(data)) for data in captured(b"resourceLogs")[::4]]
    known += [entered("/v1/traces", protobuf, "zstd", zstandard.compress(data)) for data in spans_in_protobuf()[::4]]
    return known


Headers = Sequence[tuple[bytes, bytes]]


class _Endpoint(NamedTuple):
    method: str
    path: str


# A finding names its endpoint by its number: new ones go to the end.
_API = [
    _Endpoint(*line.split())
    for line in """
    POST /v4/logs
    PATCH /v4/logs
    POST /v4/sessions
    POST /v4/feedback
    POST /v4/projects
    POST /v4/chat
    POST /v4/chat-deployed
    POST /v4/chat-model-config
    POST /v4/completion
    POST /v4/completion-deployed
    POST /v4/completion-model-config
    POST /v4/model-configs
    POST /v4/model-configs/serialize
    POST /v4/model-configs/deserialize
    GET /v4/logs
    GET /v4/sessions
    GET /v4/projects
    GET /
    GET /projects
    GET /compare
    """.strip().splitlines()
]


class _Server:
    """A server that keeps everything in memory and reaches no model but the one that pretends, made anew at times."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._stack = ExitStack()
        self._asked = _LIFETIME

    def ask(
        self,
        endpoint: _Endpoint,
        query: bytes,
        body: bytes,
        *,
        headers: Headers = ((b"host", b"127.0.0.1"), (b"content-type", b"application/json")),
        locked: bool = False,
    ) -> tuple[int, bytes]:
        """The answer; whatever the server fails of is raised here."""
        self._asked += 1
        if self._asked > _LIFETIME:
            self._stack.close()
            self._asked = 1
            self.store = self._stack.enter_context(open_store("sqlite://"))
            self._app = create_app(self.store, providers=ProviderSettings(base_url="http://127.0.0.1:1/v1"))
            self._locked = create_app(self.store, api_keys=["hl_sk_1"])
        app = self._locked if locked else self._app
        return self._loop.run_until_complete(_answer(app, endpoint, query, body, headers))

    def close(self) -> None:
        self._stack.close()
        self._asked = _LIFETIME


async def _answer(app: Any, endpoint: _Endpoint, query: bytes, body: bytes, headers: Headers) -> tuple[int, bytes]:
    """What an application answers; what it fails of is raised."""
    said: list[dict[str, Any]] = []
    asked = [{"type": "http.request", "body": body}]

    async def receive() -> Any:
        return asked.pop() if asked else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": endpoint.method,
        "scheme": "http",
        "path": endpoint.path,
        "raw_path": endpoint.path.encode(),
        "root_path": "",
        "query_string": query,
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8484),
    }
    await app(scope, receive, send)
    return said[0]["status"], b"".join(message.get("body", b"") for message in said[1:])


SERVER = _Server()
"""The one the door `v4` belongs to. Whoever has entered it closes it."""


def _v4(data: bytes) -> None:
    """A byte for the endpoint; then the body, or what a GET asks."""
    endpoint = _API[data[0] % len(_API)] if data else _API[0]
    rest = data[1:]
    if endpoint.method == "GET":
        status, said = SERVER.ask(endpoint, quote_from_bytes(rest, safe="=&%+").encode(), b"")
    else:
        status, said = SERVER.ask(endpoint, b"reference_id=r" if endpoint.method == "PATCH" else b"", rest)
    assert status < 500 or endpoint.path.startswith(("/v4/chat", "/v4/completion")), said  # no model is reached
    assert status != 500, said


_PLACES = [
    _Endpoint("GET", "/"),
    _Endpoint("POST", "/v4/logs"),
    _Endpoint("GET", "/sign-in"),
    _Endpoint("POST", "/sign-in"),
]


def _headers(data: bytes) -> None:
    """A byte for the endpoint and whether there are keys; a line for what is asked, then headers, one a line."""
    first, _, rest = data.partition(b"\n")
    place = first[0] if first else 0
    said = (line.partition(b":") for line in rest.split(b"\n") if b":" in line)
    headers = [(name.strip().lower(), value.strip()) for name, _, value in said]
    query = quote_from_bytes(first[1:], safe="=&%+").encode()
    status, answer = SERVER.ask(_PLACES[place % 4], query, b"{}", headers=headers, locked=bool(place & 4))
    assert status < 500, answer


_BROWSER = b"""host: localhost:8484
origin: http://localhost:8484
cookie: otel_humanloop_ticket=1893456000.abc
authorization: Basic YTpobF9za18x
accept: text/html
sec-fetch-site: same-origin
content-length: 2
content-encoding: identity
"""


@functools.cache
def _asked() -> list[bytes]:
    """What the vendor's SDKs sent, and a call of the model that pretends."""
    places = {endpoint: number for number, endpoint in enumerate(_API)}
    known = [
        bytes([places[endpoint]]) + (one["body"] or "").encode()
        for path in sorted(_RECORDED.glob("sdk-*.json"))
        for one in json.loads(path.read_text(encoding="utf-8"))
        if one["method"] != "GET" and (endpoint := _Endpoint(one["method"], one["path"].rstrip("/"))) in places
    ]
    pretending = {
        "project": "p",
        "inputs": {"a": [1, {"b": None}]},
        "model_config": {"provider": "mock", "model": "m", "chat_template": [{"role": "user", "content": "{{ a }}"}]},
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        "num_samples": 2,
        "session_reference_id": "s",
        "save": False,
    }
    known.append(bytes([places[_Endpoint("POST", "/v4/chat")]]) + json.dumps(pretending).encode())
    asks = b"page=1&size=2&search=x&start_date=2024-01-01&metadata.user=a&sort_by=created_at&order=asc"
    known += [bytes([number]) + asks for endpoint, number in places.items() if endpoint.method == "GET"]
    prompt = {"config": "---\nmodel: gpt-4\ntemperature: 0.5\n---\n<system>\nBe {{kind}}.\n</system>\n"}
    known.append(bytes([places[_Endpoint("POST", "/v4/model-configs/deserialize")]]) + json.dumps(prompt).encode())
    return known


DOORS: dict[str, Door] = {
    "otlp-grpc": Door(enter=_grpc, seeds=_requests_in_protobuf),
    "otlp-http": Door(enter=_http, seeds=_requests),
    "v4": Door(enter=_v4, seeds=_asked),
    "headers": Door(
        enter=_headers, seeds=lambda: [bytes([place]) + b"next=/sessions\n" + _BROWSER for place in range(8)]
    ),
}


def close() -> None:
    """Ends what the doors of this file have started."""
    BRIDGE.close()
    SERVER.close()

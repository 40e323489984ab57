"""`http://` and `https://`: OTLP/HTTP as an ASGI application, and what an operator asks of a bridge beside it.

| Path | |
|---|---|
| `POST /v1/traces`, `/v1/logs`, `/v1/metrics` | OTLP, in protobuf and in JSON |
| `POST /import/otel/v1/traces` | the same, where old Humanloop SDKs send it |
| `GET /healthz` | 200 while the process lives |
| `GET /readyz` | 200 while spans are taken in; 503 while the spool is full, or the bridge is ending |
| `GET /metrics` | for Prometheus |
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any

import msgspec

from otel_humanloop.bridge import answers, bodies, metrics
from otel_humanloop.bridge.door import BUSY, RETRY_BUSY, Code, Door, Signal, Verdict
from otel_humanloop.spans.otlp import JSON, MEDIA_TYPES, PROTOBUF, essence

NAME = "http"

_SIGNALS = {
    "/v1/traces": Signal.TRACES,
    "/v1/logs": Signal.LOGS,
    "/v1/metrics": Signal.METRICS,
    "/import/otel/v1/traces": Signal.TRACES,
}

_PATIENCE = 30.0  # seconds

Scope = Mapping[str, Any]
Receive = Callable[[], Any]
Send = Callable[[dict[str, Any]], Any]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a bridge takes spans in, and how their delivery goes: for a person to read."""

    ready: bool
    delivery: str
    spans: int


class HttpReceiver:
    """The ASGI application.

    Args:
        threads: Where requests are decoded and kept.
        health: Asked for `/readyz`.
        metrics: Asked for `/metrics`.
    """

    def __init__(
        self, door: Door, threads: Executor, *, health: Callable[[], Health], metrics: Callable[[], bytes]
    ) -> None:
        self._door = door
        door.serves(NAME)
        self._threads = threads
        self._health = health
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        path, method = scope["path"], scope["method"]
        signal = _SIGNALS.get(path)
        if signal is not None:
            if method != "POST":
                await _send(send, 405, b"", "text/plain", {"allow": "POST"})
            else:
                await self._otlp(signal, scope, receive, send)
        elif path in ("/healthz", "/readyz", "/metrics"):
            if method not in ("GET", "HEAD"):
                await _send(send, 405, b"", "text/plain", {"allow": "GET, HEAD"})
            else:
                await self._operator(path, send)
        else:
            await _send(send, 404, b"there is /v1/traces, /v1/logs and /v1/metrics\n", "text/plain", {})

    async def _operator(self, path: str, send: Send) -> None:
        if path == "/healthz":
            await _send(send, 200, b"ok\n", "text/plain", {})
        elif path == "/metrics":
            text = await asyncio.get_running_loop().run_in_executor(self._threads, self._metrics)
            await _send(send, 200, text, metrics.MEDIA_TYPE, {})
        else:
            health = self._health()
            await _send(send, 200 if health.ready else 503, msgspec.json.encode(health), JSON, {})

    async def _otlp(self, signal: Signal, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.lower(): value.decode("latin-1") for name, value in reversed(scope["headers"])}
        media_type = essence(headers.get(b"content-type", ""))
        verdict = await self._verdict(signal, headers, media_type, receive)
        self._door.answered(NAME, signal, verdict)
        answer = answers.success(signal, verdict) if verdict.code is Code.OK else answers.failure(verdict)
        # The Collector reads an answer only where its type is exactly one of these two, without parameters.
        answered = media_type if media_type in MEDIA_TYPES else PROTOBUF
        more: dict[str, str] = {}
        if verdict.retry_after is not None:
            more["retry-after"] = str(math.ceil(verdict.retry_after))
        if verdict.code is Code.UNAUTHENTICATED:
            more["www-authenticate"] = "Bearer"
        if verdict.code is Code.UNSUPPORTED:
            more["accept-encoding"] = ", ".join(bodies.ENCODINGS)
            more["accept"] = ", ".join(MEDIA_TYPES)
        await _send(send, answers.HTTP_STATUSES[verdict.code], answers.written(answer, answered), answered, more)

    async def _verdict(
        self, signal: Signal, headers: Mapping[bytes, str], media_type: str, receive: Receive
    ) -> Verdict:
        if not self._door.admits(headers.get(b"authorization")):
            return Verdict(code=Code.UNAUTHENTICATED, message="a known bearer token is needed")
        encoding = headers.get(b"content-encoding", "").strip().lower() or "identity"
        if media_type not in MEDIA_TYPES:
            return Verdict(code=Code.UNSUPPORTED, message=f"`{media_type}` is none of {', '.join(MEDIA_TYPES)}")
        if encoding not in bodies.ENCODINGS:
            return Verdict(code=Code.UNSUPPORTED, message=f"`{encoding}` is none of {', '.join(bodies.ENCODINGS)}")
        stated = headers.get(b"content-length", "")
        length = int(stated) if stated.isdigit() else bodies.MAX_BODY // 4
        if length > bodies.MAX_BODY:
            return Verdict(code=Code.TOO_LARGE, message=str(bodies.TooLong()))
        with self._door.room(length) as has_room:
            if not has_room:
                return BUSY
            try:
                body = await read_body(receive)
            except bodies.TooLong as error:
                return Verdict(code=Code.TOO_LARGE, message=str(error))
            except (asyncio.TimeoutError, ConnectionResetError):
                return Verdict(code=Code.UNAVAILABLE, message="the body came too slowly", retry_after=RETRY_BUSY)
            return await asyncio.get_running_loop().run_in_executor(
                self._threads,
                lambda: self._door.receive(NAME, signal, body, media_type=media_type, encoding=encoding),
            )


async def read_body(receive: Receive, *, patience: float = _PATIENCE) -> bytes:
    """The whole body of a request.

    Args:
        patience: Seconds in which nothing of it comes, after which none is waited for.

    Raises:
        TooLong: It is longer than it may be.
        asyncio.TimeoutError: It stopped coming.
        ConnectionResetError: The sender went away.
    """
    came: list[bytes] = []
    # Large bodies come in many parts: a task and a timer for each would cost more than reading it.
    reading = asyncio.ensure_future(_parts(receive, came))
    try:
        while not reading.done():
            before = len(came)
            await asyncio.wait((reading,), timeout=patience)
            if not reading.done() and len(came) == before:
                raise asyncio.TimeoutError
        await reading
    finally:
        reading.cancel()
    return b"".join(came)


async def _parts(receive: Receive, came: list[bytes]) -> None:
    """Adds the parts of a body to those that came, until the last."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError
        came.append(message.get("body", b""))
        size += len(came[-1])
        if size > bodies.MAX_BODY:
            raise bodies.TooLong
        more = message.get("more_body", False)


async def _send(send: Send, status: int, body: bytes, media_type: str, more: Mapping[str, str]) -> None:
    headers = {"content-type": media_type, "content-length": str(len(body)), **more}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})

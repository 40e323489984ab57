"""The server itself: a socket on loopback, a thread, and one route for each endpoint."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from otel_humanloop.demo.model_server import chat, completions, embeddings, responses
from otel_humanloop.demo.model_server.answer import echo, settle
from otel_humanloop.demo.model_server.exchange import Endpoint, Failure, Reply, Request, Rule
from otel_humanloop.listening import listen

_NEEDED: Mapping[str, str] = {
    "chat/completions": "messages",
    "completions": "prompt",
    "embeddings": "input",
    "responses": "input",
}
"""What each endpoint cannot do without, besides a model."""

_KINDS: Mapping[int, tuple[str, str | None]] = {
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}
"""The `type` and `code` OpenAI gives for a status."""


class ModelServer:
    """Has a free port of 127.0.0.1 from its making, and answers on it from `with` to the end of the block.

    Args:
        rules: Asked in order; the first that does not answer None decides. Where all do, `echo` answers.
        api_key: Where given, a request with another key is answered 401.

    Attributes:
        requests: Every well-formed request so far, in order of arrival.
    """

    def __init__(self, rules: Sequence[Rule] = (), *, api_key: str | None = None) -> None:
        self.requests: list[Request] = []
        self._rules = tuple(rules)
        self._api_key = api_key
        # It listens before the thread starts, so that the first request waits for it instead of failing.
        self._socket = listen("127.0.0.1", 0)
        self._port: int = self._socket.getsockname()[1]
        app = Starlette(routes=[Route("/{path:path}", self._respond, methods=["POST"])])
        # Without log_config uvicorn leaves the program's logging alone; a rule that raises still shows on stderr.
        settings = uvicorn.Config(
            app, lifespan="off", access_log=False, log_config=None, log_level=None, timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="model-server", daemon=True
        )

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes: `http://127.0.0.1:PORT/v1`."""
        return f"http://127.0.0.1:{self._port}/v1"

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()

    async def _respond(self, http: HttpRequest) -> ASGIApp:
        try:
            body = json.loads(await http.body())
        except ValueError:
            return _failed(Failure(status=400, message="We could not parse the JSON body of your request."))
        failure = self._unauthorised(http) or _malformed(http.url.path, body)
        if failure is not None:
            return _failed(failure)
        request = Request(
            endpoint=cast(Endpoint, http.url.path.removeprefix("/v1/")),
            body=body,
            headers=dict(http.headers),
            number=len(self.requests) + 1,
        )
        self.requests.append(request)
        reply = self._decide(request)
        await asyncio.sleep(reply.delay)
        return _failed(reply) if isinstance(reply, Failure) else _said(request, reply)

    def _decide(self, request: Request) -> Reply | Failure:
        for rule in self._rules:
            reply = rule(request)
            if reply is not None:
                return reply
        return echo(request)

    def _unauthorised(self, http: HttpRequest) -> Failure | None:
        if self._api_key is None or http.headers.get("authorization") == f"Bearer {self._api_key}":
            return None
        return Failure(status=401, message="Incorrect API key provided.")


def _malformed(path: str, body: Any) -> Failure | None:
    """What OpenAI says of a request no model can be asked with."""
    needed = _NEEDED.get(path.removeprefix("/v1/")) if path.startswith("/v1/") else None
    if needed is None:
        return Failure(status=404, message=f"Invalid URL (POST {path})", code="unknown_url")
    if not isinstance(body, dict) or not isinstance(cast("dict[str, Any]", body).get("model"), str):
        return Failure(status=400, message="you must provide a model parameter")
    given = cast("dict[str, Any]", body).get(needed)
    if given is None:
        message = f"Missing required parameter: '{needed}'."
        return Failure(status=400, message=message, code="missing_required_parameter", param=needed)
    if not isinstance(given, list if needed == "messages" else (str, list)):
        message = f"Invalid type for '{needed}'."
        return Failure(status=400, message=message, code="invalid_type", param=needed)
    return None


def _failed(failure: Failure) -> ASGIApp:
    kind, code = _KINDS.get(failure.status, ("invalid_request_error" if failure.status < 500 else "server_error", None))
    error = {
        "message": failure.message,
        "type": failure.kind if failure.kind is not None else kind,
        "param": failure.param,
        "code": failure.code if failure.code is not None else code,
    }
    return JSONResponse({"error": error}, failure.status, {**_request_id(), **failure.headers})


def _said(request: Request, reply: Reply) -> ASGIApp:
    if request.endpoint == "embeddings":
        return JSONResponse(embeddings.whole(request), headers=_request_id())
    answer = settle(request, reply)
    if request.stream:
        options: Mapping[str, Any] = request.body.get("stream_options") or {}
        include_usage = options.get("include_usage") is True
        if request.endpoint == "responses":
            lines = _events(responses.events(request, answer))
        elif request.endpoint == "completions":
            lines = _data(completions.chunks(answer, include_usage=include_usage))
        else:
            lines = _data(chat.chunks(answer, include_usage=include_usage))
        return _streamed(lines, reply.cut_after)
    if request.endpoint == "responses":
        return JSONResponse(responses.whole(request, answer), headers=_request_id())
    whole = completions.whole if request.endpoint == "completions" else chat.whole
    return JSONResponse(whole(answer), headers=_request_id())


def _streamed(lines: Iterable[str], cut_after: int | None) -> ASGIApp:
    """Server-sent events; with `cut_after`, the connection closes after so many, and no last chunk says it is over."""

    async def flowing() -> AsyncIterator[bytes]:
        for number, line in enumerate(lines):
            if number == cut_after:
                return
            yield line.encode()

    stream = StreamingResponse(flowing(), media_type="text/event-stream", headers=_request_id())
    if cut_after is None:
        return stream

    async def cut(scope: Scope, receive: Receive, send: Send) -> None:
        async def all_but_the_end(message: Any) -> None:
            if message["type"] != "http.response.body" or message["more_body"]:
                await send(message)

        await stream(scope, receive, all_but_the_end)

    return cut


def _data(chunks: Iterator[dict[str, Any]]) -> Iterator[str]:
    for chunk in chunks:
        yield f"data: {json.dumps(chunk)}\n\n"
    yield "data: [DONE]\n\n"


def _events(events: Iterator[dict[str, Any]]) -> Iterator[str]:
    for event in events:
        yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


def _request_id() -> dict[str, str]:
    return {"x-request-id": f"req_{uuid.uuid4().hex}"}

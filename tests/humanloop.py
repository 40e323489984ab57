"""A Humanloop for tests: our own server, with everything the pipeline sends to it held to the published contract."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import contract
import httpx
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from otel_humanloop.listening import listen
from otel_humanloop.server.app import create_app
from otel_humanloop.server.store import open_store


class Humanloop:
    """What an application is pointed at, and what it sent there.

    Attributes:
        base_url: For `HUMANLOOP_BASE_URL`.
        requests: Method, path and decoded body of every request that writes.
        broken: What in them breaks the contract; stays empty.
        answers: Statuses to answer with before anything is passed on, first come first served.
        delays: Seconds before an answer is given to what was done already, first come first served.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.base_url = f"{url}/v4"
        self.requests: list[tuple[str, str, Any]] = []
        self.broken: list[str] = []
        self.answers: list[int] = []
        self.delays: list[float] = []

    def sessions(self) -> list[dict[str, Any]]:
        return self._records("/sessions", page=1)

    def session(self) -> dict[str, Any]:
        """The only session there is."""
        (session,) = self.sessions()
        return session

    def logs(self, session: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """A session's logs, in the order they started; of all sessions where none is named."""
        sessions = [session] if session is not None else self.sessions()
        return [log for each in sessions for log in self._records("/logs", session_id=each["id"], page=0)]

    def log(self, name: str) -> dict[str, Any]:
        """The only log whose config has that name (or, of a model, that model)."""
        (log,) = (
            log for log in self.logs() if log["config"].get("name" if "status" in log["config"] else "model") == name
        )
        return log

    def posts(self) -> list[list[dict[str, Any]]]:
        return [body for method, _, body in self.requests if method == "POST"]

    def patches(self) -> list[dict[str, Any]]:
        return [body for method, _, body in self.requests if method == "PATCH"]

    def _records(self, path: str, **asked: Any) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = []
        while True:
            answer = httpx.get(f"{self.base_url}{path}", params={**asked, "size": 100}, trust_env=False)
            page = answer.raise_for_status().json()
            records += page["records"]
            if len(records) >= page["total"] or not page["records"]:
                return records
            asked["page"] += 1


class _Recorder:
    """Notes every request that writes down, checks it, and passes it on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.humanloop: Humanloop | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("POST", "PATCH"):
            await self._app(scope, receive, send)
            return
        assert self.humanloop is not None
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = dict(scope["headers"])
        plain = gzip.decompress(body) if headers.get(b"content-encoding") == b"gzip" else body
        value = json.loads(plain)
        path = scope["path"].removeprefix("/v4")
        self.humanloop.requests.append((scope["method"], path, value))
        try:
            contract.validate_request(scope["method"], path, value)
        except AssertionError as error:
            self.humanloop.broken.append(str(error))
        if self.humanloop.answers:
            status = self.humanloop.answers.pop(0)
            await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body"})
            return

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        delay = self.humanloop.delays.pop(0) if self.humanloop.delays else 0.0

        async def late(message: Message) -> None:
            if message["type"] == "http.response.start":
                await asyncio.sleep(delay)
            await send(message)

        await self._app(scope, again, late)


@contextmanager
def humanloop() -> Iterator[Humanloop]:
    """A server in memory, on a free port, for as long as the block; what it was sent must fit the contract."""
    with open_store("sqlite://") as store, listen("127.0.0.1", 0) as listener:
        recorder = _Recorder(create_app(store))
        recorder.humanloop = Humanloop(f"http://127.0.0.1:{listener.getsockname()[1]}")
        server = uvicorn.Server(uvicorn.Config(recorder, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield recorder.humanloop
        finally:
            server.should_exit = True
            thread.join()
        assert recorder.humanloop.broken == []

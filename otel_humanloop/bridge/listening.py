"""The receivers others connect to: servers of HTTP and gRPC in one event loop, on a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any

import uvicorn
from opentelemetry.context import (
    _SUPPRESS_INSTRUMENTATION_KEY,  # pyright: ignore[reportPrivateUsage]
    attach,
    set_value,
)

from otel_humanloop.bridge.addresses import Listen
from otel_humanloop.bridge.door import Door
from otel_humanloop.bridge.receivers import grpc
from otel_humanloop.bridge.receivers.http import Health, HttpReceiver
from otel_humanloop.errors import SettingsError
from otel_humanloop.hosts import authority
from otel_humanloop.listening import listen

_GRACE = 3.0
"""Seconds in which requests that are being answered may be answered to their end."""

_THREADS = 8
"""Threads that decode and keep: several, so that one waits for the disk while another decodes."""


class Receivers:
    """Servers at these addresses, answering from `start` to `stop`.

    What they do is not traced: a bridge whose spans came to itself would never be done.
    """

    def __init__(
        self,
        addresses: Sequence[Listen],
        door: Door,
        *,
        health: Callable[[], Health],
        metrics: Callable[[], bytes],
    ) -> None:
        self._addresses = addresses
        self._door = door
        self._health = health
        self._metrics = metrics
        self._threads = ThreadPoolExecutor(_THREADS, "otel-humanloop-receive", initializer=_untraced)
        self._thread = threading.Thread(target=self._run, name="otel-humanloop-receivers", daemon=True)
        self._started: Future[list[str]] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def start(self) -> list[str]:
        """Their URLs, once they answer.

        Raises:
            SettingsError: An address cannot be had, or a certificate not be used.
        """
        self._thread.start()
        return self._started.result()

    def stop(self) -> None:
        """Returns when they have ended; what they were answering was answered."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._threads.shutdown()

    def _run(self) -> None:
        _untraced()
        with contextlib.ExitStack() as ending:
            ending.push(self._ended)
            asyncio.run(self._serve())

    def _ended(self, _kind: type[BaseException] | None, error: BaseException | None, _at: TracebackType | None) -> None:
        if error is not None and not self._started.done():  # nobody would wake whoever waits in `start`
            self._started.set_exception(error)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with contextlib.AsyncExitStack() as stack:
            try:
                urls = [await self._listen(address, stack) for address in self._addresses]
            except SettingsError as error:
                self._started.set_exception(error)
                return
            self._started.set_result(urls)
            await self._stop.wait()

    async def _listen(self, address: Listen, stack: contextlib.AsyncExitStack) -> str:
        if address.scheme == "grpc":
            server, port = await grpc.start(address, self._door, self._threads)
            stack.push_async_callback(server.stop, _GRACE)
        else:
            port = await self._http(address, stack)
        scheme = f"{address.scheme}s" if address.tls is not None else address.scheme
        return f"{scheme}://{authority(address.host, port)}"

    async def _http(self, address: Listen, stack: contextlib.AsyncExitStack) -> int:
        listener = _listener(address)
        stack.callback(listener.close)
        app = HttpReceiver(self._door, self._threads, health=self._health, metrics=self._metrics)
        try:
            config = uvicorn.Config(app, **_CONFIG, **_tls(address))
            config.load()
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"the certificate of the receiver cannot be used: {error}") from error
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))

        async def end() -> None:
            server.should_exit = True
            await serving

        stack.push_async_callback(end)
        return int(listener.getsockname()[1])


_CONFIG: dict[str, Any] = {
    "log_level": "warning",
    "access_log": False,
    "lifespan": "off",
    "server_header": False,
    "interface": "asgi3",
    "timeout_keep_alive": 60,
    "timeout_graceful_shutdown": int(_GRACE),
}


def _tls(address: Listen) -> dict[str, Any]:
    tls = address.tls
    if tls is None:
        return {}
    asked: dict[str, Any] = {}
    if tls.client_ca is not None:
        asked = {"ssl_ca_certs": str(tls.client_ca), "ssl_cert_reqs": ssl.CERT_REQUIRED}
    return {"ssl_certfile": str(tls.cert), "ssl_keyfile": str(tls.key), **asked}


def _listener(address: Listen) -> socket.socket:
    try:
        return listen(address.host, address.port)
    except OSError as error:
        raise SettingsError(
            f"the bridge cannot listen for HTTP on {address.host} port {address.port}: {error.strerror or error}",
            hint="choose another port in --receive, or stop what uses this one",
        ) from error


def _untraced() -> None:
    attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))

"""Running the server: in the foreground for the command line, in a thread for demos and tests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Collection, Generator
from contextlib import contextmanager
from datetime import timedelta

import msgspec
import uvicorn
from starlette.applications import Starlette

from otel_humanloop.errors import SettingsError
from otel_humanloop.server.app import create_app
from otel_humanloop.server.guard import is_loopback
from otel_humanloop.server.keyring import Keyring
from otel_humanloop.server.providers import ProviderSettings
from otel_humanloop.server.retention import retention
from otel_humanloop.server.store import Store, keys, open_store
from otel_humanloop.settings import DEFAULT_PORT


class RunningServer(msgspec.Struct, frozen=True):
    """A server that answers.

    Attributes:
        url: Where, without a path: `http://127.0.0.1:49152`. The API is below `/v4`.
        store: What it keeps everything in.
    """

    url: str
    store: Store


class Listening:
    """A server whose database is open and whose address is its own: whoever comes waits until it is `run`.

    Attributes:
        url: Where, without a path: `http://127.0.0.1:49152`. The API is below `/v4`.
        store: What it keeps everything in.
    """

    def __init__(self, listener: socket.socket, store: Store, app: Starlette, keyring: Keyring) -> None:
        self.url = _url(listener)
        self.store = store
        self._listener = listener
        self._app = app
        self._keyring = keyring

    def opens(self, key: str) -> bool:
        """May the bearer of this key come in? So may anyone where there has never been a key."""
        return self._keyring.admits(key)

    def run(self) -> None:
        """Answers until the process is told to stop (SIGINT, SIGTERM); then finishes what has come in."""
        _server(self._app).run(sockets=[self._listener])


@contextmanager
def listening(
    *,
    database: str,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    api_keys: Collection[str] = (),
    strict_parents: bool = False,
    allowed_hosts: Collection[str] = (),
    rate_limit: int | None = None,
    providers: ProviderSettings | None = None,
    keep: timedelta | None = None,
) -> Generator[Listening, None, None]:
    """A server that can be run, until the end of the block.

    Args:
        port: 0 for any that is free.
        keep: For how long logs are kept after they ended; None for ever.

    Raises:
        SettingsError: The address would be open to others without an API key, or cannot be had; or the database
            cannot be opened.
    """
    with (
        open_store(database) as store,
        _listen(host, port, keyless=not api_keys and not store.read(keys.known).digests) as listener,
        retention(store, keep),
    ):
        keyring = Keyring(store, api_keys)
        app = create_app(
            store,
            providers=providers,
            api_keys=api_keys,
            strict_parents=strict_parents,
            allowed_hosts=allowed_hosts,
            rate_limit=rate_limit,
        )
        yield Listening(listener, store, app, keyring)


@contextmanager
def running(
    *,
    store: Store,
    host: str = "127.0.0.1",
    port: int = 0,
    api_keys: Collection[str] = (),
    strict_parents: bool = False,
    providers: ProviderSettings | None = None,
) -> Generator[RunningServer, None, None]:
    """A server in a thread of this process, on a free port unless one is given; stopped at the end.

    `with open_store("sqlite://") as store, running(store=store) as server: server.url`
    """
    with _listen(host, port, keyless=not api_keys) as listener:
        app = create_app(store, providers=providers, api_keys=api_keys, strict_parents=strict_parents)
        server = _server(app)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="otel-humanloop-server", daemon=True
        )
        thread.start()  # the socket listens already: whoever comes before uvicorn waits in its queue
        try:
            yield RunningServer(_url(listener), store)
        finally:
            server.should_exit = True
            thread.join()


def _server(app: Starlette) -> uvicorn.Server:
    server = uvicorn.Server(_config(app))
    app.state.stopping = lambda: server.should_exit
    return server


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=5,
    )


def _listen(host: str, port: int, *, keyless: bool) -> socket.socket:
    if keyless and not is_loopback(host):
        raise SettingsError(
            f"the host is `{host}`, which others can reach, but there is no API key",
            hint="give an API key (--api-key KEY), make one (otel-humanloop keys add NAME), or listen on 127.0.0.1",
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise SettingsError(
            f"the server cannot listen on {host} port {port}: {error.strerror or error}",
            hint="choose another port (--port), or stop what uses this one",
        ) from error


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

"""Running the server: in the foreground for the command line, alone or by several workers; in a thread for demos."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Collection, Generator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import uvicorn
from starlette.applications import Starlette

from otel_humanloop.errors import SettingsError
from otel_humanloop.hosts import authority, is_loopback
from otel_humanloop.listening import listen
from otel_humanloop.server.app import create_app
from otel_humanloop.server.keyring import Keyring
from otel_humanloop.server.providers import ProviderSettings
from otel_humanloop.server.rate import RateLimit, SharedBuckets
from otel_humanloop.server.retention import retention
from otel_humanloop.server.store import Store, keys, open_store
from otel_humanloop.server.workers import supervise
from otel_humanloop.settings import DEFAULT_PORT


class RunningServer(msgspec.Struct, frozen=True):
    """A server that answers.

    Attributes:
        url: Where, without a path: `http://127.0.0.1:49152`. The API is below `/v4`.
        store: What it keeps everything in.
    """

    url: str
    store: Store


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a server is started with, for each process that answers.

    Attributes:
        buckets: The file in which its processes share the counts of requests; None where it has one process.
    """

    database: str
    api_keys: tuple[str, ...] = ()
    strict_parents: bool = False
    allowed_hosts: tuple[str, ...] = ()
    rate_limit: int | None = None
    buckets: str | None = None
    providers: ProviderSettings | None = None

    def app(self, store: Store) -> Starlette:
        """The application, on a store that is open."""
        buckets = None if self.buckets is None else SharedBuckets(self.buckets)
        return create_app(
            store,
            providers=self.providers,
            api_keys=self.api_keys,
            strict_parents=self.strict_parents,
            allowed_hosts=self.allowed_hosts,
            rate_limit=None if self.rate_limit is None else RateLimit(self.rate_limit, buckets),
        )


class Listening:
    """A server whose database is open and whose address is its own: whoever comes waits until it is `run`.

    Attributes:
        url: Where, without a path: `http://127.0.0.1:49152`. The API is below `/v4`.
        store: What it keeps everything in.
    """

    def __init__(self, plan: Plan, listener: socket.socket, store: Store, *, workers: int) -> None:
        self.url = _url(listener)
        self.store = store
        self._plan = plan
        self._listener = listener
        self._workers = workers
        self._keyring = Keyring(store, plan.api_keys)

    def opens(self, key: str) -> bool:
        """May the bearer of this key come in? So may anyone where there has never been a key."""
        return self._keyring.admits(key)

    def run(
        self,
        *,
        ready: Callable[[], None] | None = None,
        metrics: Callable[[], tuple[bytes, str]] | None = None,
    ) -> None:
        """Answers until the process is told to stop (SIGINT, SIGTERM); then finishes what has come in.

        Args:
            ready: Called in each process that answers, once all it needs is loaded; can be pickled.
            metrics: What `/metrics` answers, and its media type; not asked where several processes answer.
        """
        if self._workers > 1:
            supervise(partial(_answer, self._plan, ready), self._listener, self._workers)
        else:
            app = self._plan.app(self.store)
            app.state.metrics = metrics
            server = _server(app)
            if ready is not None:
                ready()
            server.run(sockets=[self._listener])


@contextmanager
def listening(
    plan: Plan,
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    keep: timedelta | None = None,
    workers: int = 1,
) -> Generator[Listening, None, None]:
    """A server that can be run, until the end of the block.

    Args:
        port: 0 for any that is free.
        keep: For how long logs are kept after they ended; None for ever.
        workers: How many processes answer.

    Raises:
        SettingsError: The address would be open to others without an API key, or cannot be had; or the database
            cannot be opened.
    """
    if workers > 1 and plan.database in _PASSING:
        raise SettingsError(
            f"the database `{plan.database}` ends with its process, but there are to be {workers} of them",
            hint="name a file (--database sqlite:///PATH) or a PostgreSQL, or leave out --workers",
        )
    with ExitStack() as stack:
        store = stack.enter_context(open_store(plan.database))
        keyless = not plan.api_keys and not store.read(keys.known).digests
        listener = stack.enter_context(_listen(host, port, keyless=keyless))
        stack.enter_context(retention(store, keep))
        if workers > 1 and plan.rate_limit is not None:
            folder = stack.enter_context(TemporaryDirectory(prefix="otel-humanloop-"))
            plan = msgspec.structs.replace(plan, buckets=str(Path(folder) / "buckets.db"))
        yield Listening(plan, listener, store, workers=workers)


_PASSING = ("sqlite:", "sqlite://", "sqlite:///", "sqlite:///:memory:")
"""Databases that last as long as their store is open."""


def _answer(plan: Plan, ready: Callable[[], None] | None, listener: socket.socket, is_told: Callable[[], bool]) -> None:
    """A worker's work."""
    with open_store(plan.database) as store, _answering(plan.app(store), listener) as thread:
        if ready is not None:
            ready()
        while thread.is_alive() and not is_told():
            pass  # to be told takes a moment


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
        with _answering(app, listener):
            yield RunningServer(_url(listener), store)


@contextmanager
def _answering(app: Starlette, listener: socket.socket) -> Generator[threading.Thread, None, None]:
    """A thread that answers, until the end of the block; what came in is finished then."""
    server = _server(app)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="otel-humanloop-server", daemon=True
    )
    thread.start()  # the socket listens already: whoever comes before uvicorn waits in its queue
    try:
        yield thread
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
    try:
        return listen(host, port)
    except OSError as error:
        raise SettingsError(
            f"the server cannot listen on {host} port {port}: {error.strerror or error}",
            hint="choose another port (--port), or stop what uses this one",
        ) from error


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{authority(host, port)}"

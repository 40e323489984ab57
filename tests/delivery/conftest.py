"""Servers that misbehave on purpose, on real sockets, and settings that point to them."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from peer import Peer

from otel_humanloop.settings import Settings, load


@pytest.fixture
def settings_for() -> Callable[..., Settings]:
    """Settings of the given values and nothing from the environment."""

    def settings_for(base_url: str = "https://humanloop.example/v4", **others: Any) -> Settings:
        return load({"base_url": base_url, **others}, environ={})

    return settings_for


@pytest.fixture
def listen() -> Iterator[Callable[[Callable[[Peer], None]], int]]:
    """Serves each connection with the given function, in a thread of its own; gives the port."""
    with contextlib.ExitStack() as stack:
        threads: list[threading.Thread] = []

        def listen(serve: Callable[[Peer], None]) -> int:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def one(connection: socket.socket, number: int) -> None:
                # The client hangs up in the middle of much of this; that is not the server's failure.
                with connection, contextlib.suppress(OSError):
                    serve(Peer(connection, number))

            def accept() -> None:
                for number in range(1_000):
                    try:
                        connection, _ = listener.accept()
                    except OSError:
                        return
                    connection.settimeout(10)
                    thread = threading.Thread(target=one, args=(connection, number), daemon=True)
                    threads.append(thread)
                    thread.start()

            acceptor = threading.Thread(target=accept, daemon=True)
            acceptor.start()

            def stop() -> None:
                # accept() does not notice that its socket is closed under it, but it does notice a shutdown.
                with contextlib.suppress(OSError):
                    listener.shutdown(socket.SHUT_RDWR)
                acceptor.join(10)

            stack.callback(stop)
            return int(listener.getsockname()[1])

        yield listen
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()

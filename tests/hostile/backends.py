"""Backends that are as bad as networks and servers get, each on loopback, as a base URL to send to."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

from peer import Peer

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def _answer(status: bytes, body: bytes = b"", more: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status, more, len(body), body)


def _says_nothing(peer: Peer) -> None:
    peer.until_gone()


def _hangs_up(peer: Peer) -> None:
    peer.request()


def _answers(status: bytes, body: bytes = b"", more: bytes = b"") -> Callable[[Peer], None]:
    def serve(peer: Peer) -> None:
        while peer.request():
            peer.send(_answer(status, body, more))

    return serve


def _dribbles(peer: Peer) -> None:
    """An answer whose body never comes to an end."""
    peer.request()
    peer.send(OK + b"Content-Length: 1000000\r\n\r\n")
    peer.quiet(60)


def _is_slow(peer: Peer) -> None:
    while peer.request():
        peer.quiet(0.7)
        peer.send(_answer(b"503 Service Unavailable"))


BACKENDS: dict[str, Callable[[Peer], None]] = {
    "black hole": _says_nothing,
    "hangs up": _hangs_up,
    "slow": _is_slow,
    "endless": _dribbles,
    "unauthorized": _answers(b"401 Unauthorized", b'{"detail": "no such key"}'),
    "not found": _answers(b"404 Not Found"),
    "refuses": _answers(b"422 Unprocessable Entity", b'{"detail": "never"}'),
    "too large": _answers(b"413 Content Too Large"),
    "fails": _answers(b"500 Internal Server Error"),
    "asks to wait": _answers(b"429 Too Many Requests", more=b"Retry-After: 3600\r\n"),
    "malformed": _answers(b"200 OK", b"<html>welcome</html>"),
    "garbage": lambda peer: peer.send(b"\x00\x01\x02 not http at all\r\n\r\n"),
    "redirects nowhere": _answers(b"302 Found", more=b"Location: http://[/v4/logs\r\n"),
    "redirects": _answers(b"302 Found", more=b"Location: https://login.example/\r\n"),
}
"""What serves a connection. Besides these: `dead`, `no TLS` and `no name`, where there is no such connection."""

EVERY = [*BACKENDS, "dead", "no TLS", "no name"]


@contextlib.contextmanager
def backend(kind: str) -> Iterator[str]:
    """A backend of that kind, for as long as the block; its base URL."""
    if kind == "no name":
        yield "http://humanloop.invalid/v4"
        return
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        if kind == "dead":
            listener.close()
            yield f"http://127.0.0.1:{port}/v4"
            return
        serve = BACKENDS["fails" if kind == "no TLS" else kind]
        threads: list[threading.Thread] = []

        def one(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                serve(Peer(connection, 0))

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.settimeout(30)
                threads.append(threading.Thread(target=one, args=(connection,), daemon=True))
                threads[-1].start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        yield f"http{'s' if kind == 'no TLS' else ''}://127.0.0.1:{port}/v4"
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        acceptor.join(10)

"""A server's end of a connection, for tests that need one to misbehave."""

from __future__ import annotations

import contextlib
import socket


class Peer:
    """One end of an accepted connection, for a test to read requests from and to answer as badly as it likes."""

    def __init__(self, connection: socket.socket, number: int) -> None:
        self.connection = connection
        self.number = number
        self._read = b""

    def request(self) -> bytes:
        """The next whole request, head and body; empty when the client has gone."""
        while b"\r\n\r\n" not in self._read:
            if not self._more():
                return b""
        head, _, rest = self._read.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        length = int(lengths[0]) if lengths else 0
        while len(rest) < length:
            if not self._more():
                return b""
            rest = self._read.partition(b"\r\n\r\n")[2]
        self._read = rest[length:]
        return head + b"\r\n\r\n" + rest[:length]

    def _more(self) -> bool:
        chunk = self.connection.recv(65536)
        self._read += chunk
        return bool(chunk)

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def quiet(self, seconds: float) -> None:
        """Says nothing for so long, or until the client closes."""
        self.connection.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            self._more()
        self.connection.settimeout(10)

    def until_gone(self) -> None:
        """Says nothing more, until the client closes."""
        while self._more():
            pass

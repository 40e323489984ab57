"""Sockets that servers listen at."""

from __future__ import annotations

import socket


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 is any that is free.

    What is answered leaves at once. Where the system gathers small packets, an answer in two parts waits some 40 ms
    for the client to confirm the first; asyncio sees to that only for sockets whose protocol was named.

    Raises:
        OSError: The address cannot be had.
    """
    listener = socket.create_server(
        (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048
    )
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each connection it accepts has it from here
    return listener

"""Answers leave at once, whoever asks: an answer in two packets does not wait for the first to be confirmed."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from otel_humanloop.listening import listen


def test_connections_that_are_accepted_do_not_gather_small_packets() -> None:
    with closing(listen("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as asking:
        accepted, address = listener.accept()
        with accepted:
            assert address == asking.getsockname()
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_an_address_that_is_taken_cannot_be_had() -> None:
    with closing(listen("127.0.0.1", 0)) as listener, pytest.raises(OSError, match="in use"):
        listen(*listener.getsockname())

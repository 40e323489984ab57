"""Why there was no answer, in plain words: the name, the port, the certificate, the proxy, the time."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from otel_humanloop.errors import Unavailable


def unavailable(error: Exception, *, host: str, port: int, timeout: float) -> Unavailable:
    """What kept a request from being answered.

    Args:
        error: What httpx raised.
        host, port: Where the request was meant to go.
        timeout: Seconds it was given.
    """
    import httpx

    place = f"{host}:{port}"
    if isinstance(error, httpx.ConnectTimeout):
        return Unavailable(
            f"no connection to {place} within {timeout:g} s", hint="a firewall may be dropping it without a word"
        )
    if isinstance(error, httpx.TimeoutException):
        return Unavailable(
            f"{place} did not answer within {timeout:g} s", hint="HUMANLOOP_TIMEOUT is how long a request may take"
        )
    if isinstance(error, httpx.ProxyError):
        return Unavailable(
            f"the proxy on the way to {place} refused: {error}",
            hint="HTTP_PROXY, HTTPS_PROXY and NO_PROXY say which hosts go through a proxy",
        )
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return Unavailable(
                f"the name {host} could not be resolved: {cause.strerror}",
                hint="is the host in HUMANLOOP_BASE_URL spelled right, and reachable from here?",
            )
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unavailable(
                f"the certificate of {place} was not accepted: {cause.verify_message}",
                hint="SSL_CERT_FILE can name the certificates to trust",
            )
        if isinstance(cause, ssl.SSLError):
            return Unavailable(
                f"no TLS connection to {place}: {cause.reason or cause}",
                hint="does that port speak https? HUMANLOOP_BASE_URL may have to begin with http://",
            )
        if isinstance(cause, ConnectionRefusedError):
            return Unavailable(
                f"nothing listens at {place}",
                hint="start one with `otel-humanloop serve`, or set HUMANLOOP_BASE_URL to where Humanloop is",
            )
    if isinstance(error, httpx.ConnectError):
        return Unavailable(f"no connection to {place}: {error}")
    return Unavailable(f"the connection to {place} broke before the answer was complete: {error}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, outermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__

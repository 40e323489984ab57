"""Who may come in.

With API keys, whoever shows one. Without, only programs of this machine: and a web page that a browser of this machine
shows is none, so requests that such a page can cause are refused. It can name a foreign host that it made resolve to
this address (DNS rebinding), which the `Host` header gives away, and it can post across sites, which `Origin` and
`Sec-Fetch-Site` give away.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from otel_humanloop.hosts import is_loopback
from otel_humanloop.server.failures import RequestFailed, answer
from otel_humanloop.server.keyring import Keyring
from otel_humanloop.server.rate import RateLimit
from otel_humanloop.server.viewer import sign_in

_OPEN = ("/healthz", "/readyz")
"""Paths a load balancer asks without a key."""


class Guard:
    """Lets requests through to `app`, or answers 401, 403 or 429.

    Args:
        keyring: Whoever shows a key it knows may come in.
        allowed_hosts: Host names that mean this server, besides those of the loopback interface.
        rate: How often each key may call the API; None for as often as it likes.
    """

    def __init__(
        self, app: ASGIApp, *, keyring: Keyring, allowed_hosts: Collection[str] = (), rate: RateLimit | None = None
    ) -> None:
        self._app = app
        self._keyring = keyring
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts)
        self._rate = rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _OPEN:
            try:
                await self._keyring.refresh()
                self._check(Headers(scope=scope), scope["path"], scope["method"])
            except RequestFailed as error:
                await self._refused(error, scope)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refused(self, error: RequestFailed, scope: Scope) -> Response:
        asked = None
        if error.status == 401 and not _is_api(scope["path"]):
            asked = sign_in.show_in(scope["method"], scope["path"], Headers(scope=scope))
        return asked or answer(error.status, error.message, headers=error.headers)

    def _check(self, headers: Headers, path: str, method: str) -> None:
        if self._keyring.locked:
            self._check_key(headers, path)
        else:
            self._check_local(headers, method)
        if self._rate is not None and _is_api(path):
            wait = self._rate.wait(headers.get("x-api-key", "") if self._keyring.locked else "", time.monotonic())
            if wait:
                message = f"more requests than this key may make; the next may come in {wait} s"
                raise RequestFailed(429, message, headers={"Retry-After": str(wait)})

    def _check_key(self, headers: Headers, path: str) -> None:
        api = _is_api(path)
        key = headers.get("x-api-key")
        if key is None and not api:
            if path.startswith(sign_in.OPEN) or sign_in.has_ticket(headers.get("cookie", ""), self._keyring.digests()):
                return
            key = _password(headers.get("authorization", ""))
        if key is not None and self._keyring.opens(key):
            return
        message = "the API key is missing" if key is None else "the API key is not one of this server's"
        # only pages ask a browser for the key; it would send it along to the API whoever caused the request
        asks = {} if api else {"WWW-Authenticate": 'Basic realm="otel-humanloop: any name, an API key as password"'}
        raise RequestFailed(401, message, headers=asks)

    def _check_local(self, headers: Headers, method: str) -> None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            raise RequestFailed(
                403, f"the Host `{host}` is not this server: without an API key it answers to loopback names only"
            )
        origin = headers.get("origin")
        if origin is not None and _host_of(origin) != host.lower():
            raise RequestFailed(403, f"a page of `{origin}` may not reach this server, which has no API key")
        navigates = headers.get("sec-fetch-mode") == "navigate" and method in ("GET", "HEAD")
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and not navigates:
            raise RequestFailed(403, "a page of another site may not reach this server, which has no API key")

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        return name is not None and (is_loopback(name) or name in self._allowed_hosts)


def _host_of(origin: str) -> str | None:
    """Host and port of an `Origin`, in small letters; None of one that is no address."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _is_api(path: str) -> bool:
    return path == "/v4" or path.startswith("/v4/")


def _password(authorization: str) -> str | None:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except ValueError:  # no base64, or no text
        return None

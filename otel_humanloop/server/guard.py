"""Who may come in.

With API keys, whoever shows one. Without, only programs of this machine: and a web page that a browser of this machine
shows is none, so requests that such a page can cause are refused. It can name a foreign host that it made resolve to
this address (DNS rebinding), which the `Host` header gives away, and it can post across sites, which `Origin` and
`Sec-Fetch-Site` give away.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from otel_humanloop.server.failures import RequestFailed, answer
from otel_humanloop.server.viewer import sign_in

_OPEN = ("/healthz", "/readyz")
"""Paths a load balancer asks without a key."""


class Guard:
    """Lets requests through to `app`, or answers 401 or 403.

    Args:
        api_keys: Whoever shows one of these may come in. Held only as hashes.
        allowed_hosts: Host names that mean this server, besides those of the loopback interface.
    """

    def __init__(self, app: ASGIApp, *, api_keys: Collection[str], allowed_hosts: Collection[str] = ()) -> None:
        self._app = app
        self._digests = digests_of(api_keys)
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _OPEN:
            try:
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
        if self._digests:
            self._check_key(headers, path)
        else:
            self._check_local(headers, method)

    def _check_key(self, headers: Headers, path: str) -> None:
        api = _is_api(path)
        key = headers.get("x-api-key")
        if key is None and not api:
            if path.startswith(sign_in.OPEN) or sign_in.has_ticket(headers.get("cookie", ""), self._digests):
                return
            key = _password(headers.get("authorization", ""))
        if key is not None and self._known(key):
            return
        message = "the API key is missing" if key is None else "the API key is not one of this server's"
        # only pages ask a browser for the key; it would send it along to the API whoever caused the request
        asks = {} if api else {"WWW-Authenticate": 'Basic realm="otel-humanloop: any name, an API key as password"'}
        raise RequestFailed(401, message, headers=asks)

    def _known(self, key: str) -> bool:
        shown = _digest(key)
        return any([hmac.compare_digest(shown, digest) for digest in self._digests])  # noqa: C419 - all, every time

    def _check_local(self, headers: Headers, method: str) -> None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            raise RequestFailed(
                403, f"the Host `{host}` is not this server: without an API key it answers to loopback names only"
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
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


def is_loopback(host: str) -> bool:
    """Does this name or address mean the machine itself, wherever it is looked up?"""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def digests_of(api_keys: Collection[str]) -> list[bytes]:
    """SHA-256 of each key: what is kept of it."""
    return [_digest(key) for key in api_keys]


def _is_api(path: str) -> bool:
    return path == "/v4" or path.startswith("/v4/")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _password(authorization: str) -> str | None:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None

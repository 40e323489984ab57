"""Signing in: an API key shown once becomes a ticket, which the browser keeps in a cookie.

A ticket says until when it is good, and is sealed with the key's digest. So the key itself is in no cookie, a key that
is revoked takes its tickets with it, and several servers with the same keys know each other's tickets. Tickets open
pages, never the API: a page of another site could have a browser send one along.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from otel_humanloop.server.failures import RequestFailed
from otel_humanloop.server.viewer.forms import form_of
from otel_humanloop.server.viewer.showing import HEADERS, page, render

COOKIE = "otel_humanloop_ticket"

OPEN = ("/sign-in", "/viewer/")
"""What must be seen to sign in: a path, and the beginning of paths of scripts and styles."""

_LASTS = 30 * 86_400
"""Seconds a ticket is good for."""

Digests = Callable[[], Collection[bytes]]
"""SHA-256 of every API key, as of now; none where the server has no keys."""


class Visitor(msgspec.Struct, frozen=True):
    """Who looks at a page: whether by a ticket, and what its forms must carry to be heard."""

    signed_in: bool
    token: str


class Desk:
    """Where one signs in and out.

    Args:
        digests: Of the API keys.
    """

    def __init__(self, digests: Digests) -> None:
        self._digests = digests
        self._secret = secrets.token_bytes(32)

    def visitor(self, request: Request) -> Visitor:
        """Who sent a request that was let in."""
        ticket = request.cookies.get(COOKIE, "")
        digest = holder(ticket, self._digests())
        # where nobody signs in, the seal of this process has to do
        return Visitor(digest is not None, _seal(digest or self._secret, f"form of {ticket if digest else ''}"))

    async def read_form(self, request: Request) -> Mapping[str, str]:
        """A form of one of our own pages.

        Raises:
            RequestFailed: It carries no token of this visitor's.
        """
        form = await form_of(request)
        if not hmac.compare_digest(form.get("token", "").encode(), self.visitor(request).token.encode()):
            raise RequestFailed(403, "the form is not of a page of this server, or too old: load the page again")
        return form

    async def ask(self, request: Request) -> Response:
        """`GET /sign-in`."""
        return _asking(request.query_params.get("next", "/"))

    async def sign_in(self, request: Request) -> Response:
        """`POST /sign-in`: the key, for a ticket."""
        form = await form_of(request)
        next = _ours(form.get("next", "/"))
        shown = hashlib.sha256(form.get("key", "").strip().encode()).digest()
        if not any([hmac.compare_digest(shown, digest) for digest in self._digests()]):  # noqa: C419 - all, every time
            return _asking(next, wrong=True)
        answer = RedirectResponse(next, 303, headers=HEADERS)
        answer.set_cookie(
            COOKIE,
            ticket_of(shown, time.time()),
            max_age=_LASTS,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    async def sign_out(self, request: Request) -> Response:
        """`POST /sign-out`."""
        await self.read_form(request)
        answer = RedirectResponse("/sign-in", 303, headers=HEADERS)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer


def ticket_of(digest: bytes, now: float) -> str:
    """A ticket for whoever showed the key of that digest. `now` in seconds since the epoch."""
    until = str(int(now) + _LASTS)
    return f"{until}.{_seal(digest, until)}"


def holder(ticket: str, digests: Collection[bytes], now: float | None = None) -> bytes | None:
    """The digest of the key a ticket was given for, if it is good."""
    until, _, seal = ticket.partition(".")
    if not (until.isascii() and until.isdecimal()) or len(until) > 12:
        return None
    if int(until) < (time.time() if now is None else now):
        return None
    fits = [digest for digest in digests if hmac.compare_digest(_seal(digest, until).encode(), seal.encode())]
    return fits[0] if fits else None


def has_ticket(cookies: str, digests: Collection[bytes]) -> bool:
    """Does a `Cookie` header hold a good ticket?"""
    try:
        found = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return False
    return found is not None and holder(found.value, digests) is not None


def show_in(method: str, path: str, headers: Mapping[str, str]) -> Response | None:
    """What a browser that asked for a page without a key or a ticket is told; None for what is no browser."""
    if method != "GET" or "text/html" not in headers.get("accept", ""):
        return None
    if headers.get("sec-fetch-site") == "cross-site":
        # A strict cookie does not come along on a link from elsewhere. Asked for again by our own page, it does.
        return page('<!doctype html><meta http-equiv="refresh" content="0"><title>otel-humanloop</title>')
    return RedirectResponse(f"/sign-in?next={quote(path, safe='/')}", 303, headers=HEADERS)


def _asking(next: str, *, wrong: bool = False) -> Response:
    return page(render("sign-in.html", next=_ours(next), wrong=wrong), status=401 if wrong else 200)


def _ours(address: str) -> str:
    """An address on this server; the first page in place of any other."""
    is_ours = address.startswith("/") and not address.startswith("//") and address.isprintable() and "\\" not in address
    return address if is_ours else "/"


def _seal(secret: bytes, said: str) -> str:
    return hmac.new(secret, f"otel-humanloop {said}".encode(), hashlib.sha256).hexdigest()

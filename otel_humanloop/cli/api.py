"""Humanloop's v4 API as the command line reads it: sessions and their logs.

It asks for what the published contract does not have, and the server of this package does: sessions without a project,
sessions by reference id, logs by session.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from otel_humanloop.delivery.answers import Answer, reason, secrets_of
from otel_humanloop.delivery.failures import unavailable
from otel_humanloop.errors import DecodeError, DeliveryError, HumanloopError, Refused, SettingsError, Unavailable
from otel_humanloop.settings import Settings

if TYPE_CHECKING:
    import httpx

PAGE = 100
"""Records asked for at once."""

SEARCHED = 10_000
"""How many of the newest sessions are looked through for one whose id starts as given."""

_T = TypeVar("_T")

_ID = re.compile(r"sesh_[0-9A-Za-z]{21}")


class _Page(msgspec.Struct):
    records: list[dict[str, Any]]
    total: int


class Api:
    """A connection to `settings.base_url`, to be used in a `with` block.

    Every method raises `Unavailable` where nothing answers, `Refused` where the answer is no, `DecodeError` where the
    answer is not what v4 promises.
    """

    def __init__(self, settings: Settings, *, transport: httpx.BaseTransport | None = None) -> None:
        import httpx

        headers = {"Accept": "application/json"}
        if settings.api_key is not None:
            headers["X-API-KEY"] = settings.api_key
        self._base_url = settings.base_url
        self._timeout = settings.timeout
        self._secrets = secrets_of(settings.api_key, settings.base_url)
        try:
            self._url = httpx.URL(settings.base_url)
            self._http = httpx.Client(timeout=settings.timeout, headers=headers, transport=transport)
        except (httpx.InvalidURL, ValueError, ImportError, OSError) as error:
            raise SettingsError(
                f"no HTTP client can be made: {error}",
                hint="look at HUMANLOOP_BASE_URL, HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR",
            ) from error

    def __enter__(self) -> Api:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def sessions(self, *, limit: int, project: str | None = None) -> list[dict[str, Any]]:
        """The newest sessions, newest first.

        Args:
            limit: At most how many.
            project: The name of a project of which a session must hold a log.
        """
        asked = {} if project is None else {"project_id": self._project_id(project)}
        found: list[dict[str, Any]] = []
        for session in self._pages("/sessions", first=1, size=min(limit, PAGE), **asked):
            found.append(session)
            if len(found) == limit:
                break
        return found

    def session(self, name: str) -> dict[str, Any]:
        """One session, by its id, the unique start of its id (with or without `sesh_`), or its reference id.

        Raises:
            HumanloopError: No session is called that, or several are.
        """
        if _ID.fullmatch(name):
            return self._get(f"/sessions/{name}", dict[str, Any])
        by_reference = next(self._pages("/sessions", first=1, size=1, reference_id=name), None)
        if by_reference is not None:
            return by_reference
        start = name if name.startswith("sesh_") else f"sesh_{name}"
        matching = [session for session in self.sessions(limit=SEARCHED) if str(session.get("id")).startswith(start)]
        if len(matching) == 1:
            return matching[0]
        if matching:
            raise HumanloopError(
                f"`{name}` is the start of {len(matching)} sessions",
                hint="give more of its id: " + ", ".join(str(session["id"]) for session in matching[:5]),
            )
        raise HumanloopError(f"there is no session `{name}`", hint="otel-humanloop sessions lists them")

    def logs(self, session_id: str) -> list[dict[str, Any]]:
        """Every log of a session once, in the server's order."""
        # A log that arrives between two pages moves the others along, so that one may come twice.
        logs = self._pages("/logs", first=0, size=PAGE, session_id=session_id)
        return list({str(log.get("id")): log for log in logs}.values())

    def ask(self) -> None:
        """Asks for the least there is: returns where the API answers and takes the key."""
        self._get("/projects", _Page, page=0, size=1)

    def _project_id(self, name: str) -> str:
        for project in self._pages("/projects", first=0, size=PAGE, filter=name):
            if project.get("name") == name:
                return str(project.get("id"))
        raise HumanloopError(f"there is no project `{name}`")

    def _pages(self, path: str, *, first: int, size: int, **asked: str) -> Iterator[dict[str, Any]]:
        """Every record of a list, in the order of its pages."""
        seen = 0
        page = first
        while True:
            answer = self._get(path, _Page, page=page, size=size, **asked)
            yield from answer.records
            seen += len(answer.records)
            page += 1
            if not answer.records or seen >= answer.total:
                return

    def _get(self, path: str, shape: type[_T], **query: str | int) -> _T:
        import httpx

        url = self._base_url + path
        try:
            answer = self._http.get(url, params=query)
        except httpx.HTTPError as error:
            port = self._url.port or (443 if self._url.scheme == "https" else 80)
            raise unavailable(error, host=self._url.host, port=port, timeout=self._timeout) from error
        if answer.status_code != 200:
            raise self._no(answer)
        try:
            return msgspec.json.decode(answer.content, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DecodeError(
                f"the answer of {without_credentials(url)} is not what Humanloop's v4 API promises: {error}",
                hint=_ADDRESS,
            ) from error

    def _no(self, answer: httpx.Response) -> DeliveryError:
        """The error an answer other than 200 stands for."""
        status = answer.status_code
        said = Answer(
            url=str(answer.url),
            status=status,
            headers=answer.headers,
            content=answer.content,
            secrets=self._secrets,
        )
        if status in (408, 429) or status >= 500:
            return Unavailable(f"Humanloop answered {status}: {reason(said)}", hint="try again in a moment")
        return Refused(status, reason(said), hint=_HINTS.get(status))


_ADDRESS = "set HUMANLOOP_BASE_URL to the address of the API, /v4 included"

_HINTS = {401: "set HUMANLOOP_API_KEY to a key this server knows", 404: _ADDRESS, 405: _ADDRESS}


def page_address(base_url: str, session_id: str) -> str:
    """Where the server of this package shows a session to a browser."""
    return f"{without_credentials(base_url).removesuffix('/v4')}/sessions/{session_id}"


def without_credentials(url: str) -> str:
    """An address as it may be shown: without the name and password it may hold."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

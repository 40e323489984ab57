"""The one place that speaks HTTP: `POST /logs` with an array, `PATCH /logs?reference_id=`."""

from __future__ import annotations

import gzip
import time
from collections.abc import Mapping
from importlib.metadata import version
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from otel_humanloop.delivery import answers, failures
from otel_humanloop.errors import SettingsError
from otel_humanloop.settings import Settings

if TYPE_CHECKING:
    import httpx

MAX_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer that are read, decoded. 500 acknowledged logs take some 50 kB."""

_WORTH_COMPRESSING = 1024  # bytes; below, the headers of a packet weigh more than what is saved

_IDLE = 4.0  # seconds; shorter than the 5 s after which uvicorn closes, so that we never write into a closing one


class Client:
    """Sends encoded bodies to Humanloop, and says of each whether it was acknowledged.

    A method returns when Humanloop has acknowledged what it was given, and raises `Unavailable` (later, perhaps) or
    `Refused` (never) otherwise. One connection is kept open between requests. Redirects are not followed. Proxies
    and certificates come from the environment, as httpx reads it.

    `timeout` is in seconds, for a request with all its phases. What it does not bound: the system's look-up of a name,
    and a server that sends the headers of its answer byte by byte.

    Args:
        settings: `base_url`, `api_key` and `compression` are used.
        transport: What carries the requests, where it is not the network.

    Raises:
        SettingsError: No client can be made, because of `base_url` or of the proxies and certificates named in the
            environment.
    """

    def __init__(self, settings: Settings, *, transport: httpx.BaseTransport | None = None) -> None:
        # Importing this package must not cost an application what importing httpx does.
        import httpx

        headers = {
            "User-Agent": f"otel-humanloop/{version('otel-humanloop')}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        if settings.api_key is not None:
            headers["X-API-KEY"] = settings.api_key
        try:
            self._base_url = httpx.URL(settings.base_url)
            self._client = httpx.Client(
                headers=headers,
                transport=transport,
                follow_redirects=False,
                limits=httpx.Limits(max_keepalive_connections=1, keepalive_expiry=_IDLE),
            )
        except httpx.InvalidURL as error:
            raise SettingsError(
                f"HUMANLOOP_BASE_URL is `{settings.base_url}`, which is not an address: {error}",
                hint="it looks like https://host/v4",
            ) from error
        except (ValueError, ImportError, OSError) as error:
            raise SettingsError(
                f"no HTTP client can be made: {error}",
                hint="look at HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR",
            ) from error
        self._logs = f"{settings.base_url.rstrip('/')}/logs"
        self._compress = settings.compression == "gzip" or (
            settings.compression == "auto" and not _is_loopback(self._base_url.host)
        )

    def post_logs(self, body: bytes, *, timeout: float, count: int | None = None) -> None:
        """Creates the logs of `body`, the JSON of an array of `LogRequest`.

        `count` is how many there are, where the caller knows: as many have to be acknowledged.
        """
        answer = self._ask("POST", body, timeout, {})
        if (error := answers.created(answer, count, now=time.time())) is not None:
            raise error

    def patch_log(self, reference_id: str, body: bytes, *, timeout: float) -> None:
        """Gives the log of that reference id what `body`, the JSON of an `UpdateLogRequest`, holds."""
        answer = self._ask("PATCH", body, timeout, {"reference_id": reference_id})
        if (error := answers.updated(answer, now=time.time())) is not None:
            raise error

    def close(self) -> None:
        """Closes the connection. The client cannot be used afterwards."""
        self._client.close()

    def _ask(self, method: str, body: bytes, timeout: float, query: dict[str, str]) -> answers.Answer:
        import httpx

        headers: dict[str, str] = {}
        if self._compress and len(body) >= _WORTH_COMPRESSING:
            # Level 1: higher levels cost four times the time for a fifth fewer bytes.
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        until = time.monotonic() + timeout
        try:
            with self._client.stream(
                method, self._logs, content=body, params=query, headers=headers, extensions=_ending(until)
            ) as response:
                content, complete = _read(response, until)
        except httpx.HTTPError as error:
            port = self._base_url.port or (443 if self._base_url.scheme == "https" else 80)
            raise failures.unavailable(error, host=self._base_url.host, port=port, timeout=timeout) from error
        return answers.Answer(
            url=_without_credentials(self._logs),
            status=response.status_code,
            headers=response.headers,
            content=content,
            complete=complete,
        )


def _ending(until: float) -> dict[str, Any]:
    """httpx's request extensions that let every phase of a request have only the time that is left until then.

    httpx gives each phase (connect, write, read) the whole timeout anew. Each looks its timeout up when it begins, and
    the trace extension is called just before that.
    """
    timeouts: dict[str, float] = {}

    def shorten(_event: str, _info: Mapping[str, Any]) -> None:
        # Not 0: a socket with no time at all does not fail, it stops blocking.
        timeouts.update(dict.fromkeys(("connect", "pool", "write", "read"), max(until - time.monotonic(), 0.001)))

    shorten("", {})
    return {"timeout": timeouts, "trace": shorten}


def _read(response: httpx.Response, until: float) -> tuple[bytes, bool]:
    """The answer's body, and whether it is all of it. Raises httpx.ReadTimeout past `until`, monotonic seconds."""
    import httpx

    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_bytes():
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_ANSWER:
            return b"".join(chunks)[:MAX_ANSWER], False
        if time.monotonic() > until:
            raise httpx.ReadTimeout("the answer's body comes too slowly", request=response.request)
    return b"".join(chunks), True


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

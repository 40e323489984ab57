"""The one place that speaks HTTP: `POST /logs` with an array, `PATCH /logs?reference_id=`, and attachments."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from otel_humanloop.attachments import PATH, Attachment
from otel_humanloop.delivery import answers, failures
from otel_humanloop.delivery.coding import Coding
from otel_humanloop.errors import SettingsError
from otel_humanloop.hosts import is_loopback
from otel_humanloop.settings import Settings
from otel_humanloop.version import VERSION

if TYPE_CHECKING:
    import ssl

    import httpx

MAX_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer that are read, decoded. 500 acknowledged logs take some 50 kB."""

_JSON = "application/json"

_LOGS = "/logs"

_IDLE = 4.0  # seconds; shorter than the 5 s after which uvicorn closes, so that we never write into a closing one


class Client:
    """Sends encoded bodies to Humanloop, and says of each whether it was acknowledged.

    A method returns when Humanloop has acknowledged what it was given, and raises `Unavailable` (later, perhaps) or
    `Refused` (never) otherwise. One connection is kept open between requests. Redirects are not followed. Proxies
    come from the environment as `urllib.request` reads it, certificates as httpx does. It speaks to httpx's transport
    and not through `httpx.Client`, which writes a line into the application's log for every request.

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
        # Importing this package must not cost an application what importing this does.
        import httpx

        headers = {
            "User-Agent": f"otel-humanloop/{VERSION}",
            "Accept": _JSON,
            "Accept-Encoding": "gzip, deflate",
        }
        if settings.api_key is not None:
            headers["X-API-KEY"] = settings.api_key
        try:
            self._base_url = httpx.URL(settings.base_url)
            if self._base_url.userinfo:
                headers["Authorization"] = _basic(self._base_url)
            # Made once: to read an address and to write headers takes as long as to send a small body.
            self._headers = httpx.Request("GET", self._base_url, headers=headers).headers.raw  # `Host` with them
            self._below = settings.base_url.rstrip("/")
            self._logs = httpx.URL(self._below + _LOGS)
            self._transport = transport or _network(self._base_url)
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
        self._secrets = answers.secrets_of(settings.api_key, settings.base_url)
        self._below_told = _without_credentials(self._below)
        self._coding = Coding(settings.compression, is_near=is_loopback(self._base_url.host))

    def post_logs(self, body: bytes, *, timeout: float, count: int | None = None) -> None:
        """Creates the logs of `body`, the JSON of an array of `LogRequest`.

        `count` is how many there are, where the caller knows: as many have to be acknowledged.
        """
        answer = self._ask("POST", _LOGS, body, timeout)
        if (error := answers.created(answer, count, now=time.time())) is not None:
            raise error

    def patch_log(self, reference_id: str, body: bytes, *, timeout: float) -> None:
        """Gives the log of that reference id what `body`, the JSON of an `UpdateLogRequest`, holds."""
        answer = self._ask("PATCH", _LOGS, body, timeout, query={"reference_id": reference_id})
        if (error := answers.updated(answer, now=time.time())) is not None:
            raise error

    def asks_for(self, sha256: str, *, timeout: float) -> bool | None:
        """Does it keep attachments, and want the one with that hash? None where it keeps none."""
        answer = self._ask("HEAD", f"/{PATH}/{sha256}", b"", timeout)
        return answers.attachment_asked_for(answer, now=time.time())

    def put_attachment(self, attachment: Attachment, *, timeout: float) -> None:
        """Brings an attachment to a server that asks for it."""
        path = f"/{PATH}/{attachment.sha256}"
        answer = self._ask("PUT", path, attachment.content, timeout, media_type=attachment.media_type)
        if (error := answers.attachment_taken(answer, now=time.time())) is not None:
            raise error

    def close(self) -> None:
        """Closes the connection. The client cannot be used afterwards."""
        self._transport.close()

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes,
        timeout: float,
        *,
        query: dict[str, str] | None = None,
        media_type: str = _JSON,
    ) -> answers.Answer:
        """Asks in the coding that is known to be taken, and once more in another where that turns out to be refused."""
        import httpx

        url = self._logs if path == _LOGS else httpx.URL(self._below + path)
        if query is not None:
            url = url.copy_merge_params(query)
        until = time.monotonic() + timeout
        while True:
            headers = [*self._headers, (b"Content-Type", media_type.encode())]
            sent, coding = self._coding.applied(body) if media_type == _JSON else (body, None)
            if coding is not None:
                headers.append((b"Content-Encoding", coding.encode()))
            if method != "HEAD":
                headers.append((b"Content-Length", b"%d" % len(sent)))
            # Given a stream, httpx leaves the headers as they are.
            request = httpx.Request(
                method,
                url,
                headers=headers,
                stream=httpx.ByteStream(sent),
                extensions={"timeout": _Remaining(until)},
            )
            answer = self._answer(request, path, until, timeout)
            if not self._coding.answered(answer.status, answer.headers, coding):
                return answer

    def _answer(self, request: httpx.Request, path: str, until: float, timeout: float) -> answers.Answer:
        import httpx

        try:
            response = self._transport.handle_request(request)
            response.request = request
            try:
                content, complete = _read(response, until)
            finally:
                response.close()
        except httpx.HTTPError as error:
            port = self._base_url.port or (443 if self._base_url.scheme == "https" else 80)
            raise failures.unavailable(error, host=self._base_url.host, port=port, timeout=timeout) from error
        return answers.Answer(
            url=self._below_told + path,
            status=response.status_code,
            headers=response.headers,
            content=content,
            complete=complete,
            secrets=self._secrets,
        )


def _network(url: httpx.URL) -> httpx.BaseTransport:
    """What carries requests to that address: directly, or through the proxy the environment names for it."""
    from urllib.request import getproxies, proxy_bypass

    import httpx

    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if proxy and (proxy_bypass(url.host) or proxy_bypass(f"{url.host}:{url.port}")):
        proxy = None
    return httpx.HTTPTransport(
        verify=_trust(url),
        proxy=None if not proxy else proxy if "://" in proxy else f"http://{proxy}",
        limits=httpx.Limits(max_keepalive_connections=1, keepalive_expiry=_IDLE),
    )


def _trust(url: httpx.URL) -> ssl.SSLContext | bool:
    """Whom to trust: over http nobody, for reading the certificates takes as long as importing httpx."""
    if url.scheme == "https":
        return True
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _basic(url: httpx.URL) -> str:
    """The `Authorization` (RFC 7617) of a name and password in an address."""
    return f"Basic {b64encode(f'{url.username}:{url.password}'.encode()).decode()}"


class _Remaining(Mapping[str, float]):
    """httpx's timeouts, in seconds, that let every phase of a request have only the time that is left until then.

    httpx gives each phase (connect, write, read) the whole timeout anew. Each looks its timeout up when it begins.
    """

    def __init__(self, until: float) -> None:
        self._until = until

    def __getitem__(self, phase: str) -> float:
        # Not 0: a socket with no time at all does not fail, it stops blocking.
        return max(self._until - time.monotonic(), 0.001)

    def __iter__(self) -> Iterator[str]:
        return iter(("connect", "pool", "write", "read"))

    def __len__(self) -> int:
        return 4


def _read(response: httpx.Response, until: float) -> tuple[bytes, bool]:
    """The answer's body, and whether it is all of it. Raises httpx.ReadTimeout past `until`, monotonic seconds."""
    import httpx

    assert isinstance(response.stream, httpx.SyncByteStream)
    chunks: list[bytes] = []
    size = 0
    # What needs no decoding is read as it comes: on the way through httpx's own reading it costs thrice as much.
    for chunk in response.iter_bytes() if "content-encoding" in response.headers else response.stream:
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_ANSWER:
            return b"".join(chunks)[:MAX_ANSWER], False
        if time.monotonic() > until:
            raise httpx.ReadTimeout("the answer's body comes too slowly", request=response.request)
    return b"".join(chunks), True


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

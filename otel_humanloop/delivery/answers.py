"""What an answer means: acknowledged, refused for ever, or unavailable for now.

| Status | Verdict |
|---|---|
| 2xx, with the body v4 promises | acknowledged |
| 2xx, with any other body | `Unavailable`: something between here and Humanloop answered |
| 408, 429, 5xx | `Unavailable`, with `Retry-After` where given |
| 3xx | `Refused`, saying where it points: no redirect is followed, for one may lead a key elsewhere |
| any other 4xx | `Refused`, with the server's reason |
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote, urljoin, urlsplit

import msgspec

from otel_humanloop.attachments import KNOWN_BY
from otel_humanloop.errors import DeliveryError, Refused, Unavailable
from otel_humanloop.v4 import CreateLogResponse

MAX_DETAIL = 1000
"""Characters of a server's reason that are kept."""

_SECRET = 4  # characters; what is shorter is found in any text

_MAX_REASON = 64 * 1024  # bytes of an answer in which a reason is looked for


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer to one request.

    Attributes:
        url: What was asked, without credentials.
        headers: Found whatever their case.
        content: Decoded of its content encoding.
        complete: Whether `content` is all of it; an answer may be longer than anyone wants to read.
        secrets: What was sent along and must not be told on, should the answer repeat it (`secrets_of`).
    """

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes
    complete: bool = True
    secrets: tuple[str, ...] = ()


def secrets_of(api_key: str | None, base_url: str) -> tuple[str, ...]:
    """What a request shows to be let in, in every form in which it is sent: the key, and a password in the address."""
    url = urlsplit(base_url)
    name, password = unquote(url.username or ""), unquote(url.password or "")
    basic = b64encode(f"{name}:{password}".encode()).decode()
    known = (api_key, password, url.password, basic if password else None)
    return tuple(secret for secret in known if secret is not None and len(secret) >= _SECRET)


class _Updated(msgspec.Struct, frozen=True):
    """The one field of a PATCH's `LogResponse` that shows it is one."""

    id: str


def created(answer: Answer, count: int | None, *, now: float) -> DeliveryError | None:
    """What is wrong with the answer to `POST /logs` of `count` logs (None: not known); None where nothing is.

    `now` is the time in epoch seconds, to which a `Retry-After` that is a date is compared.
    """
    if (error := _by_status(answer, now)) is not None:
        return error
    try:
        responses = msgspec.json.decode(answer.content, type=list[CreateLogResponse])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _not_humanloop(answer, "something other than a list of log ids")
    if count is not None and len(responses) != count:
        return _not_humanloop(answer, f"{len(responses)} log ids for {count} logs")
    return None


def updated(answer: Answer, *, now: float) -> DeliveryError | None:
    """What is wrong with the answer to `PATCH /logs`; None where nothing is. `now` as in `created`."""
    if (error := _by_status(answer, now)) is not None:
        return error
    if not answer.complete and answer.content.lstrip()[:1] == b"{":
        return None  # it gives the whole log back, which may be long
    try:
        msgspec.json.decode(answer.content, type=_Updated)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _not_humanloop(answer, "something other than a log")
    return None


def attachment_asked_for(answer: Answer, *, now: float) -> bool | None:
    """Whether a server that keeps attachments wants the one it was asked about; None of one that keeps none.

    Raises:
        Unavailable: It cannot be told now. `now` as in `created`.
    """
    error = _by_status(answer, now)
    if isinstance(error, Unavailable):
        raise error
    if KNOWN_BY.lower() not in answer.headers or answer.status not in (200, 404):
        return None
    return answer.status == 404


def attachment_taken(answer: Answer, *, now: float) -> DeliveryError | None:
    """What is wrong with the answer to an attachment that was asked for; None where nothing is. `now` as before."""
    return _by_status(answer, now)


def _by_status(answer: Answer, now: float) -> DeliveryError | None:
    status = answer.status
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return _redirected(answer)
    if status in (408, 429) or status >= 500:
        asked = retry_after(answer.headers.get("retry-after"), now=now)
        return Unavailable(f"Humanloop answered {status}: {reason(answer)}", retry_after=asked, status=status)
    return Refused(status, reason(answer), hint=_HINTS.get(status))


_HINTS = {
    401: "set HUMANLOOP_API_KEY to a key this server knows",
    403: "set HUMANLOOP_API_KEY to a key that may write logs",
    404: "HUMANLOOP_BASE_URL must be where the v4 API is, `/v4` included",
    405: "HUMANLOOP_BASE_URL must be where the v4 API is, `/v4` included",
}


def _redirected(answer: Answer) -> Refused:
    location = answer.headers.get("location")
    if location is None:
        return Refused(answer.status, "a redirect that does not say where to")
    try:
        target = _line(answer, urljoin(answer.url, location))
        path = urlsplit(target).path.rstrip("/")
    except ValueError:
        return Refused(answer.status, f"redirected to `{_line(answer, location)}`, which is no address")
    if path.endswith("/logs"):
        base = target.split("?", 1)[0].rstrip("/").removesuffix("/logs")
        hint = f"set HUMANLOOP_BASE_URL to {base}"
    else:
        hint = "something in front of Humanloop sends its requests elsewhere, perhaps to log in"
    return Refused(answer.status, f"redirected to {target}", hint=hint)


def _not_humanloop(answer: Answer, what: str) -> Unavailable:
    kind = _line(answer, answer.headers.get("content-type", "no content type"))
    return Unavailable(
        f"{answer.url} answered {answer.status} with {what} ({kind})",
        status=answer.status,
        hint="is a proxy or another service answering in Humanloop's place? HUMANLOOP_BASE_URL says where it is",
    )


def retry_after(value: str | None, *, now: float) -> float | None:
    """Seconds to wait, of a `Retry-After` header (RFC 9110, 10.2.3: whole seconds or an HTTP date).

    None where there is none or it cannot be read; 0 for a date that has passed. `now` in epoch seconds.
    """
    if value is None:
        return None
    text = value.strip()
    if re.fullmatch(r"[0-9]{1,12}", text):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
        if date.tzinfo is None:
            date = date.replace(tzinfo=timezone.utc)
        return max(0.0, date.timestamp() - now)
    except (TypeError, ValueError, OverflowError):
        return None


def reason(answer: Answer) -> str:
    """Why the server said no, as one line of at most `MAX_DETAIL` characters.

    Reads FastAPI's list of validation errors, Humanloop's `{"detail": {"message": ...}}`, the usual keys of other
    servers, and else gives the body as it is; the status's own phrase where there is none.
    """
    content = answer.content[:_MAX_REASON]
    text = content.decode(errors="replace")
    try:
        said = _said(msgspec.json.decode(content))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = None
    found = _line(answer, said if said is not None else text)
    if found:
        return found
    try:
        return HTTPStatus(answer.status).phrase
    except ValueError:
        return "no reason given"


def _said(value: Any) -> str | None:
    """The human part of a decoded error body, or None where there is none."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, list):
        lines = [_said(item) for item in cast("list[Any]", value)]
        return "; ".join(line for line in lines if line is not None) or None
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if isinstance(fields.get("loc"), list) and isinstance(fields.get("msg"), str):
            return f"{'.'.join(map(str, fields['loc']))}: {fields['msg']}"
        for key in ("detail", "message", "msg", "error", "errors"):
            if (said := _said(fields.get(key))) is not None:
                return said
    return None


def _line(answer: Answer, text: str) -> str:
    """What an answer says, as it may be told on."""
    for secret in answer.secrets:
        text = text.replace(secret, "[secret]")
    return _readable(text)


def _readable(text: str) -> str:
    """One line without control characters, bounded."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= MAX_DETAIL else line[: MAX_DETAIL - 1] + "…"

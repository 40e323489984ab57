"""A request, read within bounds: how many bytes (also once unpacked), how deep, how many.

What comes from outside ends here: an endpoint gets a `Call`, with a body that is whole and not too large, and raises
`Invalid` or `RequestFailed` for anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request

from otel_humanloop.compression import gunzip, unzstd
from otel_humanloop.errors import DecodeError
from otel_humanloop.server.failures import Invalid, Loc, RequestFailed, invalid
from otel_humanloop.server.providers import ProviderSettings
from otel_humanloop.server.store import Store

T = TypeVar("T")

MAX_BODY = 32 * 1024 * 1024
"""Bytes of a body, unpacked."""
ENCODINGS = "zstd, gzip"
"""What a body may be packed in; said in answers to requests that bring one (RFC 7694)."""
MAX_DEPTH = 100
"""Containers within containers in one JSON value."""
MAX_ITEMS = 10_000
"""Logs in one body."""
MAX_NAME = 1_000
"""Characters of a project's name, a reference id, a source."""
MAX_DURATION = 1e9
"""Seconds that a log says it took."""
MAX_TOKENS = 10**12
MAX_COST = 1e6
"""Dollars that one side of a call cost."""
MAX_PAGE_SIZE = 1_000
"""Records on one page."""
_MAX_PAGE = 2**31


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What an endpoint is called with.

    Attributes:
        body: Unpacked.
        path: What the variables of the route stand for.
        media_type: What the body is said to be; "" where it is not said.
        ours: The body was made by this process, a moment ago.
        strict_parents: A parent that does not exist is refused.
        providers: Where models are called.
    """

    store: Store
    body: bytes
    query: QueryParams
    path: Mapping[str, str]
    media_type: str = ""
    ours: bool = False
    strict_parents: bool = False
    providers: ProviderSettings = ProviderSettings()


async def read_body(request: Request, *, limit: int = MAX_BODY) -> bytes:
    """The body, unpacked if it is gzip or zstd.

    Raises:
        RequestFailed: 413 if it is larger than `limit`, 415 for another encoding, 400 for a body that is not in its.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "zstd", ""):
        raise RequestFailed(
            415,
            f"the Content-Encoding is `{encoding}`, but must be zstd, gzip or identity",
            headers={"Accept-Encoding": ENCODINGS},
        )
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise _too_large(limit)
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        pieces.append(piece)
    body = b"".join(pieces)
    unpack = _UNPACK.get(encoding)
    return body if unpack is None or not body else _unpacked(body, limit, unpack, encoding)


_UNPACK: dict[str, Callable[[bytes, int], bytes]] = {"gzip": gunzip, "zstd": unzstd}


def _unpacked(body: bytes, limit: int, unpack: Callable[[bytes, int], bytes], encoding: str) -> bytes:
    try:
        whole = unpack(body, limit)
    except DecodeError as error:
        raise RequestFailed(400, f"the body is not {encoding}, which its Content-Encoding says it is") from error
    if len(whole) > limit:
        raise _too_large(limit)
    return whole


def _too_large(limit: int) -> RequestFailed:
    return RequestFailed(413, f"the body is larger than {limit} bytes")


def decode(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The body as the decoder's type.

    Raises:
        Invalid: It is not JSON, or not of that shape.
    """
    if not body:
        raise Invalid(("body",), "field required", kind="value_error.missing")
    try:
        request = decoder.decode(body)
    except msgspec.ValidationError as error:
        raise invalid(error, ("body",)) from error
    except msgspec.DecodeError as error:
        raise Invalid(("body",), f"not JSON: {error}", kind="value_error.jsondecode") from error
    except UnicodeDecodeError as error:
        raise Invalid(("body",), f"not UTF-8: {error.reason}", kind="value_error.jsondecode") from error
    except RecursionError as error:
        raise _too_deep(("body",)) from error
    if b"\\u0000" in body:
        _check_ids(request)
    return request


def _check_ids(request: Any) -> None:
    """Raises Invalid for an id with U+0000 in it: there is none, and not every database can be asked for it."""
    records: list[tuple[Loc, Any]] = [(("body",), request)]
    if isinstance(request, list):
        records = [(("body", index), record) for index, record in enumerate(cast("list[Any]", request))]
    for loc, record in records:
        for name in record.__struct_fields__ if isinstance(record, msgspec.Struct) else ():
            value = getattr(record, name)
            if name.endswith("_id") and isinstance(value, str):
                check_text(value, (*loc, name))


def check_depth(value: Any, loc: Loc) -> None:
    """Raises Invalid for a value of lists and dicts that goes deeper than `MAX_DEPTH`."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for container in level
            for child in (container.values() if type(container) is dict else container)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return
    raise _too_deep(loc)


def _too_deep(loc: Loc) -> Invalid:
    return Invalid(loc, f"nested deeper than {MAX_DEPTH} levels")


def check_name(value: str | None, name: str, loc: Loc) -> None:
    """Raises Invalid for a name that no database would keep: empty, too long, or with U+0000 in it."""
    if value is None:
        return
    if not value:
        raise Invalid((*loc, name), "must not be empty", kind="value_error.any_str.min_length")
    if len(value) > MAX_NAME:
        raise Invalid((*loc, name), f"longer than {MAX_NAME} characters", kind="value_error.any_str.max_length")
    check_text(value, (*loc, name))


def check_label(value: str | None, name: str, loc: Loc) -> None:
    """As `check_name`, of a text that names nothing here, and may be empty."""
    if value:
        check_name(value, name, loc)


def check_text(value: str, loc: Loc) -> None:
    """Raises Invalid for a text with U+0000 in it, which PostgreSQL's columns cannot hold."""
    if "\0" in value:
        raise Invalid(loc, "must not contain the character U+0000")


def whole_number(query: QueryParams, name: str, default: int, *, least: int, most: int) -> int:
    """A number of the query string."""
    text = query.get(name)
    if text is None:
        return default
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 20):
        raise Invalid(("query", name), "value is not a valid integer", kind="type_error.integer")
    number = int(text)
    if number < least:
        raise Invalid(("query", name), f"must be {least} or more", kind="value_error.number.not_ge")
    if number > most:
        raise Invalid(("query", name), f"must be {most} or less", kind="value_error.number.not_le")
    return number


def page_of(query: QueryParams, *, first: int, size: int) -> tuple[int, int, int]:
    """`page`, `size` and how many records come before, of a list whose first page is number `first`."""
    page = whole_number(query, "page", first, least=0, most=_MAX_PAGE)
    size = whole_number(query, "size", size, least=1, most=MAX_PAGE_SIZE)
    return page, size, max(page - first, 0) * size


def choice(query: QueryParams, name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of a few words of the query string."""
    value = query.get(name, default)
    if value not in allowed:
        raise Invalid(("query", name), f"must be one of: {', '.join(allowed)}", kind="type_error.enum")
    return value

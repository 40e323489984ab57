"""Forms as browsers send them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from otel_humanloop.server.failures import RequestFailed
from otel_humanloop.server.requests import read_body

_MOST = 1024 * 1024
"""Bytes of a form."""


async def form_of(request: Request) -> Mapping[str, str]:
    """The fields of a form, as text; of a name that comes twice, the last.

    Raises:
        RequestFailed: It is too large, or no form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise RequestFailed(415, "the body is not a form")
    body = await read_body(request, limit=_MOST)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100))
    except ValueError as error:
        raise RequestFailed(400, "the form cannot be read") from error

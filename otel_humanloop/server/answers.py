"""Answers that are a success."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

_encoder = msgspec.json.Encoder()


def json(value: Any, *, status: int = 200) -> Response:
    """A record of `v4`, as JSON."""
    return Response(_encoder.encode(value), status, media_type="application/json")


def empty() -> Response:
    """Done, and nothing to say."""
    return Response(status_code=204)

"""Pages as answers: templates, and the headers that keep a page to itself."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from otel_humanloop.server.viewer import text

HERE = Path(__file__).parent

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What every page carries. Nothing may be loaded from elsewhere, and nothing in a page may be a script or a style."""

_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    cache_size=100,
)
_filters: dict[str, Any] = _templates.filters
_filters.update({filter.__name__: filter for filter in text.FILTERS})


def now() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


def render(name: str, **values: Any) -> str:
    """A template with values."""
    return _templates.get_template(name).render(now=now(), **values)


def page(html: str, status: int = 200) -> Response:
    """A page as an answer."""
    return Response(html, status, media_type="text/html", headers=HEADERS)

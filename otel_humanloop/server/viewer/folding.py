"""Text of any length as a page shows it: its beginning, and the rest on demand."""

from __future__ import annotations

from typing import Any

import msgspec
from markupsafe import Markup

from otel_humanloop.server.lines import shown
from otel_humanloop.server.viewer.jsonview import coloured, json_in, laid_out
from otel_humanloop.server.viewer.markdown import MOST, markdown

BEGINNING = 20_000
"""Characters of a text that are shown at once."""

_READ_AS_JSON = 2_000_000
"""Characters of a text up to which it is looked at whether it is JSON."""


class Fold(msgspec.Struct, frozen=True, kw_only=True):
    """A text as it is shown.

    Attributes:
        form: "markdown", "json" or "text": what `html` is, and what else there is of it.
        html: The beginning, safe to put into a page.
        plain: The beginning as it was written.
        more: Characters that are left out.
        length: Characters there are.
    """

    form: str
    html: Markup
    plain: str
    more: int
    length: int


def fold(value: Any, *, plain: bool = False) -> Fold:
    """A JSON value as it is shown: objects and arrays (also in text) laid out, other text as Markdown.

    Args:
        plain: Text is only text.
    """
    if not isinstance(value, str):
        return _json("" if value is None else laid_out(value))
    if len(value) <= _READ_AS_JSON:
        inside = json_in(value)
        if inside is not None:
            return _json(inside)
    beginning = shown(value[:BEGINNING])
    more = max(0, len(value) - BEGINNING)
    if plain or more or len(value) > MOST:
        return Fold(form="text", html=Markup.escape(beginning), plain=beginning, more=more, length=len(value))
    return Fold(form="markdown", html=markdown(value), plain=beginning, more=0, length=len(value))


def _json(text: str) -> Fold:
    beginning = text[:BEGINNING]
    more = max(0, len(text) - BEGINNING)
    return Fold(form="json", html=coloured(beginning), plain=beginning, more=more, length=len(text))

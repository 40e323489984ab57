"""Markdown of models and users, as markup that can do nothing.

Raw HTML is text. A link goes to http, https or mail; anything else stays as it was written. Pictures are not fetched:
an address in Markdown would tell its owner who reads what, and when.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markupsafe import Markup

from otel_humanloop.server.lines import shown

MOST = 20_000
"""Characters that are read as Markdown. What is longer is shown as the text it is."""


def markdown(text: str) -> Markup:
    """Markdown as HTML. The caller sees to it that it is not longer than `MOST`."""
    return Markup(_parser.render(shown(text)))


def _allowed(url: str) -> bool:
    try:
        return urlsplit(url).scheme.lower() in ("http", "https", "mailto")
    except ValueError:
        return False


def _link_open(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("rel", "noopener noreferrer nofollow")
    tokens[index].attrSet("target", "_blank")
    return str(renderer.renderToken(tokens, index, options, env))


def _cell_open(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    """How a table's cell is aligned, as a class: a page's policy allows no style of an element's own."""
    style = tokens[index].attrs.pop("style", None)
    if style is not None:
        tokens[index].attrSet("class", str(style).removeprefix("text-align:"))
    return str(renderer.renderToken(tokens, index, options, env))


def _make() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    parser.disable(["image", "html_block", "html_inline", "reference"])
    parser.validateLink = _allowed  # type: ignore[method-assign]
    parser.add_render_rule("link_open", _link_open)
    for cell in ("th_open", "td_open"):
        parser.add_render_rule(cell, _cell_open)
    return parser


_parser = _make()

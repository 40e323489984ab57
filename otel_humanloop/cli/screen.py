"""Where a command's data goes: painted by rich on a terminal, plain everywhere else.

What is written is laid out first, as lines of pieces; painting changes no character of it. Plain are pipes and files,
terminals where `NO_COLOR` is set or `TERM` is dumb, and installations without rich.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, TextIO

from otel_humanloop.cli.text import cells, clean, share, shorten

if TYPE_CHECKING:
    from rich.console import Console

Style = Literal["plain", "strong", "faint", "input", "output", "error", "warning", "good", "address"]
Piece = tuple[str, Style]
"""Text without control characters, and how it is painted."""
Line = Sequence[Piece]

_PAINT: Mapping[Style, str] = {
    "plain": "none",
    "strong": "bold",
    "faint": "dim",
    "input": "blue",
    "output": "none",
    "error": "red",
    "warning": "yellow",
    "good": "green",
    "address": "cyan underline",
}

# For terminals and files whose encoding has none of these.
_ASCII = str.maketrans({"├": "|", "└": "`", "│": "|", "─": "-", "→": ">", "·": "-", "…": "~", "✗": "x", "✓": "v"})

PLAIN_WIDTH = 100
"""Columns of what is not a terminal, unless the variable COLUMNS says otherwise."""


class Screen:
    """One stream, its width in columns, and whether it is painted."""

    def __init__(self, stream: TextIO, environ: Mapping[str, str] | None = None) -> None:
        self._stream = stream
        self._console = _console(stream, os.environ if environ is None else environ)
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._ascii = "…".encode(self._encoding, "replace").decode(self._encoding) != "…"
        self.width = max(shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns, 20)

    def lines(self, lines: Iterable[Line]) -> None:
        """Writes lines as they are: laying out and shortening are done."""
        for line in lines:
            pieces: list[Piece] = [(self._writable(text), style) for text, style in line]
            if self._console is None:
                self._stream.write("".join(text for text, _ in pieces).rstrip() + "\n")
            else:
                _paint(self._console, pieces)
        self._stream.flush()

    def text(self, text: str) -> None:
        """Writes text that is data already, JSON for one."""
        self._stream.write(self._writable(text) + "\n")
        self._stream.flush()

    def _writable(self, text: str) -> str:
        if self._ascii:
            text = text.translate(_ASCII)
        return text.encode(self._encoding, "backslashreplace").decode(self._encoding)


def table(headings: Sequence[str], rows: Sequence[Sequence[Piece]], width: int, *, elastic: int = 1) -> list[Line]:
    """Rows under headings, in columns; the last `elastic` columns share what room the others leave.

    Args:
        headings: One for each column, or none at all.
        rows: As many pieces as there are columns, in each.
        width: Columns of the screen.
        elastic: How many of the last columns may be cut.
    """
    cleaned: list[list[Piece]] = [[(clean(text), style) for text, style in row] for row in rows]
    if headings:
        cleaned.insert(0, [(text, "faint") for text in headings])
    natural = [max(cells(text) for text, _ in column) for column in zip(*cleaned, strict=True)]
    fixed = natural[:-elastic]
    widths = fixed + share(natural[-elastic:], width - sum(fixed) - 2 * (len(natural) - 1))
    return [_row(row, widths) for row in cleaned]


def _row(row: Sequence[Piece], widths: Sequence[int]) -> Line:
    line: list[Piece] = []
    for (text, style), width in zip(row, widths, strict=True):
        shown = shorten(text, width)
        line.append((shown, style))
        line.append((" " * (width - cells(shown) + 2), "plain"))
    return line[:-1]


def _console(stream: TextIO, environ: Mapping[str, str]) -> Console | None:
    if environ.get("NO_COLOR") or find_spec("rich") is None:
        return None
    from rich.console import Console

    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    return console if console.is_terminal and not console.is_dumb_terminal else None


def _paint(console: Console, line: Line) -> None:
    from rich.text import Text

    text = Text.assemble(*((text, _PAINT[style]) for text, style in line))
    text.rstrip()
    console.print(text, soft_wrap=True)

"""Charts as SVG: stacked bars and lines over time, drawn in per cent of their width.

A line between two parts of the period with nothing in between is a `gap`: nobody knows what was there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec
from markupsafe import Markup, escape

from otel_humanloop.server.viewer.text import duration, instant, money, short
from otel_humanloop.server.viewer.usage import ProjectUsage, Usage

_HEIGHT = 110


class Series(msgspec.Struct, frozen=True):
    """One quantity: its name, the class that colours it, and its value in each part (None where there is none)."""

    name: str
    kind: str
    values: list[float | None]


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A drawn chart: its title, what it comes to over the period, the SVG, and what its colours mean."""

    title: str
    total: str
    svg: Markup
    legend: list[Series]


def charts_of(usage: ProjectUsage) -> list[Chart]:
    """Requests, latency, tokens and cost of a project."""
    parts, total = usage.parts, usage.total
    said = [instant(part.start).strftime("%Y-%m-%d %H:%M UTC") for part in parts]

    def series(name: str, kind: str, value: Callable[[Usage], float | None]) -> Series:
        return Series(name, kind, [value(part.usage) for part in parts])

    requests = [
        series("succeeded", "good", lambda used: used.logs - used.errors),
        series("failed", "failed", lambda used: used.errors),
    ]
    latency = [series("p50", "p50", lambda used: used.p50), series("p95", "p95", lambda used: used.p95)]
    tokens = [
        series("in", "in", lambda used: used.prompt_tokens),
        series("out", "out", lambda used: used.output_tokens),
    ]
    cost = [series("cost", "cost", lambda used: used.cost)]
    typical = "none known" if total.p50 is None or total.p95 is None else f"{duration(total.p50)} p50"
    return [
        _bars("Requests", short(total.logs), requests, said, short),
        _lines("Latency", typical, latency, said, duration),
        _bars("Tokens", short(total.prompt_tokens + total.output_tokens), tokens, said, short),
        _bars("Cost", "none known" if total.cost is None else money(total.cost), cost, said, money),
    ]


def _bars(title: str, total: str, series: list[Series], said: Sequence[str], word: Callable[[float], str]) -> Chart:
    sums = [sum(value or 0 for value in values) for values in zip(*(one.values for one in series), strict=True)]
    most = max(sums, default=0)
    width = 100 / max(1, len(sums))
    drawn: list[str] = []
    for index, whole in enumerate(sums):
        if not whole:
            continue
        top = float(_HEIGHT)
        words = ", ".join(f"{word(one.values[index] or 0)} {one.name}" for one in series)
        drawn.append(f"<g><title>{escape(said[index])}: {escape(words)}</title>")
        for one in series:
            height = _HEIGHT * (one.values[index] or 0) / most
            if height:
                top -= height
                drawn.append(
                    f'<rect class="{one.kind}" x="{index * width + width * 0.1:.2f}%" width="{width * 0.8:.2f}%" '
                    f'y="{top:.2f}" height="{height:.2f}"/>'
                )
        drawn.append("</g>")
    return Chart(title=title, total=total, svg=_svg(title, total, "".join(drawn), most, word, said), legend=series)


def _lines(title: str, total: str, series: list[Series], said: Sequence[str], word: Callable[[float], str]) -> Chart:
    most = max((value for one in series for value in one.values if value is not None), default=0.0)
    width = 100 / max(1, len(said))
    drawn: list[str] = []
    for one in reversed(series):  # the first is seen where others are the same
        known = [index for index, value in enumerate(one.values) if value is not None]
        xs = [f"{index * width + width / 2:.2f}%" for index in range(len(said))]
        ys = [f"{_HEIGHT * (1 - (value or 0) / most) if most else _HEIGHT:.2f}" for value in one.values]
        for start, end in pairwise(known):
            gap = "" if end == start + 1 else " gap"
            drawn.append(
                f'<line class="{one.kind}{gap}" x1="{xs[start]}" y1="{ys[start]}" x2="{xs[end]}" y2="{ys[end]}"/>'
            )
        drawn.extend(f'<circle class="{one.kind}" cx="{xs[index]}" cy="{ys[index]}" r="2.5"/>' for index in known)
    for index, when in enumerate(said):
        words = [f"{word(value)} {one.name}" for one in series if (value := one.values[index]) is not None]
        if words:
            drawn.append(
                f'<rect class="over" x="{index * width:.2f}%" width="{width:.2f}%" y="0" height="{_HEIGHT}">'
                f"<title>{escape(when)}: {escape(', '.join(words))}</title></rect>"
            )
    return Chart(title=title, total=total, svg=_svg(title, total, "".join(drawn), most, word, said), legend=series)


def _svg(title: str, total: str, inside: str, most: float, word: Callable[[float], str], said: Sequence[str]) -> Markup:
    """The frame: a line at the most and one at none, the most in words, the first and the last moment."""
    ends = ""
    if said:
        ends = (
            f'<text x="0" y="{_HEIGHT + 26}">{escape(said[0])}</text>'
            f'<text class="end" x="100%" y="{_HEIGHT + 26}">{escape(said[-1])}</text>'
        )
    label = f"{title} over time: {total}, at most {word(most)}"
    return Markup(
        f'<svg class="plot" role="img" aria-label="{escape(label)}">'
        f'<text class="most" x="0" y="10">{escape(word(most)) if most else ""}</text>'
        f'<svg y="14" width="100%" height="{_HEIGHT + 2}" class="area">'
        f'<line class="frame" x1="0" x2="100%" y1="0.5" y2="0.5"/>'
        f'<line class="frame" x1="0" x2="100%" y1="{_HEIGHT}" y2="{_HEIGHT}"/>{inside}</svg>{ends}</svg>'
    )

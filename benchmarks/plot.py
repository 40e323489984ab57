"""A plot as SVG, without anything to install: lines in one frame."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 200, 20, 48
_COLOURS = ("#2563eb", "#c2410c", "#15803d", "#7e22ce", "#b91c1c", "#0e7490")


def plot(
    curves: Mapping[str, Sequence[tuple[float, float]]],
    *,
    across: str,
    up: str,
    limit: float | None = None,
    logarithmic: bool = False,
) -> str:
    """Curves of points in one frame, whose upright axis begins at nothing.

    Args:
        curves: Name -> points.
        across, up: What the axes say.
        limit: A dashed line at that height.
        logarithmic: Whether the axis across is: from 1, and with a mark at each point. Else it begins at nothing too.
    """
    points = [point for curve in curves.values() for point in curve]
    most_x = max(x for x, _ in points)
    most_y = max(limit or 0.0, max(y for _, y in points)) * 1.15

    def place(x: float, y: float) -> tuple[float, float]:
        part = math.log(x) / math.log(most_x) if logarithmic else x / most_x
        return _LEFT + part * (_WIDTH - _LEFT - _RIGHT), _HEIGHT - _BOTTOM - y / most_y * (_HEIGHT - _TOP - _BOTTOM)

    first = 1.0 if logarithmic else 0.0
    (left, floor), (right, ceiling) = place(first, 0), place(most_x, most_y)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<path d="M{left:.1f} {ceiling:.1f}V{floor:.1f}H{right:.1f}" fill="none" stroke="#444"/>',
    ]
    for x in sorted({x for x, _ in points}) if logarithmic else _marks(most_x):
        here = place(x, 0)[0]
        parts.append(f'<text x="{here:.1f}" y="{floor + 18:.1f}" text-anchor="middle">{x:g}</text>')
    for y in sorted({*_marks(most_y), *([] if limit is None else [limit])}):
        height = place(first, y)[1]
        dashes = ' stroke-dasharray="5 4"' if y == limit else ""
        parts.append(f'<path d="M{left:.1f} {height:.1f}H{right:.1f}" stroke="#bbb"{dashes}/>')
        parts.append(f'<text x="{left - 8:.1f}" y="{height + 4:.1f}" text-anchor="end">{y:g}</text>')
    for curve, colour in zip(curves.values(), _COLOURS * len(curves), strict=False):
        places = [place(x, y) for x, y in curve]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if logarithmic:
            parts.extend(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)
    # Names stand beside the ends of their curves, pushed apart where these are close.
    lowest = math.inf
    ends = sorted(
        ((place(*curve[-1])[1], name, colour) for (name, curve), colour in zip(curves.items(), _COLOURS, strict=False)),
        reverse=True,
    )
    for height, name, colour in ends:
        lowest = min(height, lowest - 16)
        parts.append(f'<text x="{right + 10:.1f}" y="{lowest + 4:.1f}" fill="{colour}">{escape(name)}</text>')
    middle = (left + right) / 2
    parts.append(f'<text x="{middle:.1f}" y="{_HEIGHT - 10}" text-anchor="middle">{escape(across)}</text>')
    upright = (floor + ceiling) / 2
    turned = f'text-anchor="middle" transform="rotate(-90 16 {upright:.1f})"'
    parts.append(f'<text x="16" y="{upright:.1f}" {turned}>{escape(up)}</text>')
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _marks(most: float) -> list[float]:
    """Round numbers up to that one, from three to seven of them."""
    step = 10.0 ** math.floor(math.log10(most))
    step = next(each for each in (step / 5, step / 2, step, step * 2) if most / each < 7)
    return [step * number for number in range(1, int(most / step) + 1)]

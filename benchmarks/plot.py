"""A plot as SVG, without anything to install: lines over a logarithmic axis, with a limit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 200, 20, 48
_COLOURS = ("#2563eb", "#c2410c", "#15803d", "#7e22ce", "#b91c1c", "#0e7490")


def plot(curves: Mapping[str, Sequence[tuple[float, float]]], *, limit: float, across: str, up: str) -> str:
    """Curves of points with x of 1 or more, in one frame that begins at nothing.

    Args:
        curves: Name -> points.
        limit: A dashed line at that height.
        across, up: What the axes say.
    """
    points = [point for curve in curves.values() for point in curve]
    most_x = max(x for x, _ in points)
    most_y = max(limit, max(y for _, y in points)) * 1.15

    def place(x: float, y: float) -> tuple[float, float]:
        right = _LEFT + math.log(x) / math.log(most_x) * (_WIDTH - _LEFT - _RIGHT)
        return right, _HEIGHT - _BOTTOM - y / most_y * (_HEIGHT - _TOP - _BOTTOM)

    (left, floor), (right, ceiling) = place(1, 0), place(most_x, most_y)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<path d="M{left:.1f} {ceiling:.1f}V{floor:.1f}H{right:.1f}" fill="none" stroke="#444"/>',
    ]
    for x in sorted({x for x, _ in points}):
        here = place(x, 0)[0]
        parts.append(f'<text x="{here:.1f}" y="{floor + 18:.1f}" text-anchor="middle">{x:g}</text>')
    for y in (0.5, 1.0, limit):
        height = place(1, y)[1]
        dashes = ' stroke-dasharray="5 4"' if y == limit else ""
        parts.append(f'<path d="M{left:.1f} {height:.1f}H{right:.1f}" stroke="#bbb"{dashes}/>')
        parts.append(f'<text x="{left - 8:.1f}" y="{height + 4:.1f}" text-anchor="end">{y:g}</text>')
    for curve, colour in zip(curves.values(), _COLOURS * len(curves), strict=False):
        places = [place(x, y) for x, y in curve]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
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

"""What `docs/scale.md` says in numbers, of the figures of the measure `parts`: costs, and what a million spans need."""

from __future__ import annotations

import math
import statistics
from typing import NamedTuple

from benchmarks.environments import PROJECT
from benchmarks.finding import Figures, number
from benchmarks.measures.parts import BYTES

PAGE = PROJECT / "docs" / "scale.md"

_MARK = "<!-- {}: written by `make bench` of benchmarks/results.json -->\n"
_END = "<!-- end -->\n"

_MILLION = 1_000_000
_SHARE = 0.02
"""Of spans that belong to traces with AI, in a large system."""

_LOADED = 0.6
"""How much of a core is to be used: the rest is for the hours when more comes."""


class _Row(NamedTuple):
    """A part, by the chain it was measured in."""

    what: str
    chain: str
    part: str


_ROUTE = _Row("Collector that routes by trace id (`load-balanced.yaml`)", "load-balanced", "Collector")
_SAMPLE = _Row("Collector that keeps traces with AI (`tail-sampling.yaml`)", "tail-sampling", "Collector")
_ROUTE_ORDINARY = _Row("the same, spans without AI", "load-balanced, ordinary", "Collector")
_SAMPLE_ORDINARY = _Row("the same, spans without AI", "tail-sampling, ordinary", "Collector")
_BRIDGE = _Row("Bridge, from OTLP to Humanloop", "postgresql", "bridge")
_READER = _Row("Bridge, from Kafka to Humanloop", "kafka", "bridge")
_SERVER = _Row("Server on PostgreSQL", "postgresql", "server")
_DATABASE = _Row("PostgreSQL", "postgresql", "PostgreSQL")

_ROWS = (
    _Row("Collector, in and out (`agent.yaml`)", "agent", "Collector"),
    _ROUTE,
    _ROUTE_ORDINARY,
    _SAMPLE,
    _SAMPLE_ORDINARY,
    _BRIDGE,
    _READER,
    _Row("Bridge, spans without AI", "load-balanced, ordinary", "bridge"),
    _Row("Server on SQLite", "sqlite", "server"),
    _SERVER,
    _DATABASE,
)

_PAIRS = (
    ("two bridges of one group on Kafka, against one", "kafka", "bridge"),
    ("two servers on one PostgreSQL, against one", "postgresql", "server"),
    ("that PostgreSQL, against one with one server", "postgresql", "PostgreSQL"),
)


def filled(page: str, figures: Figures) -> str:
    """The page with these numbers; where a chain was not measured, without its rows."""
    return _between(_between(page, "parts", _parts(figures)), "million", _million(figures))


def _between(page: str, name: str, text: str) -> str:
    before, mark, after = page.partition(_MARK.format(name))
    if not mark:
        raise ValueError(f"there is no place for `{name}` in the page")
    return f"{before}{mark}\n{text}\n{_END}{after.partition(_END)[2]}"


def _parts(figures: Figures) -> str:
    chains, sizes = figures["chains"], figures["bytes"]
    lines = ["| Part | CPU per span | spans per second and core | memory |", "|---|---|---|---|"]
    lines += [
        f"| {row.what} | {cost:,.0f} µs | {1e6 / cost:,.0f} | {chains[row.chain]['memory'][row.part] / 1e6:,.0f} MB |"
        for row in _ROWS
        if (cost := _cost(figures, row.chain, row.part)) is not None
    ]
    lines += ["", "| More of it | CPU per span |", "|---|---|"]
    for what, chain, part in _PAIRS:
        one, two = _cost(figures, chain, part), _cost(figures, f"{chain}, two", part)
        if one is not None and two is not None:
            lines.append(f"| {what} | {two / one:.2f}x |")
    lines += ["", "| On the way, and kept | bytes per span |", "|---|---|"]
    lines += [f"| {what} | {sizes[name]:,.0f} |" for name, what in BYTES.items() if name in sizes]
    return "\n".join(lines) + "\n"


def _million(figures: Figures) -> str:
    chosen = _MILLION * _SHARE
    rest = _MILLION - chosen
    needs: list[tuple[str, float, list[tuple[_Row, float]]]] = [
        (_ROUTE.what, _MILLION, [(_ROUTE, chosen), (_ROUTE_ORDINARY, rest)]),
        (_SAMPLE.what, _MILLION, [(_SAMPLE, chosen), (_SAMPLE_ORDINARY, rest)]),
        *((row.what, chosen, [(row, chosen)]) for row in (_BRIDGE, _SERVER, _DATABASE)),
    ]
    lines = ["| Part | spans per second | CPU seconds per second | cores, 60 % used |", "|---|---|---|---|"]
    for what, spans, shares in needs:
        costs = [(_cost(figures, row.chain, row.part), share) for row, share in shares]
        if all(cost is not None for cost, _ in costs):
            busy = sum(share * (cost or 0.0) for cost, share in costs) / 1e6
            lines.append(f"| {what} | {spans:,.0f} | {number(busy)} | {math.ceil(busy / _LOADED):,} |")
    stored = figures["bytes"].get("postgresql")
    if stored is not None:
        each, day = chosen * stored / 1e6, chosen * stored * 86_400 / 1e12
        lines.append(f"| into PostgreSQL | {chosen:,.0f} | {each:,.0f} MB/s | {day:,.1f} TB a day |")
    server = _cost(figures, _SERVER.chain, _SERVER.part)
    if server is not None and stored is not None:
        of_one = 1e6 / server * _LOADED
        lines += [
            "",
            f"One database takes some {round(of_one, -1):,.0f} of these spans a second, reckoned as if nothing of one "
            f"server's work could be done while another writes: {chosen:,.0f} are {math.ceil(chosen / of_one)} "
            f"installations. If **all** million were AI, they were {math.ceil(_MILLION / of_one):,}, with "
            f"{_MILLION * stored / 1e9:,.1f} GB/s to keep.",
        ]
    return "\n".join(lines) + "\n"


def _cost(figures: Figures, chain: str, part: str) -> float | None:
    """CPU microseconds per span: the median of the rounds; None where it was not measured."""
    measured = figures["chains"].get(chain)
    return None if measured is None else statistics.median(measured["cpu"][part])

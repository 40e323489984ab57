"""The bridge: OTLP in, a spool on the disk, Humanloop out."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.bridges import DELAY, acknowledged, bridge
from benchmarks.contest import Contestant, Spread, contestant, ratios
from benchmarks.finding import Figures, Finding, Table, Target, number, spread
from benchmarks.processes import OtlpClient, Server, Sink, folder, sink
from benchmarks.scale import Scale

ENVIRONMENTS = ("ours", "otlp")

_REQUEST = 256  # spans


def measure(scale: Scale) -> Figures:
    """What it costs when it is fed as fast as it can, and how long spans take at half of that."""
    with (
        folder() as bodies,
        folder() as place,
        sink() as taker,
        contestant("bodies", "otlp", "bodies", str(bodies)) as maker,
        contestant("walk", "ours", "walk") as walker,
        bridge(place, f"{taker.url}/v4") as (running, base),
    ):
        full = _at_full(running, base, taker, maker, walker, scale)
        half = _at_half(running, base, taker, Spread.of(full["rate"]).median / 2, scale)
    return {"full": full, "half": half}


def find(figures: Figures) -> Finding:
    """CPU at full speed, and the share of spans that are quick at half of it."""
    full, half = figures["full"], figures["half"]
    share = half["quick"] / half["spans"]
    third = max(len(half["memory"]) // 3, 1)
    early, late = (Spread.of(part).median for part in (half["memory"][:third], half["memory"][-third:]))
    return Finding(
        title="Bridge: OTLP in, a spool on the disk, Humanloop out",
        how=(
            f"`otel-humanloop bridge` with a SQLite spool and `HUMANLOOP_DELAY={DELAY}`, fed by one connection with "
            f"requests of {_REQUEST} spans. First as fast as it answers, until all logs are acknowledged by a sink; "
            f"then {half['seconds']:.0f} s at half of that, {half['rate']:,.0f} spans/s. The bare cost beside it is "
            "protobuf parsed and walked into dicts, and nothing else."
        ),
        targets=[
            Target.most(
                "bridge CPU per span, against parsing and walking protobuf", ratios(full["cpu"], full["bare"]), 2.5
            ),
            Target(
                "spans whose log is acknowledged within 500 ms, at half of saturation",
                f"{share:.1%}",
                ">= 99%",
                share >= 0.99,
            ),
            Target(
                f"memory over {half['seconds']:.0f} s at half of saturation",
                f"{early / 1e6:,.0f} to {late / 1e6:,.0f} MB",
                "last third <= 1.1x the first",
                late <= 1.1 * early,
            ),
        ],
        tables=[
            Table(
                ["", "CPU µs/span", "spans/s"],
                [
                    ["bridge", spread(Spread.of(full["cpu"])), spread(Spread.of(full["rate"]))],
                    ["parsing and walking alone", spread(Spread.of(full["bare"])), "-"],
                    ["half of saturation", number(half["cpu"] / half["spans"] * 1e6), number(half["rate"])],
                ],
            )
        ],
    )


def _at_full(
    running: Server, base: str, taker: Sink, maker: Contestant, walker: Contestant, scale: Scale
) -> dict[str, list[float]]:
    """CPU microseconds per span of the bridge and of walking, and spans per second, round by round."""
    taken: dict[str, list[float]] = {"cpu": [], "bare": [], "rate": []}
    for number_of_round in range(max(scale.rounds // 2, 1) + 1):
        made = maker.round(seed=number_of_round, spans=scale.ingested, size=_REQUEST)
        walked = walker.round(files=made["files"])
        bodies = [Path(file).read_bytes() for file in made["files"]]
        client = OtlpClient(f"{base}/v1/traces")
        spent, began = running.cpu(), time.perf_counter()
        for body in bodies:
            client.post(body)
        taker.wait_for(made["spans"])
        if number_of_round:
            taken["rate"].append(made["spans"] / (time.perf_counter() - began))
            taken["cpu"].append((running.cpu() - spent) / made["spans"] * 1e6)
            taken["bare"].append(walked["cpu"] / walked["spans"] * 1e6)
        sys.stderr.write(f"  bridge, round {number_of_round}\n")
    return taken


def _at_half(running: Server, base: str, taker: Sink, rate: float, scale: Scale) -> dict[str, Any]:
    """How many spans were acknowledged within half a second, and bytes of memory second by second."""
    before, spent = acknowledged(base), running.cpu()
    memory: list[int] = []
    with contestant("steady", "otlp", "steady", base) as sender:
        sent = 0
        for _ in range(max(int(scale.seconds), 1)):
            sent += sender.round(rate=rate, seconds=1, size=_REQUEST)["spans"]
            memory.append(running.memory())
    taker.wait_for(sent)
    after = acknowledged(base)
    return {
        "rate": rate,
        "seconds": scale.seconds,
        "memory": memory,
        "cpu": running.cpu() - spent,
        "spans": after["+Inf"] - before["+Inf"],
        "quick": after["0.5"] - before["0.5"],
    }

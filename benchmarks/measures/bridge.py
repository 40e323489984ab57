"""The bridge: OTLP in, a spool on the disk, Humanloop out."""

from __future__ import annotations

import json
import re
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contest import Contestant, Spread, contestant, ratios
from benchmarks.environments import environment
from benchmarks.finding import Finding, Table, Target, number, spread
from benchmarks.processes import Server, folder, free_port, server, sink, wait_until
from benchmarks.scale import Scale

_REQUEST = 256  # spans
_DELAY = "0.1"  # seconds spans gather

_LIMITS = (
    "The bridge does all the exporter does, and besides writes each span into the spool's database and takes it out "
    "again, with what is to be known of it after a restart; reading and building are the larger part of it, as with "
    "the exporter. Finished traces are remembered for 300 s, at most 100,000 spans of them, for spans that come late: "
    "memory grows until then, and only a run much longer than this one can show it flat. How long a span takes is "
    "told of a machine whose two cores the sender, the bridge and the sink share."
)

_BUCKET = re.compile(r'otel_humanloop_delivery_seconds_bucket\{le="([^"]+)"\} (\S+)')


def measure(scale: Scale) -> Finding:
    """What it costs when it is fed as fast as it can, and how long spans take at half of that."""
    with (
        folder() as bodies,
        folder() as place,
        sink() as url,
        contestant("bodies", "otlp", "bodies", str(bodies)) as maker,
        contestant("walk", "ours", "walk") as walker,
    ):
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        command = [
            environment("ours").script("otel-humanloop"),
            *("bridge", "--receive", base, "--spool", f"sqlite:///{place / 'spool.db'}"),
        ]
        variables = {"HUMANLOOP_BASE_URL": f"{url}/v4", "HUMANLOOP_API_KEY": "key", "HUMANLOOP_DELAY": _DELAY}
        with server(command, place, **variables) as running:
            running.wait_for(f"{base}/readyz")
            cpu, bare, rates = _at_full(running, base, url, maker, walker, scale)
            rate = Spread.of(rates).median / 2
            quick_share, least, most = _at_half(running, base, url, maker, rate, scale)
    paired = ratios(cpu, bare)
    return Finding(
        title="Bridge: OTLP in, a spool on the disk, Humanloop out",
        how=(
            f"`otel-humanloop bridge` with a SQLite spool and `HUMANLOOP_DELAY={_DELAY}`, fed by one connection with "
            f"requests of {_REQUEST} spans. First as fast as it answers, until all logs are acknowledged by a sink; "
            f"then {scale.seconds:.0f} s at half of that, {rate:,.0f} spans/s. The bare cost beside it is protobuf "
            "parsed and walked into dicts, and nothing else."
        ),
        targets=[
            Target.most("bridge CPU per span, against parsing and walking protobuf", paired, 2.5),
            Target(
                "spans whose log is acknowledged within 500 ms, at half of saturation",
                f"{quick_share:.1%}",
                ">= 99%",
                quick_share >= 0.99,
            ),
            Target(
                f"memory over {scale.seconds:.0f} s at half of saturation",
                f"{least / 1e6:,.0f} to {most / 1e6:,.0f} MB",
                "last third <= 1.1x the first",
                most <= 1.1 * least,
            ),
        ],
        limits=_LIMITS,
        tables=[
            Table(
                ["", "CPU µs/span", "spans/s"],
                [
                    ["bridge", spread(Spread.of(cpu)), spread(Spread.of(rates))],
                    ["parsing and walking alone", spread(Spread.of(bare)), "-"],
                    ["half of saturation", "-", number(rate)],
                ],
            )
        ],
    )


def _at_full(
    running: Server, base: str, url: str, maker: Contestant, walker: Contestant, scale: Scale
) -> tuple[list[float], list[float], list[float]]:
    """CPU microseconds per span of the bridge and of walking, and spans per second, round by round."""
    cpu: list[float] = []
    bare: list[float] = []
    rates: list[float] = []
    for number_of_round in range(max(scale.rounds // 2, 1) + 1):
        made = maker.round(seed=number_of_round, spans=scale.ingested, size=_REQUEST)
        walked = walker.round(files=made["files"])
        spent, began = running.cpu(), time.perf_counter()
        for file in made["files"]:
            _post(base, Path(file).read_bytes())
        _all_there(url, made["spans"])
        if number_of_round:
            rates.append(made["spans"] / (time.perf_counter() - began))
            cpu.append((running.cpu() - spent) / made["spans"] * 1e6)
            bare.append(walked["cpu"] / walked["spans"] * 1e6)
        sys.stderr.write(f"  bridge, round {number_of_round}\n")
    return cpu, bare, rates


def _at_half(
    running: Server, base: str, url: str, maker: Contestant, rate: float, scale: Scale
) -> tuple[float, float, float]:
    """The share of spans acknowledged within half a second, and bytes of memory early and late."""
    before = _buckets(base)
    memory: list[int] = []
    sent = 0
    ends = time.perf_counter() + scale.seconds
    seed = 1000
    due = time.perf_counter()
    while time.perf_counter() < ends:
        made = maker.round(seed=seed, spans=_REQUEST * 4, size=_REQUEST)
        seed += 1
        for file in made["files"]:
            pause = due - time.perf_counter()
            if pause > 0:
                time.sleep(pause)
            due = max(due, time.perf_counter() - 1) + _REQUEST / rate
            _post(base, Path(file).read_bytes())
            Path(file).unlink()
        sent += made["spans"]
        memory.append(running.memory())
    _all_there(url, sent)
    after = _buckets(base)
    share = (after["0.5"] - before["0.5"]) / (after["+Inf"] - before["+Inf"])
    third = max(len(memory) // 3, 1)
    return share, Spread.of(memory[:third]).median, Spread.of(memory[-third:]).median


def _post(base: str, body: bytes) -> None:
    request = urllib.request.Request(f"{base}/v1/traces", body, {"Content-Type": "application/x-protobuf"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()


def _all_there(url: str, spans: int) -> None:
    came = 0

    def done() -> bool:
        nonlocal came
        with urllib.request.urlopen(f"{url}/taken", timeout=60) as answer:
            came += json.load(answer)["spans"]
        return came >= spans

    wait_until(done, timeout=120)


def _buckets(base: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{base}/metrics", timeout=60) as answer:
        found: Sequence[tuple[str, str]] = _BUCKET.findall(answer.read().decode())
    return {bound: float(count) for bound, count in found}

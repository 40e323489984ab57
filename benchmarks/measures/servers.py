"""Servers: from OTLP to rows that can be found, and what they take before anybody has sent anything."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmarks.contest import Contestant, Spread, contestant
from benchmarks.environments import environment
from benchmarks.finding import Figures, Finding, Table, Target, number, spread
from benchmarks.peers import SERVERS, WORKERS, Peer, peer
from benchmarks.processes import OtlpClient, folder, wait_until, wait_until_idle
from benchmarks.scale import Scale

ENVIRONMENTS = ("ours", "phoenix", "mlflow")

_LABELS = {
    "ours": "otel-humanloop",
    "ours-workers": f"otel-humanloop, `--workers {WORKERS}`",
    "phoenix": "Phoenix 20.26.1",
    "mlflow": "MLflow 3.17.2",
}
_SHARE = {"ours": 1, "ours-workers": 1, "phoenix": 16, "mlflow": 8}
"""What part of the spans each is given: the peers take minutes for what ours takes in seconds."""

_REQUEST = 256  # spans

_WARM = 4
"""Rounds that do not count: each comes over a connection of its own, to any of a server's processes, and whichever has
not been asked before does what it does once."""


def measure(scale: Scale) -> Figures:
    """Each server by itself, for two at once would compete for the same cores."""
    with folder() as bodies, contestant("bodies", "otlp", "bodies", str(bodies)) as maker:
        seen = {name: _see(name, maker, scale) for name in SERVERS}
    installed = {
        "ours": "installed-server",
        "ours-workers": "installed-server",
        "phoenix": "phoenix",
        "mlflow": "mlflow",
    }
    sizes = {name: environment(installed[name]).size() for name in SERVERS}
    return {"spans": scale.ingested, "seen": seen, "installed": sizes}


def find(figures: Figures) -> Finding:
    """Ours beside the two others."""
    seen, sizes = figures["seen"], figures["installed"]
    ours, phoenix = seen["ours"], seen["phoenix"]
    rate = {name: Spread.of(each["per_second"]) for name, each in seen.items()}
    cpu = {name: Spread.of(each["cpu"]) for name, each in seen.items()}
    return Finding(
        title="Servers: OTLP in, rows that can be found out",
        how=(
            f"Each server runs alone, with SQLite, and is given {figures['spans']:,} spans a round (Phoenix "
            f"1/{_SHARE['phoenix']} and MLflow 1/{_SHARE['mlflow']} of them), sent as OTLP over HTTP in requests of "
            f"{_REQUEST} spans over one connection. The clock stops when as many rows as there were spans are in its "
            f"database. CPU time is that of the server with all processes it started. {_WARM} rounds come before those "
            "that count.\n\n"
            "What is not alike: ours answers when the spans are on the disk, and is done when the logs made of them "
            "are committed; Phoenix answers before it stores. CPU time is counted until a server is idle, so that it "
            "has our index of words. MLflow has four processes by default, ours and Phoenix one. MLflow is told to use "
            "the prices it comes with: by default each of its processes asks github.com for newer ones at its first "
            "call of a model, and where there is no way there it waits for some seven seconds. Several workers of ours "
            "are for many readers: they write in turns. Phoenix and MLflow also prepare what ours has not: "
            "annotations, evaluations, costs by model."
        ),
        targets=[
            Target.least("spans per second from OTLP to found, against Phoenix", _over(rate, "phoenix"), 100),
            Target.least("the same against MLflow", _over(rate, "mlflow"), 10),
            Target.most("server CPU per span, against Phoenix", _over(cpu, "phoenix"), 1 / 60),
            Target.most("the same against MLflow", _over(cpu, "mlflow"), 1 / 10),
            _part("cold start, against Phoenix", ours["started_in"], phoenix["started_in"], 1 / 10),
            _part("memory before anybody sends anything, against Phoenix", ours["idle"], phoenix["idle"], 1 / 5),
            _part("installed size, against Phoenix", sizes["ours"], sizes["phoenix"], 1 / 10),
            _part("disk per span, against Phoenix", ours["disk"], phoenix["disk"], 1 / 2),
        ],
        tables=[
            Table(
                [
                    "server",
                    "spans/s to found",
                    "server CPU µs/span",
                    "cold start s",
                    "idle MB",
                    "installed MB",
                    "disk bytes/span",
                ],
                [
                    [
                        _LABELS[name],
                        spread(rate[name]),
                        spread(cpu[name]),
                        number(each["started_in"]),
                        number(each["idle"] / 1e6),
                        number(sizes[name] / 1e6),
                        number(each["disk"]),
                    ]
                    for name, each in seen.items()
                ],
            )
        ],
    )


def _see(name: str, maker: Contestant, scale: Scale) -> Figures:
    """What one server showed: in seconds, bytes, spans per second and CPU microseconds per span."""
    spans = max(scale.ingested // _SHARE[name], _REQUEST)
    warm, rounds = (1, 1) if scale.quick else (_WARM, 3)
    with folder() as place:
        with peer(name, place):
            pass  # the first start compiles, and makes the database's tables
        with folder() as fresh, peer(name, fresh) as running:
            started_in = running.server.started_in
            time.sleep(3)  # until it has done what it does after it answers
            idle = running.server.memory()
            empty = running.stored()
            per_second, cpu = [], []
            for round_number in range(warm + rounds):
                made = maker.round(seed=round_number, spans=spans, size=_REQUEST)
                bodies = [Path(file).read_bytes() for file in made["files"]]
                seconds, spent = send(running, bodies, made["spans"])
                sys.stderr.write(f"  {name}, round {round_number}: {made['spans'] / seconds:,.0f} spans/s\n")
                if round_number >= warm:
                    per_second.append(made["spans"] / seconds)
                    cpu.append(spent / made["spans"] * 1e6)
            stored = (running.stored() - empty) / (spans * (warm + rounds))
    return {"started_in": started_in, "idle": idle, "per_second": per_second, "cpu": cpu, "disk": stored}


def send(running: Peer, bodies: list[bytes], spans: int) -> tuple[float, float]:
    """Sends OTLP requests one after the other, and waits for their rows. Seconds, and the server's CPU seconds."""
    wanted = running.rows() + spans
    cpu, began = running.server.cpu(), time.perf_counter()
    client = OtlpClient(running.traces, running.headers)
    for body in bodies:
        client.post(body)
    wait_until(lambda: running.rows() >= wanted, timeout=600)
    seconds = time.perf_counter() - began
    # What is put off until after the commit, as an index of words, is a part of the cost.
    return seconds, wait_until_idle(running.server.cpu) - cpu


def _over(values: dict[str, Spread], theirs: str) -> Spread:
    """Ours over theirs: of the medians, and of the extremes that favour each."""
    ours, other = values["ours"], values[theirs]
    return Spread(ours.median / other.median, ours.least / other.greatest, ours.greatest / other.least)


def _part(what: str, ours: float, theirs: float, limit: float) -> Target:
    ratio = ours / theirs
    return Target.most(what, Spread(ratio, ratio, ratio), limit)

"""What each part costs that stands between a program and the database, for the page that says how it scales."""

from __future__ import annotations

import gzip
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks import parts
from benchmarks.bridges import acknowledged, bridge
from benchmarks.contest import Contestant, Spread, contestant
from benchmarks.finding import Figures, Finding, Table, number, spread
from benchmarks.processes import OtlpClient, Tree, folder, free_port, sink, wait_until, wait_until_idle
from benchmarks.scale import Scale

ENVIRONMENTS = ("ours", "otlp")

_REQUEST = 256  # spans
_TRACE = 4  # spans
_GATHERING = 3.0  # seconds after which a Collector has sent on, or dropped, what it gathers


class _Chain(NamedTuple):
    """Parts one behind the other.

    Attributes:
        parts: Name -> the processes that are that part.
        feed: Gives it requests.
        bridges: Where its bridges tell what was acknowledged.
        size: Spans of one request.
        stored: Bytes of the database behind it.
        ordinary: Whether it is given spans without AI, of which no log is made.
    """

    parts: Mapping[str, Sequence[Tree]]
    feed: Callable[[Sequence[bytes]], None]
    bridges: Sequence[str]
    size: int = _REQUEST
    stored: Callable[[], int] | None = None
    ordinary: bool = False


def measure(scale: Scale) -> Figures:
    """CPU microseconds of each part per span, chain by chain and round by round; and bytes."""
    chains: Figures = {}
    with folder() as bodies, contestant("bodies", "otlp", "bodies", str(bodies)) as maker:
        for name, make in _chains().items():
            with ExitStack() as stack:
                chains[name] = _run(make(stack, stack.enter_context(folder())), maker, scale)
            sys.stderr.write(f"  {name}\n")
        sizes = _bytes(maker, scale)
    for name in ("sqlite", "postgresql"):
        if name in chains:
            sizes[name] = chains[name]["stored"]
    return {"chains": chains, "bytes": sizes}


def find(figures: Figures) -> Finding:
    """CPU and memory of each part, alone and in twos."""
    rows = [
        [_CHAINS[name], part, spread(Spread.of(cpu)), number(1e6 / statistics.median(cpu)), number(memory / 1e6)]
        for name, chain in figures["chains"].items()
        for part, cpu, memory in ((part, chain["cpu"][part], chain["memory"][part]) for part in chain["cpu"])
    ]
    return Finding(
        title="Parts of a large system",
        how=(
            "The load of above goes through bridges, with Collectors or a broker in front of them and servers behind "
            "them, all on this machine. CPU time is that of each part, until it is idle; where a part is two "
            "processes it is that of both, divided by all spans. Spans without AI are those of a request that asks a "
            "database and another service, a tenth as large; no log is made of them. "
            "[How it scales](../docs/scale.md) calculates with these."
        ),
        targets=[],
        tables=[
            Table(["through", "part", "CPU µs/span", "spans/s and core", "MB afterwards"], rows),
            Table(
                ["what", "bytes per span"],
                [[BYTES[name], f"{size:,.0f}"] for name, size in figures["bytes"].items()],
            ),
        ],
    )


_CHAINS = {
    "sqlite": "a bridge, a server on SQLite",
    "postgresql": "a bridge, a server on PostgreSQL",
    "postgresql, two": "two bridges, two servers on one PostgreSQL",
    "kafka": "a broker, a bridge",
    "kafka, two": "a broker, two bridges of one group",
    "agent": "a Collector (`agent.yaml`), a bridge",
    "load-balanced": "a Collector (`load-balanced.yaml`), two bridges",
    "load-balanced, ordinary": "the same, spans without AI",
    "tail-sampling": "a Collector (`tail-sampling.yaml`), a bridge",
    "tail-sampling, ordinary": "the same, spans without AI",
}

BYTES = {
    "otlp": "OTLP, protobuf",
    "gzip": "the same with gzip",
    "spool": "the bridge's spool",
    "held": "memory of the bridge, while Humanloop is away",
    "sqlite": "the server's database, SQLite",
    "postgresql": "the server's database, PostgreSQL",
}
"""What the sizes of a span are called: on the way, and kept."""


def _chains() -> dict[str, Callable[[ExitStack, Path], _Chain]]:
    """Those whose parts are installed."""
    found: dict[str, Callable[[ExitStack, Path], _Chain]] = {"sqlite": _sqlite}
    if parts.postgres_is_there():
        found |= {
            "postgresql": lambda stack, place: _postgresql(stack, place, 1),
            "postgresql, two": lambda stack, place: _postgresql(stack, place, 2),
        }
    if parts.kafka_is_there():
        found |= {
            "kafka": lambda stack, place: _kafka(stack, place, 1),
            "kafka, two": lambda stack, place: _kafka(stack, place, 2),
        }
    if parts.collector_is_there():
        found |= {
            "agent": lambda stack, place: _collector(stack, place, "agent.yaml"),
            "load-balanced": _load_balanced,
            "load-balanced, ordinary": lambda stack, place: _load_balanced(stack, place)._replace(ordinary=True),
            "tail-sampling": _tail_sampling,
            "tail-sampling, ordinary": lambda stack, place: _tail_sampling(stack, place)._replace(ordinary=True),
        }
    return found


def _sqlite(stack: ExitStack, place: Path) -> _Chain:
    server, api = stack.enter_context(parts.humanloop(place / "server", f"sqlite:///{place}/humanloop.db"))
    running, base = stack.enter_context(bridge(place / "bridge", api))
    return _Chain(
        {"bridge": [running.processes], "server": [server.processes]},
        _posted([base]),
        [base],
        stored=lambda: _size(place, "humanloop.db"),
    )


def _postgresql(stack: ExitStack, place: Path, number_of_servers: int) -> _Chain:
    database = stack.enter_context(parts.postgresql())
    servers: list[Tree] = []
    bridges: list[Tree] = []
    bases: list[str] = []
    for each in range(number_of_servers):
        server, api = stack.enter_context(parts.humanloop(place / f"server-{each}", database.url))
        running, base = stack.enter_context(bridge(place / f"bridge-{each}", api))
        servers.append(server.processes)
        bridges.append(running.processes)
        bases.append(base)
    return _Chain(
        {"bridge": bridges, "server": servers, "PostgreSQL": [database.processes]},
        _posted(bases),
        bases,
        stored=database.stored,
    )


def _kafka(stack: ExitStack, place: Path, number_of_bridges: int) -> _Chain:
    topic = stack.enter_context(parts.topic(place))
    taker = stack.enter_context(sink())
    bridges = [
        stack.enter_context(bridge(place / f"bridge-{each}", f"{taker.url}/v4", topic.url(), spool="memory:"))
        for each in range(number_of_bridges)
    ]
    return _Chain(
        {"bridge": [running.processes for running, _ in bridges]}, topic.produce, [base for _, base in bridges], _TRACE
    )


def _collector(stack: ExitStack, place: Path, file: str, *overrides: str) -> _Chain:
    taker = stack.enter_context(sink())
    grpc = f"127.0.0.1:{free_port()}"
    running, base = stack.enter_context(bridge(place / "bridge", f"{taker.url}/v4", f"grpc://{grpc}"))
    collector, front = stack.enter_context(
        parts.collector(place / "collector", file, *overrides, GATEWAY_ENDPOINT=grpc, BRIDGE_ENDPOINT=base)
    )
    return _Chain({"Collector": [collector.processes], "bridge": [running.processes]}, _posted([front]), [base])


def _tail_sampling(stack: ExitStack, place: Path) -> _Chain:
    return _collector(stack, place, "tail-sampling.yaml", "yaml:processors::tail_sampling/genai::decision_wait: 1s")


def _load_balanced(stack: ExitStack, place: Path) -> _Chain:
    taker = stack.enter_context(sink())
    doors = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    bridges = [
        stack.enter_context(bridge(place / f"bridge-{index}", f"{taker.url}/v4", f"grpc://{door}"))
        for index, door in enumerate(doors)
    ]
    collector, front = stack.enter_context(
        parts.collector(place / "collector", "load-balanced.yaml", BRIDGE_1=doors[0], BRIDGE_2=doors[1])
    )
    return _Chain(
        {"Collector": [collector.processes], "bridge": [running.processes for running, _ in bridges]},
        _posted([front]),
        [base for _, base in bridges],
    )


def _posted(bases: Sequence[str]) -> Callable[[Sequence[bytes]], None]:
    """One request after the other, to each in turn."""

    def feed(bodies: Sequence[bytes]) -> None:
        clients = [OtlpClient(f"{base}/v1/traces") for base in bases]  # none is kept: a server ends one that rests
        for index, body in enumerate(bodies):
            clients[index % len(clients)].post(body)

    return feed


def _run(chain: _Chain, maker: Contestant, scale: Scale) -> Figures:
    cpu: dict[str, list[float]] = {part: [] for part in chain.parts}
    empty = chain.stored() if chain.stored else 0
    spans = 0
    for number_of_round in range(max(scale.rounds // 2, 1) + 1):
        made = maker.round(seed=number_of_round, spans=scale.ingested, size=chain.size, ordinary=chain.ordinary)
        bodies = [Path(file).read_bytes() for file in made["files"]]
        wanted = _acknowledged(chain) + made["spans"]
        before = {part: _spent(processes) for part, processes in chain.parts.items()}
        chain.feed(bodies)
        if chain.ordinary:
            time.sleep(_GATHERING)
        else:
            wait_until(lambda wanted=wanted: _acknowledged(chain) >= wanted, timeout=300, every=0.5)
        after = {part: wait_until_idle(lambda each=each: _spent(each)) for part, each in chain.parts.items()}
        spans += made["spans"]
        if number_of_round:  # the first warms it up
            for part in cpu:
                cpu[part].append((after[part] - before[part]) / made["spans"] * 1e6)
    memory = {part: statistics.mean(each.memory() for each in of) for part, of in chain.parts.items()}
    return {"cpu": cpu, "memory": memory, "stored": (chain.stored() - empty) / spans if chain.stored else None}


def _acknowledged(chain: _Chain) -> float:
    return sum(acknowledged(base).get("+Inf", 0.0) for base in chain.bridges)


def _spent(processes: Sequence[Tree]) -> float:
    return sum(each.cpu() for each in processes)


def _bytes(maker: Contestant, scale: Scale) -> dict[str, float]:
    """On the way, and in the spool of a bridge whose Humanloop is away."""
    made = maker.round(seed=99, spans=scale.ingested, size=_REQUEST)
    bodies = [Path(file).read_bytes() for file in made["files"]]
    with folder() as place, bridge(place, f"http://127.0.0.1:{free_port()}/v4") as (running, base):
        empty, idle = _size(place, "spool.db"), running.memory()
        _posted([base])(bodies)
        wait_until_idle(running.cpu)
        spool, held = _size(place, "spool.db") - empty, running.memory() - idle
    whole, packed = sum(map(len, bodies)), sum(len(gzip.compress(body, 6)) for body in bodies)
    sizes = {"otlp": whole, "gzip": packed, "spool": spool, "held": held}
    return {name: size / made["spans"] for name, size in sizes.items()}


def _size(place: Path, name: str) -> int:
    found = [file for each in place.glob(f"{name}*") for file in (each, *each.rglob("*"))]
    return sum(file.stat().st_size for file in found if file.is_file())

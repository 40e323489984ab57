"""A server with many logs, and one with ten times as many: what is asked of them, and what is added to them."""

from __future__ import annotations

import hashlib
import http.client
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.contest import Spread, clean_environ, contestant, ratios
from benchmarks.environments import PROJECT, cache_folder, environment
from benchmarks.finding import Figures, Finding, Table, Target, spread
from benchmarks.measures.servers import send
from benchmarks.peers import Peer, serve
from benchmarks.plot import plot
from benchmarks.processes import folder
from benchmarks.scale import Scale

ENVIRONMENTS = ("ours", "otlp")

_TIMES = 100
_REQUEST = 256  # spans

_NEWEST, _SESSION = "the newest 50 sessions, API", "a session of 1,000 logs, viewer"
_WRITE = "a span, from OTLP to found"


class _Large(NamedTuple):
    """A server with a number of logs."""

    logs: str
    running: Peer
    paths: dict[str, str]


def measure(scale: Scale) -> Figures:
    """Milliseconds and CPU milliseconds of each answer, and CPU microseconds of each span that is added, by size."""
    sizes = [str(scale.stored // 10), str(scale.stored)]
    took: dict[str, dict[str, list[float]]] = {}
    cpu: dict[str, dict[str, list[float]]] = {}
    with ExitStack() as stack:
        servers = [stack.enter_context(_serving(logs)) for logs in sizes]
        for what in servers[0].paths:
            for each in servers:
                taken, spent = _ask(each, what)
                took.setdefault(what, {})[each.logs] = taken
                cpu.setdefault(what, {})[each.logs] = [spent]
        sys.stderr.write("  reads are measured\n")
        bodies = stack.enter_context(folder())
        maker = stack.enter_context(contestant("bodies", "otlp", "bodies", str(bodies)))
        written: dict[str, list[float]] = {logs: [] for logs in sizes}
        for number_of_round in range(max(scale.rounds // 2, 1) + 1):
            for each in servers:
                made = maker.round(seed=number_of_round, spans=scale.ingested, size=_REQUEST)
                read = [Path(file).read_bytes() for file in made["files"]]
                _, spent = send(each.running, read, made["spans"])
                if number_of_round:  # the first warms it up
                    written[each.logs].append(spent / made["spans"] * 1e6)
            sys.stderr.write(f"  writes, round {number_of_round}\n")
    return {"sizes": sizes, "took": took, "cpu": cpu, "written": written}


def find(figures: Figures) -> Finding:
    """How quick answers are at the larger size, and what each thing costs against the smaller."""
    few, many = figures["sizes"]
    took = {what: {logs: Spread.of(times) for logs, times in by.items()} for what, by in figures["took"].items()}
    spent = {what: {logs: by[logs][0] for logs in (few, many)} for what, by in figures["cpu"].items()}
    written = {logs: Spread.of(figures["written"][logs]) for logs in (few, many)}
    growth = {what: by[many] / by[few] for what, by in spent.items()}
    wrote = ratios(figures["written"][many], figures["written"][few])
    said_few, said_many = f"{int(few):,}", f"{int(many):,}"
    curves = {what: [(1.0, 1.0), (10.0, each)] for what, each in {_WRITE: wrote.median, **growth}.items()}
    return Finding(
        title=f"Server: {said_few} and {said_many} logs",
        how=(
            f"Two servers with a SQLite file each, of {said_few} logs and of {said_many}, in a fifth as many sessions, "
            f"one of which has 1,000. Milliseconds from a request to the last byte of its answer, {_TIMES} times over "
            "one connection, after one that does not count; the client's part is in it. CPU time is the server's "
            "alone. Then both take in spans over OTLP, in turns, as above.\n\n"
            "![Cost as the database grows](database.svg)"
        ),
        targets=[
            Target.most("the newest 50 sessions over HTTP", took[_NEWEST][many], 10, " ms"),
            Target.most("a session of 1,000 logs", took[_SESSION][many], 50, " ms"),
            Target.most("CPU to take in a span, with ten times the logs", wrote, 1.3),
            Target.most(
                "CPU of an answer, with ten times the logs",
                Spread(max(growth.values()), min(growth.values()), max(growth.values())),
                1.3,
            ),
        ],
        tables=[
            Table(
                ["what is asked for", f"ms, {said_few}", f"ms, {said_many}", "CPU ms", "CPU, 10x against 1x"],
                [
                    [
                        what,
                        spread(took[what][few]),
                        spread(took[what][many]),
                        f"{spent[what][few]:.1f}, {spent[what][many]:.1f}",
                        f"{growth[what]:.2f}x",
                    ]
                    for what in took
                ],
            ),
            Table(
                ["what is added", f"CPU µs, {said_few}", f"CPU µs, {said_many}", "CPU, 10x against 1x"],
                [[_WRITE, spread(written[few]), spread(written[many]), spread(wrote, "x")]],
            ),
        ],
        plots={
            "database.svg": plot(curves, limit=1.3, across="times as many logs", up="CPU, against 1x", logarithmic=True)
        },
    )


@contextmanager
def _serving(logs: str) -> Generator[_Large, None, None]:
    """A server with so many logs, in a copy of a file that is kept: to make a million takes minutes."""
    kept = cache_folder() / f"{logs}-{_schema()}.db"
    subprocess.run(
        [str(environment("ours").python), "-m", "benchmarks.contestants.fill", str(kept), logs],
        cwd=PROJECT,
        env=clean_environ(),
        check=True,
    )
    with folder() as place:
        database = place / "humanloop.db"
        shutil.copyfile(kept, database)
        with serve(place, database) as running:
            with _connected(running) as connection:
                large = json.loads(_get(connection, "/v4/sessions?reference_id=large"))["records"][0]["id"]
            paths = {
                _NEWEST: "/v4/sessions?page=1&size=50",
                "the newest sessions, viewer": "/",
                "the longest sessions, viewer": "/?sort=duration",
                "sessions found by words, viewer": "/?q=refund+carrier+plan",
                _SESSION: f"/sessions/{large}",
                "its logs, API, 100 of them": f"/v4/logs?session_id={large}&size=100",
            }
            yield _Large(logs, running, paths)


def _connected(running: Peer) -> closing[http.client.HTTPConnection]:
    """A new connection: a server ends one that rests for some seconds."""
    return closing(http.client.HTTPConnection(urlsplit(running.base).netloc))


def _schema() -> str:
    """Changes when the database's tables do."""
    migrations = sorted((PROJECT / "otel_humanloop" / "server" / "store" / "migrations" / "versions").glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in migrations)).hexdigest()[:12]


def _ask(server: _Large, what: str) -> tuple[list[float], float]:
    """Milliseconds of each answer, and CPU milliseconds of the server for one."""
    path = server.paths[what]
    taken: list[float] = []
    with _connected(server.running) as connection:
        _get(connection, path)
        spent = server.running.server.cpu()
        for _ in range(_TIMES):
            began = time.perf_counter()
            _get(connection, path)
            taken.append((time.perf_counter() - began) * 1000)
    return taken, (server.running.server.cpu() - spent) / _TIMES * 1000


def _get(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} was answered with {answer.status}: {body[:500]!r}")
    return body

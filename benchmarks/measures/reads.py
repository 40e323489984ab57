"""What is asked of a server with many logs: its newest sessions, and a large one."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from urllib.parse import urlsplit

from benchmarks.contest import Spread, clean_environ
from benchmarks.environments import PROJECT, cache_folder, environment
from benchmarks.finding import Finding, Table, Target, spread
from benchmarks.processes import folder, free_port, server
from benchmarks.scale import Scale

_TIMES = 30


def measure(scale: Scale) -> Finding:
    """Milliseconds from request to the last byte, over HTTP on this machine."""
    # A million logs take minutes to make, so the file is kept between runs; nothing is written to it.
    database = cache_folder() / f"reads-{scale.stored}.db"
    subprocess.run(
        [str(environment("ours").python), "-m", "benchmarks.contestants.fill", str(database), str(scale.stored)],
        cwd=PROJECT,
        env=clean_environ(),
        check=True,
    )
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    command = [
        environment("ours").script("otel-humanloop"),
        *("serve", "--no-otlp", "--port", str(port), "--database", f"sqlite:///{database}"),
    ]
    with folder() as place, server(command, place, XDG_DATA_HOME=str(place)) as running:
        running.wait_for(f"{base}/readyz")
        connection = http.client.HTTPConnection(urlsplit(base).netloc)
        large = json.loads(_get(connection, "/v4/sessions?reference_id=large"))["records"][0]["id"]
        paths = {
            "the newest 50 sessions, API": "/v4/sessions?page=1&size=50",
            "the newest sessions, viewer": "/",
            "a session of 1,000 logs, viewer": f"/sessions/{large}",
            "its logs, API, 100 of them": f"/v4/logs?session_id={large}&size=100",
        }
        took = {name: Spread.of(_times(connection, path)) for name, path in paths.items()}
    sys.stderr.write("  reads are measured\n")
    return Finding(
        title=f"Server: reads at {scale.stored:,} logs",
        how=(
            f"`otel-humanloop serve` with a SQLite file of {scale.stored:,} logs in {scale.stored // 5:,} sessions, "
            f"one of which has 1,000. Milliseconds from a request to the last byte of its answer, {_TIMES} times over "
            "one connection, after one that does not count. What the client spends is in it too."
        ),
        targets=[
            Target.most("the newest 50 sessions over HTTP", took["the newest 50 sessions, API"], 10, " ms"),
            Target.most("a session of 1,000 logs", took["a session of 1,000 logs, viewer"], 50, " ms"),
        ],
        limits=(
            "Which part of it is the queries, and which is making records and pages of the rows, has not been "
            "profiled; both servers and client share this machine's cores with whatever else it does."
        ),
        tables=[Table(["what is asked for", "ms"], [[name, spread(each)] for name, each in took.items()])],
    )


def _times(connection: http.client.HTTPConnection, path: str) -> list[float]:
    taken: list[float] = []
    for _ in range(_TIMES + 1):
        began = time.perf_counter()
        _get(connection, path)
        taken.append((time.perf_counter() - began) * 1000)
    return taken[1:]


def _get(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} was answered with {answer.status}: {body[:500]!r}")
    return body

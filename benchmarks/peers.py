"""Servers that take OTLP in and keep it: ours, Phoenix and MLflow, each started as its own documentation says."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.environments import environment
from benchmarks.processes import Server, free_port, server

SERVERS = ("ours", "ours-workers", "phoenix", "mlflow")


WORKERS = 2


class Peer(NamedTuple):
    """A server that answers.

    Attributes:
        traces: Where OTLP over HTTP is posted.
        headers: What it asks for besides.
        database: Its SQLite file.
        table: The table with a row for each span or log.
        base: Where its pages and its API are.
    """

    server: Server
    traces: str
    headers: dict[str, str]
    database: Path
    table: str
    base: str

    def rows(self) -> int:
        """How many spans can be found in it."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)) as connection:
            return connection.execute(f"select count(*) from {self.table}").fetchone()[0]

    def stored(self) -> int:
        """Bytes of its database, with what is still in its log."""
        files = self.database.parent.glob(f"{self.database.name}*")
        return sum(file.stat().st_size for file in files)


@contextmanager
def serve(folder: Path, database: Path, *arguments: str) -> Generator[Peer, None, None]:
    """Our server with that SQLite file; it has answered, and ends with the block."""
    port, otlp = free_port(), free_port()
    base = f"http://127.0.0.1:{port}"
    command = [
        environment("ours").script("otel-humanloop"),
        *("serve", "--port", str(port), "--database", f"sqlite:///{database}"),
        *("--otlp-http-port", str(otlp), "--otlp-grpc-port", str(free_port()), *arguments),
    ]
    with server(command, folder, XDG_DATA_HOME=str(folder)) as started:
        started.wait_for(f"{base}/readyz")
        yield Peer(started, f"http://127.0.0.1:{otlp}/v1/traces", {}, database, "logs", base)


@contextmanager
def peer(name: str, folder: Path) -> Generator[Peer, None, None]:
    """That server, with a database in the folder; it has answered, and ends with the block."""
    if name.startswith("ours"):
        more = ("--workers", str(WORKERS)) if name == "ours-workers" else ()
        with serve(folder, folder / "humanloop.db", *more) as ours:
            yield ours
        return
    port, other = free_port(), free_port()
    base = f"http://127.0.0.1:{port}"
    if name == "phoenix":
        variables = {
            "PHOENIX_WORKING_DIR": str(folder),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(other),
            "PHOENIX_TELEMETRY_ENABLED": "false",
        }
        with server([environment("phoenix").script("phoenix"), "serve"], folder, **variables) as started:
            started.wait_for(f"{base}/healthz")
            yield Peer(started, f"{base}/v1/traces", {}, folder / "phoenix.db", "spans", base)
    else:
        database = folder / "mlflow.db"
        command = [
            environment("mlflow").script("mlflow"),
            *("server", "--host", "127.0.0.1", "--port", str(port)),
            *("--backend-store-uri", f"sqlite:///{database}", "--artifacts-destination", str(folder / "artifacts")),
        ]
        variables = {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            # It has prices with it. By default each of its processes asks github.com for newer ones at its first call
            # of a model, and where there is no way there it sleeps for some seven seconds between attempts.
            "MLFLOW_MODEL_CATALOG_URI": "",
            "PATH": f"{environment('mlflow').folder}/bin:/usr/bin:/bin",
        }
        with server(command, folder, **variables) as started:
            started.wait_for(f"{base}/health")
            yield Peer(started, f"{base}/v1/traces", {"x-mlflow-experiment-id": "0"}, database, "spans", base)

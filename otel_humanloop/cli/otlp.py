"""OTLP beside the server: what `otel-humanloop serve` takes in of itself, without a bridge elsewhere."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from otel_humanloop.cli.arguments import port
from otel_humanloop.cli.extras import missing, require
from otel_humanloop.cli.folders import SERVER_SPOOL, data_folder
from otel_humanloop.errors import SettingsError
from otel_humanloop.listening import listen

if TYPE_CHECKING:
    import httpx

    from otel_humanloop.bridge.service import RunningBridge

HTTP_PORT = 4318
GRPC_PORT = 4317

_FILE = "sqlite:///"

_DELAY = 0.1  # seconds; what is handed over within a process need not be saved up


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments."""
    parser.add_argument(
        "--otlp-http-port",
        type=port,
        metavar="PORT",
        help=f"where spans are taken in by OTLP over HTTP; {HTTP_PORT} by default, unless something listens there",
    )
    parser.add_argument(
        "--otlp-grpc-port",
        type=port,
        metavar="PORT",
        help=f"the same over gRPC; {GRPC_PORT} by default, unless something listens there",
    )
    parser.add_argument("--no-otlp", action="store_true", help="take no spans in")


@contextmanager
def receiving(
    arguments: argparse.Namespace, database: str, *, opens: Callable[[str], bool], inside: httpx.BaseTransport
) -> Generator[Callable[[], tuple[bytes, str]] | None, None, None]:
    """OTLP's receivers, for as long as the block, which hand what they take in to the server of the same arguments.

    Gives what tells their numbers, as Prometheus reads them, with its media type; None where there are no receivers.

    Args:
        opens: Says whether whoever shows this key, as a bearer token, may come in.
        inside: What carries requests to the server.

    Where nobody asked for them they are left out rather than in the way: without the extra, or where another (a
    Collector, for one) listens at their port. That is said.
    """
    asked = {"http": arguments.otlp_http_port, "grpc": arguments.otlp_grpc_port}
    is_asked = any(port is not None for port in asked.values())
    if arguments.no_otlp or (not is_asked and missing("bridge")):
        yield None
        return
    require("receiving OTLP", "bridge")
    wanted = {"http": HTTP_PORT, "grpc": GRPC_PORT}
    ports = {scheme: wanted[scheme] if given is None else given for scheme, given in asked.items()}
    for scheme in [scheme for scheme, given in asked.items() if given is None]:
        if not _is_free(arguments.host, ports[scheme]):
            sys.stderr.write(f"OTLP over {scheme} is not taken in: port {ports.pop(scheme)} is in use\n")
    if not ports:
        yield None
        return
    from otel_humanloop.bridge import service
    from otel_humanloop.bridge.addresses import Listen
    from otel_humanloop.settings import load

    settings = load(
        {
            "base_url": "http://127.0.0.1/v4",
            "compression": "none",
            "spool": _spool(database),
            "max_spans": service.MAX_SPANS,
        }
    )
    if settings.origins["delay"] == "the default":
        settings = msgspec.structs.replace(settings, delay=_DELAY)
    addresses = [Listen(scheme=scheme, host=arguments.host, port=number) for scheme, number in ports.items()]
    told: Callable[[], tuple[bytes, str]] | None = None
    with ExitStack() as stack:
        try:
            bridge = stack.enter_context(service.running(settings, addresses, opens=opens, transport=inside))
        except SettingsError as error:
            if is_asked:
                raise
            sys.stderr.write(f"OTLP is not taken in: {error.message}\n")
        else:
            sys.stderr.write(f"OTLP at {', '.join(bridge.urls)}, kept in {settings.spool} until it is logged\n")
            told = partial(_told, bridge)
        yield told


def _told(bridge: RunningBridge) -> tuple[bytes, str]:
    from otel_humanloop.bridge.metrics import MEDIA_TYPE

    return bridge.metrics.text(), MEDIA_TYPE


def beside(database: str) -> str:
    """The URL of the spool of a server whose database is that file."""
    return f"{database.partition('?')[0]}-otlp"


def _spool(database: str) -> str:
    """A file beside the server's own, so that what was taken in for one server is not sent to another."""
    if database.startswith(_FILE) and len(database) > len(_FILE):
        return beside(database)
    if database.startswith("sqlite:"):
        return "memory:"
    return f"{_FILE}{data_folder() / SERVER_SPOOL}"


def _is_free(host: str, port: int) -> bool:
    try:
        listen(host, port).close()
    except OSError:
        return False
    return True

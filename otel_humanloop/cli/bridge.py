"""`otel-humanloop bridge`: spans from a Collector, or from any program, over the network to Humanloop."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Mapping
from types import FrameType
from typing import TYPE_CHECKING

import msgspec

from otel_humanloop.cli import garbage
from otel_humanloop.cli.api import without_credentials
from otel_humanloop.cli.extras import require
from otel_humanloop.cli.folders import BRIDGE_SPOOL, data_folder
from otel_humanloop.settings import Settings, load

if TYPE_CHECKING:
    from otel_humanloop.cli.arguments import Commands

DEFAULT_RECEIVERS = ("http://127.0.0.1:4318", "grpc://127.0.0.1:4317")

TOKEN_VARIABLE = "HUMANLOOP_BRIDGE_TOKEN"


def add(commands: Commands) -> None:
    """Adds the command's arguments."""
    parser = commands.add_parser(
        "bridge",
        help="take spans in from an OpenTelemetry Collector",
        description="Takes OpenTelemetry's spans in over the network and delivers them to HUMANLOOP_BASE_URL, until"
        " SIGTERM or Ctrl-C. What was taken in is kept on the disk until Humanloop has it.",
    )
    parser.add_argument(
        "--receive",
        metavar="URL",
        action="append",
        default=[],
        help="http://HOST:PORT, grpc://HOST:PORT (https:// and grpcs:// with ?cert=FILE&key=FILE[&client_ca=FILE]) or"
        f" kafka://HOST:PORT/TOPIC?group=NAME; repeatable; by default {' and '.join(DEFAULT_RECEIVERS)}",
    )
    parser.add_argument(
        "--spool",
        metavar="URL",
        help="sqlite:///PATH, or memory:; by default HUMANLOOP_SPOOL, or a file among your own data (in memory where"
        " all is read from Kafka, which keeps it)",
    )
    parser.add_argument(
        "--token",
        metavar="TOKEN",
        action="append",
        default=[],
        help=f"a bearer token that senders must show; may be given several times, or in {TOKEN_VARIABLE}",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Takes spans in until it is told to end."""
    require("the bridge", "bridge")
    from otel_humanloop.bridge import addresses, service

    receivers = [addresses.parse(url) for url in arguments.receive or DEFAULT_RECEIVERS]
    is_kept_elsewhere = all(isinstance(address, addresses.Consume) for address in receivers)
    settings = settings_of(arguments.spool, max_spans=service.MAX_SPANS, in_memory=is_kept_elsewhere)
    tokens = [*arguments.token, *os.environ.get(TOKEN_VARIABLE, "").split()]
    end = threading.Event()

    def ending(_number: int, _frame: FrameType | None) -> None:
        end.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ending)
    with service.running(settings, receivers, tokens=tokens) as bridge:
        garbage.search_less()
        consumed = [addresses.shown(url) for url in arguments.receive if url.startswith("kafka:")]
        where, to = ", ".join([*bridge.urls, *consumed]), without_credentials(settings.base_url)
        sys.stderr.write(f"taking spans in at {where}; to {to}, kept in {settings.spool}\n")
        sys.stderr.flush()
        while not end.wait(3600):
            pass  # without a timeout, no signal would be seen on Windows
        sys.stderr.write(f"ending; at most {settings.shutdown_timeout:g} s for what is not delivered yet\n")
    left = bridge.keeper.spans
    if left:
        kept = f"stay in {settings.spool}" if bridge.keeper.durable else "were not delivered"
        sys.stderr.write(f"{left} spans {kept}\n")
    if bridge.keeper.counts.refused and not bridge.keeper.durable:
        sys.stderr.write(
            f"{bridge.keeper.counts.refused} logs that Humanloop refused are forgotten; --spool sqlite:///PATH would"
            " keep them\n"
        )
    return 0


def settings_of(
    spool: str | None, *, max_spans: int, in_memory: bool = False, environ: Mapping[str, str] | None = None
) -> Settings:
    """The settings of a bridge: as anywhere, but for a spool on the disk and the room in it."""
    settings = load({"spool": spool}, environ)
    if settings.origins["spool"] == "the default":
        settings = msgspec.structs.replace(settings, spool="memory:" if in_memory else default_spool(environ))
    if settings.origins["max_spans"] == "the default":
        settings = msgspec.structs.replace(settings, max_spans=max_spans)
    return settings


def default_spool(environ: Mapping[str, str] | None = None) -> str:
    """The URL of the spool a bridge has when it is told of none."""
    return f"sqlite:///{data_folder(environ) / BRIDGE_SPOOL}"

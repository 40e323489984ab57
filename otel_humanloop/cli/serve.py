"""`otel-humanloop serve`: a Humanloop of one's own."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Mapping
from types import FrameType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from otel_humanloop.cli import otlp
from otel_humanloop.cli.arguments import count, port, seconds
from otel_humanloop.cli.extras import require
from otel_humanloop.cli.folders import DATABASE, data_folder
from otel_humanloop.cli.garbage import search_less
from otel_humanloop.settings import DEFAULT_PORT, DEFAULT_PROVIDER_TIMEOUT, load

if TYPE_CHECKING:
    from otel_humanloop.cli.arguments import Commands


_PROVIDER_TIMEOUT = "HUMANLOOP_PROVIDER_TIMEOUT"


def add(commands: Commands) -> None:
    """Adds the command's arguments."""
    parser = commands.add_parser(
        "serve",
        help="start a Humanloop server of your own",
        description="Serves Humanloop's v4 API at /v4 and its sessions to a browser at /, until Ctrl-C.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at; 127.0.0.1 by default")
    parser.add_argument("--port", type=port, default=DEFAULT_PORT, help=f"the port; {DEFAULT_PORT} by default")
    parser.add_argument(
        "--database",
        metavar="URL",
        help="sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME; by default a file among your own data",
    )
    parser.add_argument(
        "--api-key",
        metavar="KEY",
        action="append",
        default=[],
        help="a key that callers must send, besides those made by `otel-humanloop keys`; may be given several times."
        " There must be a key where others can reach the address",
    )
    parser.add_argument(
        "--allowed-host",
        metavar="NAME",
        action="append",
        default=[],
        help="another host name that means this server, where it has no key; may be given several times",
    )
    parser.add_argument(
        "--strict-parents",
        action="store_true",
        help="refuse a log whose parent has not been logged, instead of waiting for the parent",
    )
    parser.add_argument(
        "--rate-limit", type=count, metavar="N", help="requests a minute that each key may make; any number by default"
    )
    parser.add_argument(
        "--workers",
        type=count,
        default=1,
        metavar="N",
        help="how many processes answer; 1 by default, which is enough until one core is busy",
    )
    parser.add_argument(
        "--keep", metavar="AGE", help="delete logs that ended longer ago: 12h, 30d, 8w; by default they are kept"
    )
    parser.add_argument(
        "--provider-timeout",
        type=seconds,
        metavar="SECONDS",
        default=os.environ.get(_PROVIDER_TIMEOUT) or str(DEFAULT_PROVIDER_TIMEOUT),
        help="how long the provider of a model may say nothing in a call of /chat or /completion before it is given up;"
        f" {DEFAULT_PROVIDER_TIMEOUT} by default, or {_PROVIDER_TIMEOUT}",
    )
    otlp.add(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serves until it is told to end."""
    require("the server", "server")
    from otel_humanloop.server.inside import Inside
    from otel_humanloop.server.providers import ProviderSettings
    from otel_humanloop.server.retention import parse_age
    from otel_humanloop.server.serve import Plan, listening

    keep = None if arguments.keep is None else parse_age(arguments.keep)
    providers = ProviderSettings(
        base_url=os.environ.get("OPENAI_BASE_URL") or None,
        api_key=os.environ.get("OPENAI_API_KEY") or None,
        timeout=arguments.provider_timeout,
        priced=load().prices == "auto",
    )
    database = arguments.database or default_database()
    plan = Plan(
        database=database,
        api_keys=tuple(arguments.api_key),
        allowed_hosts=tuple(arguments.allowed_host),
        strict_parents=arguments.strict_parents,
        rate_limit=arguments.rate_limit,
        providers=providers,
    )
    signal.signal(signal.SIGTERM, _end)
    try:
        with listening(plan, host=arguments.host, port=arguments.port, keep=keep, workers=arguments.workers) as server:
            sys.stderr.write(f"Humanloop at {server.url}/v4, kept in {shown_database(database)}; Ctrl-C ends it\n")
            inside = Inside(server.store, strict_parents=arguments.strict_parents)
            with otlp.receiving(arguments, database, opens=server.opens, inside=inside) as metrics:
                sys.stderr.flush()
                server.run(ready=search_less, metrics=metrics)
    except SystemExit:
        # All has been put away. What waits for this process is to see that the signal ended it.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)
    return 0


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def shown_database(url: str) -> str:
    """The address of a database without the password in it."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.partition(':')[0]}:***@{host}").geturl()


def default_database(environ: Mapping[str, str] | None = None) -> str:
    """The URL of the database a server keeps when it is told of none: a file where this system keeps a user's data.

    The folder is made if it is not there, for this user alone.
    """
    return f"sqlite:///{data_folder(environ) / DATABASE}"

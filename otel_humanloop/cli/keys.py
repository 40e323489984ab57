"""`otel-humanloop keys`: who may use a server. Makes, lists and revokes API keys in its database."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING

from otel_humanloop.cli.extras import require
from otel_humanloop.cli.screen import Line, Screen, table
from otel_humanloop.cli.serve import default_database
from otel_humanloop.cli.text import clean
from otel_humanloop.errors import SettingsError

if TYPE_CHECKING:
    from otel_humanloop.cli.arguments import Commands
    from otel_humanloop.server.store import Store


def add(commands: Commands) -> None:
    """Adds the command's arguments."""
    parser = commands.add_parser(
        "keys",
        help="make, list and revoke a server's API keys",
        description="Makes, lists and revokes the API keys of a server, in its database. From the first key on the"
        " server lets nobody in without one. A running server follows within a second.",
    )
    parser.add_argument("--database", metavar="URL", help="the server's; the one `serve` takes by default")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    making = actions.add_parser("add", help="make a key and print it, this once")
    making.add_argument("name", help="who or what it is for")
    making.set_defaults(run=_add)
    actions.add_parser("list", help="list the keys, without themselves").set_defaults(run=_list)
    revoking = actions.add_parser("revoke", help="make a key worthless")
    revoking.add_argument("id", help="as `keys list` shows it: key_...")
    revoking.set_defaults(run=_revoke)


def _add(arguments: argparse.Namespace) -> int:
    from otel_humanloop.server.store import keys

    name: str = arguments.name
    if not name.strip() or "\0" in name:
        raise SettingsError("the key's name is empty", hint="say who or what it is for")
    with _store(arguments) as store:
        made, secret = store.write(partial(keys.make, name=name, now=time.time_ns() // 1000))
    sys.stdout.write(f"{secret}\n")
    sys.stderr.write(f"This is {made.id}, for {clean(name)}. It is shown only now: only its hash is kept.\n")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from otel_humanloop.server.store import keys

    with _store(arguments) as store:
        found = store.read(keys.every)
    screen = Screen(sys.stdout)
    rows: list[Line] = [
        [
            (key.id, "plain"),
            (clean(key.name), "strong"),
            (_day(key.created_at), "faint"),
            (f"revoked {_day(key.revoked_at)}", "warning") if key.revoked_at is not None else ("in use", "good"),
        ]
        for key in found
    ]
    screen.lines(table(("ID", "NAME", "MADE", "STATE"), rows, screen.width))
    return 0


def _revoke(arguments: argparse.Namespace) -> int:
    from otel_humanloop.server.store import keys

    with _store(arguments) as store:
        store.write(partial(keys.revoke, id=arguments.id, now=time.time_ns() // 1000))
    sys.stderr.write(f"{clean(arguments.id)} opens nothing any more\n")
    return 0


def _store(arguments: argparse.Namespace) -> Store:
    require("the server", "server")
    from otel_humanloop.server.store import open_store

    return open_store(arguments.database or default_database())


def _day(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1e6, timezone.utc).strftime("%Y-%m-%d")

"""`otel-humanloop export`, `import` and `vacuum`: a server's database as JSON lines, and back, and made smaller."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from otel_humanloop.cli.extras import require
from otel_humanloop.cli.serve import default_database
from otel_humanloop.cli.text import clean
from otel_humanloop.errors import SettingsError

if TYPE_CHECKING:
    from otel_humanloop.cli.arguments import Commands
    from otel_humanloop.server.store import Store


def add(commands: Commands) -> None:
    """Adds the commands' arguments."""
    exporting = commands.add_parser(
        "export",
        help="write everything a server keeps as JSON lines",
        description="Writes projects, versions, deployments, sessions, logs with their feedback, and attachments, one"
        " JSON object a line.",
    )
    exporting.add_argument("file", metavar="FILE", nargs="?", help="where to; standard output by default")
    exporting.set_defaults(run=_export)
    importing = commands.add_parser(
        "import",
        help="put logs into a server's database: from `export`, or from the vendor's own export tool",
        description="Reads what `export` wrote, or a folder that the vendor's own export tool wrote"
        " (files/ID/file.json, versions/, logs/1.jsonl, ...). What is there already is left alone; what cannot be taken"
        " is named, and the rest is.",
    )
    importing.add_argument("path", metavar="PATH", type=Path, help="the file or the folder")
    importing.set_defaults(run=_import)
    compacting = commands.add_parser(
        "vacuum",
        help="give the disk back what deleted logs took",
        description="Rewrites a server's database without the room that deleted logs took. Writes wait meanwhile.",
    )
    compacting.add_argument("--keep", metavar="AGE", help="first delete logs that ended longer ago: 12h, 30d, 8w")
    compacting.set_defaults(run=_vacuum)
    for parser in (exporting, importing, compacting):
        parser.add_argument("--database", metavar="URL", help="the server's; the one `serve` takes by default")


def _export(arguments: argparse.Namespace) -> int:
    with _store(arguments) as store:
        from otel_humanloop.server.archive.writing import written

        lines = written(store)
        if arguments.file is None:
            sys.stdout.buffer.writelines(lines)
        else:
            with Path(arguments.file).open("wb") as file:
                file.writelines(lines)
    return 0


def _import(arguments: argparse.Namespace) -> int:
    path: Path = arguments.path
    if not path.exists():
        raise SettingsError(f"there is no {path}", hint="name a file or a folder that an export wrote")
    with _store(arguments) as store:
        from otel_humanloop.server.archive import restoring, vendor

        if path.is_dir():
            tally = vendor.read(store, path)
        else:
            with path.open("rb") as lines:
                tally = restoring.read(store, lines)
    for note in tally.notes():
        sys.stderr.write(f"note: {clean(note)}\n")
    for refused in tally.refused():
        sys.stderr.write(f"not taken: {clean(refused)}\n")
    made = ", ".join(f"{number:,} {kind}{'s' * (number != 1)}" for kind, number in tally.made.items() if number)
    lost = f"; {tally.refusals:,} not taken" if tally.refusals else ""
    sys.stderr.write(f"new: {made or 'nothing'}{lost}\n")
    return int(tally.refusals > 0)


def _vacuum(arguments: argparse.Namespace) -> int:
    with _store(arguments) as store:
        from otel_humanloop.server.retention import parse_age, prune, sweep

        if arguments.keep is not None:
            sys.stderr.write(f"{prune(store, parse_age(arguments.keep))} logs deleted\n")
        sweep(store)
        store.compact()
    return 0


def _store(arguments: argparse.Namespace) -> Store:
    require("the server", "server")
    from otel_humanloop.server.store import open_store

    return open_store(arguments.database or default_database())

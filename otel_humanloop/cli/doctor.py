"""`otel-humanloop doctor`: the settings in force, whether the server answers, and what would be lost."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from otel_humanloop.cli.report import Report, Server, look
from otel_humanloop.cli.screen import Line, Piece, Screen, table
from otel_humanloop.cli.text import clean

if TYPE_CHECKING:
    from otel_humanloop.cli.arguments import Commands


def add(commands: Commands) -> None:
    """Adds the command's arguments."""
    parser = commands.add_parser(
        "doctor",
        help="say which settings are in force, whether the server answers, and what would be lost",
        description="Says which settings are in force and where each came from, whether the server answers,"
        " what is installed, and what would be lost.",
    )
    parser.add_argument("--offline", action="store_true", help="do not ask the server")
    parser.add_argument("--json", action="store_true", help="print all of it as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Looks at everything and says what it saw. Fails where something keeps sessions from arriving."""
    report = look(offline=arguments.offline)
    screen = Screen(sys.stdout)
    if arguments.json:
        screen.text(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        screen.lines(_report_lines(report, screen.width))
    if report.wrong_setting is not None:
        return 2
    unreachable = report.server is not None and report.server.error is not None
    return int(unreachable or any(finding.level == "problem" for finding in report.findings))


def _report_lines(report: Report, width: int) -> Iterator[Line]:
    versions = {**report.versions, "compiled": ", ".join(report.compiled) or "nothing, pure Python"}
    yield from _section(
        "Versions", [[(name, "plain"), (has or "missing", "plain")] for name, has in versions.items()], width
    )
    yield from _section(
        "Extras", [[(f"[{extra}]", "plain"), _extra(lacks)] for extra, lacks in report.extras.items()], width
    )
    installed = sorted(report.instrumentations.items())
    yield from _section("Instrumentations", [[(name, "plain"), (of, "faint")] for name, of in installed], width)
    yield from _section(
        "Settings",
        [
            [(setting.variable, "plain"), (setting.value or "-", "strong"), (setting.origin, "faint")]
            for setting in report.settings
        ],
        width,
    )
    yield from _section(
        "Spools",
        [
            [(f"{spool.spans} wait", "plain"), (f"{spool.refused} refused", "plain"), (spool.url, "plain")]
            for spool in report.spools
            if spool.error is None
        ],
        width,
    )
    if report.wrong_setting is not None:
        yield from _said([("✗ ", "error")], report.wrong_setting)
    if report.server is not None:
        yield [("Server", "strong")]
        yield from _server(report.server)
        yield []
    if report.findings:
        yield [("What would be lost", "strong")]
        for finding in report.findings:
            mark: Piece = ("✗ ", "error") if finding.level == "problem" else ("- ", "warning")
            yield from _said([mark], f"{finding.what}\nhint: {finding.remedy}")


def _section(title: str, rows: Sequence[Sequence[Piece]], width: int) -> Iterator[Line]:
    """A titled table, indented; nothing where it has no rows."""
    if not rows:
        return
    yield [(title, "strong")]
    for line in table((), rows, width - 2):
        yield [("  ", "plain"), *line]
    yield []


def _extra(lacks: Sequence[str]) -> Piece:
    return (f"missing {', '.join(lacks)}", "faint") if lacks else ("installed", "good")


def _server(server: Server) -> Iterator[Line]:
    if server.error is None:
        yield from _said([("✓ ", "good")], f"{server.base_url} answers in {server.milliseconds:.0f} ms")
    else:
        yield from _said([("✗ ", "error")], f"{server.error}\nhint: {server.hint}" if server.hint else server.error)


def _said(mark: Line, text: str) -> Iterator[Line]:
    """A marked sentence, and its hint below it."""
    first, *further = text.splitlines()
    yield [("  ", "plain"), *mark, (clean(first), "plain")]
    for line in further:
        yield [("    ", "plain"), (clean(line), "faint")]

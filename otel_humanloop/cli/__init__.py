"""The command line: one file for each command, each with `add` (its arguments) and `run` (its work).

Data goes to stdout, everything else to stderr. It ends with 0 when what was asked for was done, 1 when it was not,
2 when the command or a setting was wrong, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from otel_humanloop.cli import archive, bridge, demo, doctor, explain, keys, replay, serve, sessions, spool
from otel_humanloop.cli.text import clean
from otel_humanloop.errors import HumanloopError, SettingsError
from otel_humanloop.version import VERSION

__all__ = ["main"]

FAILED = 1
WRONG = 2
INTERRUPTED = 130
"""What a shell reports for a program that SIGINT ended."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code.

    Args:
        argv: The arguments after the program's name; the process's own by default.

    Raises:
        SystemExit: With 2 where the arguments cannot be understood, with 0 after `--help` and `--version`.
    """
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except HumanloopError as error:
        _complain(error)
        return WRONG if isinstance(error, SettingsError) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader, `head` for one, has seen enough. What Python still holds for it would fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="otel-humanloop",
        description="OpenTelemetry spans of LLM programs as Humanloop sessions of nested logs.",
    )
    parser.add_argument("--version", action="version", version=f"otel-humanloop {VERSION}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (demo, serve, keys, archive, bridge, spool, replay, explain, sessions, doctor):
        command.add(commands)
    return parser


def _complain(error: HumanloopError) -> None:
    """What happened, and below it what to do next. What others said may be in it: a terminal must not obey it."""
    said = f"error: {error.message}" if error.hint is None else f"error: {error.message}\nhint: {error.hint}"
    for line in said.splitlines():
        sys.stderr.write(clean(line) + "\n")

"""`otel-humanloop demo`: the guide's chain, traced, as a session of nested logs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from otel_humanloop.cli.extras import require
from otel_humanloop.cli.screen import Screen
from otel_humanloop.cli.tree import render_session

if TYPE_CHECKING:
    from otel_humanloop.cli.arguments import Commands


def add(commands: Commands) -> None:
    """Adds the command's arguments."""
    parser = commands.add_parser(
        "demo",
        help="run a traced OpenAI program against a server of its own, and show its session",
        description="Starts a server on a free port, runs the guide's chain with the real openai client,"
        " auto-instrumented, against an offline model, prints the session and stays until Ctrl-C.",
    )
    parser.add_argument("--once", action="store_true", help="end when the session was printed")
    parser.add_argument("--live", action="store_true", help="use the real OpenAI API; needs OPENAI_API_KEY")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the demo."""
    require("the demo", "server")
    require("the demo", "openai")
    from otel_humanloop.demo import run_demo

    screen = Screen(sys.stdout)

    def show(session: Mapping[str, Any], logs: Sequence[Mapping[str, Any]], page: str) -> None:
        screen.lines(render_session(session, logs, width=screen.width, page=page))

    return run_demo(once=arguments.once, live=arguments.live, show=show)

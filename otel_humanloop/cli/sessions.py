"""`otel-humanloop sessions`: the newest sessions, and one of them as a tree."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from otel_humanloop.cli.api import Api, page_address
from otel_humanloop.cli.arguments import count
from otel_humanloop.cli.screen import Line, Piece, Screen, table
from otel_humanloop.cli.tree import input_text, render_session, short_id
from otel_humanloop.errors import DecodeError
from otel_humanloop.settings import load

if TYPE_CHECKING:
    from otel_humanloop.cli.arguments import Commands

LIMIT = 20
"""How many sessions are listed unless `--limit` says otherwise."""


class _Project(msgspec.Struct, frozen=True, kw_only=True):
    name: str


class _Session(msgspec.Struct, frozen=True, kw_only=True):
    """What the list shows of a session, as `GET /sessions` answers it; `started_at` is no field of the contract."""

    id: str
    created_at: datetime
    started_at: datetime | None = None
    datapoints_count: int
    projects: Sequence[_Project]
    first_inputs: Mapping[str, Any] | None = None
    last_output: str | None = None


def add(commands: Commands) -> None:
    """Adds the command's arguments, and those of `sessions show`."""
    parser = commands.add_parser(
        "sessions",
        help="list the newest sessions, or show one as a tree",
        description="Lists the newest sessions at HUMANLOOP_BASE_URL.",
    )
    parser.add_argument("--project", metavar="NAME", help="only sessions with a log of this project")
    parser.add_argument("--limit", type=count, default=LIMIT, metavar="N", help=f"at most N; {LIMIT} by default")
    parser.add_argument("--json", action="store_true", help="print the sessions as a JSON array")
    parser.set_defaults(run=run)
    show = parser.add_subparsers(title="commands", metavar="COMMAND").add_parser(
        "show", help="show one session as a tree", description="Shows one session as a tree of its logs."
    )
    show.add_argument("id", metavar="ID", help="its id, the start of its id, or its reference id: a trace id for one")
    show.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print session and logs as JSON")
    show.set_defaults(run=run_show)


def run(arguments: argparse.Namespace) -> int:
    """Lists the newest sessions."""
    with Api(load()) as api:
        sessions = api.sessions(limit=arguments.limit, project=arguments.project)
    screen = Screen(sys.stdout)
    if arguments.json:
        screen.text(json.dumps(sessions, indent=2))
    elif sessions:
        screen.lines(_listed(sessions, screen.width))
    else:
        sys.stderr.write("there are no sessions yet\n")
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    """Shows one session."""
    settings = load()
    with Api(settings) as api:
        session = api.session(arguments.id)
        logs = api.logs(str(session["id"]))
    screen = Screen(sys.stdout)
    if arguments.json:
        screen.text(json.dumps({"session": session, "logs": logs}, indent=2))
    else:
        page = page_address(settings.base_url, str(session["id"]))
        screen.lines(render_session(session, logs, width=screen.width, page=page))
    return 0


def _listed(sessions: Sequence[Mapping[str, Any]], width: int) -> list[Line]:
    try:
        rows = [_row(session) for session in msgspec.convert(sessions, list[_Session])]
    except msgspec.ValidationError as error:
        raise DecodeError(f"a session is not what Humanloop's v4 API promises: {error}") from error
    return table(("ID", "STARTED", "LOGS", "PROJECTS", "INPUTS", "OUTPUT"), rows, width, elastic=3)


def _row(session: _Session) -> list[Piece]:
    inputs = (session.first_inputs or {}).items()
    return [
        (short_id(session.id), "strong"),
        ((session.started_at or session.created_at).astimezone().strftime("%Y-%m-%d %H:%M:%S"), "faint"),
        (str(session.datapoints_count), "plain"),
        (", ".join(project.name for project in session.projects), "plain"),
        ("  ".join(f"{name}: {input_text(value)}" for name, value in inputs), "input"),
        (session.last_output or "", "output"),
    ]

"""`otel-humanloop spool`: what waits to be delivered, what Humanloop refused and why, and what to do about it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from otel_humanloop.cli.bridge import settings_of
from otel_humanloop.cli.kept import UNBOUNDED, is_there, known
from otel_humanloop.cli.screen import Line, Piece, Screen, table
from otel_humanloop.cli.text import clean
from otel_humanloop.delivery.client import Client
from otel_humanloop.delivery.spools import Refusal, Spool, open_spool
from otel_humanloop.errors import HumanloopError, Refused, SettingsError, Unavailable
from otel_humanloop.settings import Settings

if TYPE_CHECKING:
    from otel_humanloop.cli.arguments import Commands


def add(commands: Commands) -> None:
    """Adds the command's arguments."""
    parser = commands.add_parser(
        "spool",
        help="show what waits to be delivered and what was refused",
        description="Shows how much waits in a spool on the disk, and the logs Humanloop refused with its reasons. A"
        " bridge may be using the same spool meanwhile. What waits needs no help: it is sent again by whoever keeps"
        " it.",
    )
    parser.add_argument(
        "logs",
        metavar="LOG",
        nargs="*",
        help="a refused log, by its id or the id's start: shows it whole, with what was sent; with --resend, --discard"
        " and --json, these alone",
    )
    parser.add_argument(
        "--spool", metavar="URL", help="sqlite:///PATH; by default HUMANLOOP_SPOOL, or the bridge's own"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--resend",
        action="store_true",
        help="send the refused logs to HUMANLOOP_BASE_URL again; those taken are forgotten",
    )
    what.add_argument("--discard", action="store_true", help="forget the refused logs")
    what.add_argument("--json", action="store_true", help="all of it as JSON, with what was sent")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Shows the spool, after what was asked for was done."""
    settings = settings_of(arguments.spool, max_spans=UNBOUNDED)
    if not is_there(settings.spool):
        raise _not_there(settings)
    spool = open_spool(settings.spool, max_spans=UNBOUNDED, max_bytes=UNBOUNDED)
    try:
        done = True
        meant = _meant(spool.refused(), arguments.logs)
        if arguments.resend:
            client = Client(settings)
            try:
                done = _resend(spool, meant, client, settings.timeout)
            finally:
                client.close()
        elif arguments.discard:
            spool.forget(meant)
            sys.stderr.write(f"{_logs(len(meant))} forgotten\n")
        if arguments.json:
            json.dump(_as_json(spool, meant), sys.stdout, indent=1, ensure_ascii=False)
            sys.stdout.write("\n")
        elif arguments.logs and not (arguments.resend or arguments.discard):
            Screen(sys.stdout).lines(line for refusal in meant for line in _whole(refusal))
        else:
            _show(spool, settings.spool)
    finally:
        spool.close()
    return 0 if done else 1


def _meant(refused: Sequence[Refusal], names: Sequence[str]) -> list[Refusal]:
    """Of the refused logs those with such an id, or one that begins so; all of them where none is named.

    Raises:
        HumanloopError: There is none of that name.
    """
    for name in names:
        if not any(refusal.reference_id.startswith(name) for refusal in refused):
            raise HumanloopError(
                f"no refused log's id begins with `{name}`", hint="`otel-humanloop spool` lists those there are"
            )
    return [refusal for refusal in refused if not names or refusal.reference_id.startswith(tuple(names))]


def _not_there(settings: Settings) -> SettingsError:
    """Looking at a spool does not make one; there may be others."""
    others = " or ".join(f"--spool {url}" for url in known(settings))
    return SettingsError(
        f"there is no spool at `{settings.spool}`", hint=others or "name the file of one: --spool sqlite:///PATH"
    )


def _resend(spool: Spool, refused: Sequence[Refusal], client: Client, timeout: float) -> bool:
    """Whether Humanloop has now taken all of these, one at a time, in the order it refused them."""
    left = len(refused)
    for number, refusal in enumerate(refused, 1):
        try:
            if refusal.method == "PATCH":
                client.patch_log(refusal.reference_id, refusal.body, timeout=timeout)
            else:
                client.post_logs(b"[" + refusal.body + b"]", timeout=timeout, count=1)
        except Refused as error:
            spool.refuse(msgspec.structs.replace(refusal, status=error.status, detail=error.detail, at=time.time()))
        except Unavailable as error:
            sys.stderr.write(f"{_logs(len(refused) - number + 1)} not sent: {error}\n")
            return False
        else:
            spool.forget([refusal])
            left -= 1
    sys.stderr.write(f"{len(refused) - left} of {len(refused)} were taken\n")
    return not left


def _show(spool: Spool, url: str) -> None:
    refused = spool.refused()
    waiting: Line = [
        ("1 span waits" if spool.spans == 1 else f"{spool.spans} spans wait", "strong"),
        (f" in {clean(url)}, of about {spool.bytes} bytes", "plain"),
    ]
    verdict: Line = [(f"{_logs(len(refused))} refused", "warning" if refused else "plain")]
    screen = Screen(sys.stdout)
    screen.lines([waiting, verdict])
    if refused:
        headings = ("LOG", "SENT AS", "STATUS", "REFUSED", "PROJECT", "REASON")
        screen.lines(table(headings, _rows(refused), screen.width, elastic=2))


def _rows(refused: Sequence[Refusal]) -> list[list[Piece]]:
    return [
        [
            (refusal.reference_id, "plain"),
            (refusal.method, "faint"),
            (str(refusal.status), "error"),
            (_when(refusal), "faint"),
            (refusal.project or "", "plain"),
            (refusal.detail, "plain"),
        ]
        for refusal in refused
    ]


def _whole(refusal: Refusal) -> Iterator[Line]:
    """All there is to know of one, and what was sent."""
    yield [(clean(refusal.reference_id), "strong"), (f"  sent as {refusal.method}, refused {_when(refusal)}", "faint")]
    yield [(f"{refusal.status} ", "error"), (clean(refusal.detail), "plain")]
    for line in json.dumps(json.loads(refusal.body), indent=2, ensure_ascii=False).splitlines():
        indentation = line[: len(line) - len(line.lstrip(" "))]  # which `clean` would take away
        yield [(indentation + clean(line), "plain")]
    yield []


def _when(refusal: Refusal) -> str:
    return datetime.fromtimestamp(refusal.at).astimezone().isoformat(" ", "seconds")


def _logs(count: int) -> str:
    return "1 log was" if count == 1 else f"{count} logs were"


def _as_json(spool: Spool, refused: Sequence[Refusal]) -> dict[str, Any]:
    return {
        "spans": spool.spans,
        "bytes": spool.bytes,
        "refused": [
            {
                "reference_id": refusal.reference_id,
                "project": refusal.project,
                "method": refusal.method,
                "status": refusal.status,
                "detail": refusal.detail,
                "at": refusal.at,
                "body": json.loads(refusal.body),
            }
            for refusal in refused
        ],
    }

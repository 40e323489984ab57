"""`otel-humanloop spool`: what waits to be delivered, what Humanloop refused and why, and what to do about it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from otel_humanloop.cli.bridge import settings_of
from otel_humanloop.cli.screen import Line, Piece, Screen, table
from otel_humanloop.cli.text import clean
from otel_humanloop.delivery.client import Client
from otel_humanloop.delivery.spools import Refusal, Spool, open_spool
from otel_humanloop.errors import Refused, SettingsError, Unavailable

if TYPE_CHECKING:
    from otel_humanloop.cli.arguments import Commands

_UNBOUNDED = 1 << 62  # whoever looks at a spool keeps nothing in it


def add(commands: Commands) -> None:
    """Adds the command's arguments."""
    parser = commands.add_parser(
        "spool",
        help="show what waits to be delivered and what was refused",
        description="Shows how much waits in a spool on the disk, and the logs Humanloop refused with its reasons. A"
        " bridge may be using the same spool meanwhile.",
    )
    parser.add_argument(
        "--spool", metavar="URL", help="sqlite:///PATH; by default HUMANLOOP_SPOOL, or the bridge's own"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--resend", action="store_true", help="send the refused logs again; those taken are forgotten")
    what.add_argument("--discard", action="store_true", help="forget the refused logs")
    what.add_argument("--json", action="store_true", help="all of it as JSON, with what was sent")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Shows the spool, after what was asked for was done."""
    settings = settings_of(arguments.spool, max_spans=_UNBOUNDED)
    _must_be_there(settings.spool)
    spool = open_spool(settings.spool, max_spans=_UNBOUNDED, max_bytes=_UNBOUNDED)
    try:
        done = True
        if arguments.resend:
            client = Client(settings)
            try:
                done = _resend(spool, client, settings.timeout)
            finally:
                client.close()
        elif arguments.discard:
            spool.forget(spool.refused())
        if arguments.json:
            json.dump(_as_json(spool), sys.stdout, indent=1, ensure_ascii=False)
            sys.stdout.write("\n")
        else:
            _show(spool, settings.spool)
    finally:
        spool.close()
    return 0 if done else 1


def _must_be_there(url: str) -> None:
    """Looking at a spool must not make one."""
    path = url.partition(":///")[2]
    if not path or not Path(path).expanduser().is_file():
        raise SettingsError(f"there is no spool at `{url}`", hint="name the file of one: --spool sqlite:///PATH")


def _resend(spool: Spool, client: Client, timeout: float) -> bool:
    """Whether Humanloop has taken all that it had refused, one at a time, in the order it refused them."""
    refused = spool.refused()
    for number, refusal in enumerate(refused, 1):
        try:
            if refusal.method == "PATCH":
                client.patch_log(refusal.reference_id, refusal.body, timeout=timeout)
            else:
                client.post_logs(b"[" + refusal.body + b"]", timeout=timeout, count=1)
        except Refused as error:
            spool.refuse(msgspec.structs.replace(refusal, status=error.status, detail=error.detail, at=time.time()))
        except Unavailable as error:
            sys.stderr.write(f"{len(refused) - number + 1} were not sent: {error}\n")
            return False
        else:
            spool.forget([refusal])
    left = len(spool.refused())
    sys.stderr.write(f"{len(refused) - left} of {len(refused)} were taken\n")
    return not left


def _show(spool: Spool, url: str) -> None:
    refused = spool.refused()
    waiting: Line = [
        (f"{spool.spans} spans", "strong"),
        (f" of about {spool.bytes} bytes wait in {clean(url)}", "plain"),
    ]
    verdict: Line = [(f"{len(refused)} logs were refused", "warning" if refused else "plain")]
    screen = Screen(sys.stdout)
    screen.lines([waiting, verdict])
    if refused:
        screen.lines(table(("LOG", "SENT AS", "STATUS", "REFUSED", "REASON"), _rows(refused), screen.width))


def _rows(refused: Sequence[Refusal]) -> list[list[Piece]]:
    return [
        [
            (refusal.reference_id, "plain"),
            (refusal.method, "faint"),
            (str(refusal.status), "error"),
            (datetime.fromtimestamp(refusal.at).astimezone().isoformat(" ", "seconds"), "faint"),
            (refusal.detail, "plain"),
        ]
        for refusal in refused
    ]


def _as_json(spool: Spool) -> dict[str, Any]:
    return {
        "spans": spool.spans,
        "bytes": spool.bytes,
        "refused": [
            {
                "reference_id": refusal.reference_id,
                "method": refusal.method,
                "status": refusal.status,
                "detail": refusal.detail,
                "at": refusal.at,
                "body": json.loads(refusal.body),
            }
            for refusal in spool.refused()
        ],
    }

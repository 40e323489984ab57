"""`otel-humanloop replay`: files of OTLP to Humanloop."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from otel_humanloop.cli import captures
from otel_humanloop.cli.arguments import count
from otel_humanloop.cli.captures import Captured
from otel_humanloop.cli.text import clean
from otel_humanloop.delivery.size import size_of
from otel_humanloop.delivery.spools import Refusal, open_spool
from otel_humanloop.logs.explain import Explanation, explain
from otel_humanloop.logs.join import Joins
from otel_humanloop.notices import Notices
from otel_humanloop.pipeline import Counts, Pipeline
from otel_humanloop.settings import Settings, load

if TYPE_CHECKING:
    from otel_humanloop.cli.arguments import Commands

_UNBOUNDED = 1 << 62  # what is in the files is in memory already

PATIENCE = 60
"""Seconds a server that is away is waited for, unless `--patience` says otherwise."""


def add(commands: Commands) -> None:
    """Adds the command's arguments."""
    parser = commands.add_parser(
        "replay",
        help="send the spans in files to Humanloop",
        description="Sends the spans in files of OTLP to HUMANLOOP_BASE_URL. What is there already is not logged twice."
        " Ends with 0 only when all that should arrive was acknowledged.",
    )
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="OTLP: .json, .jsonl or .pb; FILE.logs.json is read beside it"
    )
    parser.add_argument(
        "--patience",
        type=count,
        default=PATIENCE,
        metavar="SECONDS",
        help=f"how long to try where nothing answers; {PATIENCE} by default",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Sends files."""
    settings = load()
    captured = captures.read(arguments.files)
    explained = explain(captured.joined(), settings)
    refused, waiting, why = _send(captured, settings, arguments.patience)
    sys.stdout.write(_summary(explained) + "\n")
    for reason, number in Counter(each.why_not for each in explained if each.why_not is not None).items():
        sys.stdout.write(f"{number} without a log: {reason}\n")
    complaints = [*captured.errors, *(f"the log `{one.reference_id}` was refused: {one.detail}" for one in refused)]
    if waiting:
        complaints.append(f"{waiting} spans were not delivered{why}")
    for complaint in complaints:
        sys.stderr.write(f"error: {clean(complaint)}\n")
    return 1 if complaints else 0


def _send(captured: Captured, settings: Settings, patience: float) -> tuple[list[Refusal], int, str]:
    """Sends spans and records; gives what was refused, how many spans were not delivered, and why."""
    spool = open_spool("memory:", max_spans=_UNBOUNDED, max_bytes=_UNBOUNDED)
    pipeline = Pipeline(settings, spool=spool, counts=Counts(), notices=Notices(), joins=Joins(hold=0))
    records, spans = list(captured.records), list(captured.spans)

    def take_in(now: float) -> None:
        for record in records:
            pipeline.add_record(record, now)
        for span in spans:
            kept = pipeline.redactor.span(span)
            spool.keep(kept, size_of(kept))
            pipeline.add(kept, now)
        records.clear()
        spans.clear()

    until = time.monotonic() + patience
    try:
        while True:
            pipeline.release()
            wait = pipeline.step(take_in, min(settings.timeout, max(until - time.monotonic(), 0.1)))
            left = until - time.monotonic()
            if pipeline.idle or left <= 0:
                break
            time.sleep(min(wait if wait is not None else left, left))
        delivered = pipeline.idle
        pipeline.close(delivered=delivered)
        return list(spool.refused()), spool.spans, pipeline.why
    finally:
        spool.close()


def _summary(explained: list[Explanation]) -> str:
    logs = [each.log for each in explained if each.log is not None]
    sessions = {log.session_reference_id for log in logs}
    return f"{len(explained)} spans became {len(logs)} logs in {len(sessions)} sessions"

"""`otel-humanloop explain`: what becomes of the spans in a file, and which key gave each field."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

import msgspec

from otel_humanloop.cli import captures
from otel_humanloop.cli.screen import Line, Piece, Screen, table
from otel_humanloop.cli.text import clean
from otel_humanloop.errors import SettingsError
from otel_humanloop.logs.chat import text_of
from otel_humanloop.logs.encode import clean as encodable
from otel_humanloop.logs.encode import encode, plain_text
from otel_humanloop.logs.explain import Explanation, explain
from otel_humanloop.operation import Message
from otel_humanloop.settings import load

if TYPE_CHECKING:
    from otel_humanloop.cli.arguments import Commands

_DEPTH = 100


def add(commands: Commands) -> None:
    """Adds the command's arguments."""
    parser = commands.add_parser(
        "explain",
        help="show what becomes of the spans in a file, and why",
        description="Shows for each span in a file of OTLP the log it becomes, and for every field the convention and"
        " the key that gave it. Nothing is sent.",
    )
    parser.add_argument("file", metavar="FILE", help="OTLP: .json, .jsonl or .pb; FILE.logs.json is read beside it")
    parser.add_argument("--span", metavar="ID", help="only the span whose id begins so")
    parser.add_argument("--json", action="store_true", help="all of it as a JSON array, the logs whole")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Explains a file. Ends with 1 where some of it could not be read."""
    captured = captures.read([arguments.file])
    for error in captured.errors:
        sys.stderr.write(f"error: {clean(error)}\n")
    wanted: str = arguments.span or ""
    explained = [each for each in explain(captured.joined(), load()) if each.span.span_id.startswith(wanted.lower())]
    if wanted and not explained:
        raise SettingsError(f"no span's id in `{arguments.file}` begins with `{wanted}`")
    screen = Screen(sys.stdout)
    if arguments.json:
        screen.text(json.dumps([_as_json(each) for each in explained], indent=1, ensure_ascii=False))
    else:
        for each in explained:
            screen.lines(_laid_out(each, screen.width))
    return 1 if captured.errors else 0


def _laid_out(each: Explanation, width: int) -> Iterator[Line]:
    span = each.span
    scope = f" by {span.scope.name}" if span.scope.name else ""
    yield [(clean(span.name) or "a span without a name", "strong"), ("  " + clean(f"{span.span_id}{scope}"), "faint")]
    if each.log is not None:
        session, parent = each.log.session_reference_id, each.log.parent_reference_id
        under = f", under {parent}" if parent else ""
        yield [("  → " + clean(f"a log in project {each.log.project}, session {session}{under}"), "good")]
    else:
        yield [(f"  → no log: {each.why_not}", "warning")]
    rows: list[list[Piece]] = [
        [(field, "plain"), (_shown(value), "output"), (f"{source.convention}: {source.key}", "faint")]
        for field, (value, source) in sorted(each.fields.items())
    ]
    if rows:
        for line in table((), rows, width - 2, elastic=2):
            yield [("  ", "plain"), *line]
    if each.left:
        yield [("  kept in metadata: ", "plain"), (clean(", ".join(each.left)), "faint")]
    for loss in each.lost:
        yield [("  lost: ", "warning"), (clean(loss), "plain")]
    yield [("", "plain")]


def _shown(value: Any) -> str:
    """A value on one line: text as it is, messages by role and words, records without what they leave open."""
    if isinstance(value, tuple):
        return "  ".join(_shown(one) for one in cast("tuple[Any, ...]", value))
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Message) and (said := text_of(value)):
        return f"{value.role}: {said}"
    return plain_text(encodable(value, depth=_DEPTH))


def _as_json(each: Explanation) -> dict[str, Any]:
    span = each.span
    return {
        "span_id": span.span_id,
        "trace_id": span.trace_id,
        "name": span.name,
        "scope": span.scope.name,
        "conventions": list(each.conventions),
        "log": None if each.log is None else msgspec.json.decode(encode(each.log)),
        "why_not": each.why_not,
        "fields": {
            field: {
                "value": json.loads(_json(value)),
                "convention": source.convention,
                "key": source.key,
            }
            for field, (value, source) in each.fields.items()
        },
        "left": list(each.left),
        "lost": list(each.lost),
    }


def _json(value: Any) -> bytes:
    """A field's value as JSON, whatever a span put into it."""
    return msgspec.json.encode(encodable(value, depth=_DEPTH))

"""What each stage of our exporter costs by itself, one after the other on one thread. `stages`.

A round is asked for with `traces` and `seed`. The answer has the CPU seconds of each stage for all its spans; what the
whole exporter spends besides goes to the spool, its threads, HTTP, and what lies between the stages.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from benchmarks.load import Load
from otel_humanloop import settings
from otel_humanloop.delivery.size import size_of
from otel_humanloop.logs.build import build_log
from otel_humanloop.logs.encode import encode
from otel_humanloop.logs.moulds import Moulds
from otel_humanloop.logs.moves import Create
from otel_humanloop.logs.order import TraceAssembler
from otel_humanloop.spans.sdk import Shared, from_readable

_T = TypeVar("_T")
_SETTINGS = settings.load({}, environ={})


def _moves(drafts: list) -> list[Create]:
    """The order of logs, each acknowledged as soon as it may leave."""
    assembler = TraceAssembler()
    for each in drafts:
        assembler.add(each, now=0.0, more=True)
    assembler.release(now=0.0)
    found: list[Create] = []
    while moves := assembler.take():
        for move in moves:
            assembler.acknowledge(move.key, now=0.0)
        found.extend(move for move in moves if isinstance(move, Create))
    return found


def _log(move: Create, moulds: Moulds) -> bytes:
    """A log's JSON, as the pipeline makes it."""
    cast = moulds.log(move)
    return cast[0] if cast is not None else encode(build_log(move, _SETTINGS))


def main() -> None:
    """Does a round for each line of standard input."""
    shared, moulds = Shared(), Moulds(_SETTINGS)
    for line in sys.stdin:
        asked = json.loads(line)
        readable = Load(asked["seed"]).finished(asked["traces"])
        spent: dict[str, float] = {}

        def timed(stage: str, work: Callable[[], _T], spent: dict[str, float] = spent) -> _T:
            gc.collect()
            began = time.process_time()
            made = work()
            spent[stage] = time.process_time() - began
            return made

        spans = timed("take", lambda readable=readable: [from_readable(span, shared) for span in readable])
        timed("size", lambda spans=spans: [size_of(span) for span in spans])
        drafts = timed("read", lambda spans=spans: [moulds.draft(span) for span in spans])
        moves = timed("order", lambda drafts=drafts: _moves(drafts))
        bodies = timed("log", lambda moves=moves: [_log(move, moulds) for move in moves])
        if len(bodies) != len(readable):
            raise RuntimeError(f"{len(readable)} spans became {len(bodies)} logs")
        sys.stdout.write(json.dumps({"stages": spent, "spans": len(readable)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

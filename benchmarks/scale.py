"""How much is done: enough to tell, or just enough to see that everything still runs."""

from __future__ import annotations

from typing import NamedTuple


class Scale(NamedTuple):
    """How much every measure does.

    Attributes:
        quick: Only whether it runs: numbers mean nothing.
        rounds: How often contestants take turns.
        traces: Traces of four spans in a round of exporters.
        imports: How often each import is measured.
        ingested: Spans of a round of servers; of Phoenix and MLflow a part.
        stored: Logs in the large database.
        seconds: For how long a bridge runs at half of what it can.
        hour: Seconds of the measure that takes an hour.
    """

    quick: bool
    rounds: int
    traces: int
    imports: int
    ingested: int
    stored: int
    seconds: float
    hour: float


FULL = Scale(quick=False, rounds=7, traces=256, imports=11, ingested=4096, stored=1_000_000, seconds=60.0, hour=3600.0)
QUICK = Scale(quick=True, rounds=1, traces=128, imports=2, ingested=1024, stored=5_000, seconds=3.0, hour=20.0)

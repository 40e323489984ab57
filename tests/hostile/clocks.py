"""A traced program whose clock is set while its spans are open. Run by `test_clocks.py`: `clocks.py SPANS`.

`clock.c` gives it its clock: the real one, and as many seconds as the file that the variable CLOCK names holds.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

HOUR, DAY = 3600, 86400
SETTINGS = [6 * HOUR, -6 * HOUR, 0, 400 * DAY, -20 * 365 * DAY, 0]
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}


def set_clock(offset: int) -> None:
    before = time.time()
    with Path(os.environ["CLOCK"]).open("r+b") as clock:
        clock.write(offset.to_bytes(8, sys.byteorder, signed=True))
    assert abs(time.time() - before) > HOUR, "the clock was not set"


if os.environ["TRACED"] == "yes":
    from otel_humanloop import HumanloopSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(HumanloopSpanProcessor())
    trace.set_tracer_provider(provider)
tracer = trace.get_tracer("app")
number = int(sys.argv[1])
with tracer.start_as_current_span("agent", attributes={"gen_ai.operation.name": "invoke_agent"}):
    for each in range(number):
        with tracer.start_as_current_span("chat", attributes=CHAT):
            set_clock(SETTINGS[each % len(SETTINGS)])
sys.stdout.write(f"result {number}\n")
sys.exit(3)

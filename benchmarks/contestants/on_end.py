"""What a span processor costs the thread that ends spans. `on_end NAME SINK_URL`.

A round is asked for with `spans` and `seed`. The cost of `on_end`, and of `on_start`, is the CPU time of the thread
that calls it; what other threads do meanwhile is not counted. Nothing is dropped: a round stays below every queue.
"""

from __future__ import annotations

import gc
import json
import sys
import time

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from benchmarks.load import Load


class _Nowhere(SpanExporter):
    def export(self, spans: object) -> SpanExportResult:  # noqa: ARG002
        return SpanExportResult.SUCCESS


def _processor(name: str, url: str) -> SpanProcessor:
    if name == "batch":
        return BatchSpanProcessor(_Nowhere())
    from otel_humanloop import HumanloopSpanProcessor

    return HumanloopSpanProcessor(base_url=f"{url}/v4", api_key="key", compression="none")


def main() -> None:
    """Does a round for each line of standard input."""
    name, url = sys.argv[1:]
    processor = _processor(name, url)
    for line in sys.stdin:
        asked = json.loads(line)
        spans = Load(asked["seed"]).finished(asked["spans"] // 4)
        gc.collect()
        start, end = processor.on_start, processor.on_end
        began = time.thread_time()
        for span in spans:
            start(span, None)
        started = time.thread_time()
        for span in spans:
            end(span)
        ended = time.thread_time()
        processor.force_flush(60_000)
        answer = {"start": started - began, "cpu": ended - started, "both": ended - began, "spans": len(spans)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    processor.shutdown()


if __name__ == "__main__":
    main()

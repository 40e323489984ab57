"""Sends OTLP over HTTP at a steady rate. `steady URL`.

A round is asked for with `rate` (spans a second), `seconds` and `size` (spans a request). The spans are those of the
load, made once and sent again and again under new ids, so that sending costs next to nothing.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections.abc import Iterator
from itertools import count
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.load import Load, batches

_SPANS = 4096
_ID = 8
"""Bytes of a span id, and of the half of a trace id that is made new."""


def requests(size: int) -> Iterator[bytes]:
    """Requests of so many spans, which is a multiple of four, for ever; no two spans have one id."""
    spans = Load(0).finished(_SPANS // 4)[: _SPANS - _SPANS % size]
    made = [encode_spans(batch).SerializeToString() for batch in batches(spans, size)]
    for number in count(1):
        for body in made:
            yield renewed(body, number)


def renewed(body: bytes, number: int) -> bytes:
    """The same traces under other ids: another number, others again."""
    request = ExportTraceServiceRequest.FromString(body)
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                span.trace_id = span.trace_id[:_ID] + _other(span.trace_id[_ID:], number)
                span.span_id = _other(span.span_id, number)
                if span.parent_span_id:
                    span.parent_span_id = _other(span.parent_span_id, number)
    return request.SerializeToString()


def _other(identity: bytes, number: int) -> bytes:
    return (int.from_bytes(identity, "big") ^ number).to_bytes(_ID, "big")


def main() -> None:
    """Does a round for each line of standard input."""
    connection = http.client.HTTPConnection(urlsplit(sys.argv[1]).netloc, timeout=60)
    made: dict[int, Iterator[bytes]] = {}
    due = 0.0
    for line in sys.stdin:
        asked = json.loads(line)
        bodies = made.setdefault(asked["size"], requests(asked["size"]))
        ends = time.perf_counter() + asked["seconds"]
        due = max(due, time.perf_counter() - 1)  # what was missed for longer is not made up for
        sent = 0
        while due < ends:
            body = next(bodies)
            time.sleep(max(0.0, due - time.perf_counter()))
            connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"answered with {answer.status}")
            sent += asked["size"]
            due += asked["size"] / asked["rate"]
        time.sleep(max(0.0, ends - time.perf_counter()))
        sys.stdout.write(json.dumps({"spans": sent}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""The bare cost of OTLP in Python: protobuf parsed and walked into dicts. `walk`.

A round names the files of requests and how many spans they hold. Nothing is kept, nothing understood.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, kind) if kind is not None else None


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _spans(body: bytes) -> list[dict[str, Any]]:
    request = ExportTraceServiceRequest.FromString(body)
    return [
        {
            "trace_id": span.trace_id.hex(),
            "span_id": span.span_id.hex(),
            "parent_id": span.parent_span_id.hex(),
            "name": span.name,
            "kind": span.kind,
            "start": span.start_time_unix_nano,
            "end": span.end_time_unix_nano,
            "attributes": _attributes(span.attributes),
            "events": [(event.name, event.time_unix_nano, _attributes(event.attributes)) for event in span.events],
            "links": [(link.trace_id, link.span_id, _attributes(link.attributes)) for link in span.links],
            "status": (span.status.code, span.status.message),
        }
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def main() -> None:
    """Does a round for each line of standard input."""
    for line in sys.stdin:
        asked = json.loads(line)
        bodies = [Path(file).read_bytes() for file in asked["files"]]
        gc.collect()
        began = time.process_time()
        spans = sum(len(_spans(body)) for body in bodies)
        sys.stdout.write(json.dumps({"cpu": time.process_time() - began, "spans": spans}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

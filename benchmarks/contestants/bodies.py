"""Makes OTLP requests, in the environment that has OpenTelemetry's own encoder. `bodies FOLDER`.

A round is asked for with `spans`, `size` (spans a request) and `seed`, and `ordinary` where they are to be spans
without AI; each request is written into the folder as a file of protobuf, and the answer names the files.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from benchmarks.load import Load, batches


def main() -> None:
    """Does a round for each line of standard input."""
    folder = Path(sys.argv[1])
    for line in sys.stdin:
        asked = json.loads(line)
        load = Load(asked["seed"])
        traces = asked["spans"] // 4
        spans = load.requests(traces) if asked.get("ordinary") else load.finished(traces)
        files: list[str] = []
        for number, batch in enumerate(batches(spans, asked["size"])):
            file = folder / f"{asked['seed']}-{number}.pb"
            file.write_bytes(encode_spans(batch).SerializeToString())
            files.append(str(file))
        sys.stdout.write(json.dumps({"files": files, "spans": len(spans)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

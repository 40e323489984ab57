"""Takes in whatever an exporter sends, as fast as Python can, and counts what came: `python -m benchmarks.sink`.

It answers as each backend would, and reads what it was given, so that an exporter that sends nothing, or half, is
found out. Prints its address as the first line. What it spends is nobody's cost: it runs beside what is measured.
"""

from __future__ import annotations

import gzip
import json
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from otel_humanloop.compression import unzstd

_GRPC = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


class Taken:
    """What has come: `spans` (or logs), `requests`, and `bytes` as they were on the wire."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: Counter[str] = Counter()

    def add(self, spans: int, size: int) -> None:
        with self._lock:
            self._numbers.update(spans=spans, requests=1, bytes=size)

    def hand_over(self) -> dict[str, int]:
        """The numbers since the last call."""
        with self._lock:
            numbers, self._numbers = self._numbers, Counter()
        return {key: numbers[key] for key in ("spans", "requests", "bytes")}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    taken: Taken
    grpc_port: int

    def do_GET(self) -> None:
        if self.path == "/taken":
            self._answer(self.taken.hand_over())
        elif self.path == "/grpc":
            self._answer({"port": self.grpc_port})
        else:
            self._answer({"version": "0.15.0", "batch_ingest_config": _LANGSMITH})

    def do_POST(self) -> None:
        body = self._body()
        plain = _plain(body, self.headers.get("Content-Encoding", ""))
        if self.path.endswith("/logs"):
            logs = json.loads(plain)
            self.taken.add(len(logs), len(body))
            self._answer([{"id": f"data_{index}", "project_id": "pr_1"} for index in range(len(logs))])
        elif self.path.endswith("/traces"):
            self.taken.add(_spans(plain), len(body))
            self._answer({"records": []})
        elif self.path.endswith("/multipart"):
            self.taken.add(_runs(plain), len(body))
            self._answer({}, status=202)
        elif self.path.endswith("/media"):  # Langfuse asks where to bring what was in a message
            here, port = self.server.server_address[:2]
            known_by = json.loads(plain)["sha256Hash"].replace("+", "-").replace("/", "_")[:22]
            self._answer({"mediaId": known_by, "uploadUrl": f"http://{here}:{port}/upload"}, status=201)
        else:
            self._answer({}, status=404)

    def do_PATCH(self) -> None:
        self._body()
        self._answer({"id": "data_0"})

    def do_HEAD(self) -> None:
        """An attachment is asked about as a server of ours is: it is not there yet."""
        self.send_response(404)
        self.send_header("Otel-Humanloop-Attachments", "taken")
        self.end_headers()

    def do_PUT(self) -> None:
        self._body()
        self._answer({})

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, value: Any, *, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Accept-Encoding", "zstd, gzip")  # as a server of ours says what it takes (RFC 7694)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


_LANGSMITH = {
    "use_multipart_endpoint": True,
    "scale_up_qsize_trigger": 1000,
    "scale_up_nthreads_limit": 16,
    "scale_down_nempty_trigger": 4,
    "size_limit": 100,
    "size_limit_bytes": 20_971_520,
}
"""What LangSmith's backend says of itself, by which its client decides how it sends."""


def _plain(body: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "zstd":
        return unzstd(body, 1 << 30)
    return body


def _spans(body: bytes) -> int:
    if body.startswith(b"{"):  # the Humanloop SDK
        return sum(len(scope["spans"]) for each in json.loads(body)["resourceSpans"] for scope in each["scopeSpans"])
    request = ExportTraceServiceRequest.FromString(body)
    return sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)


def _runs(body: bytes) -> int:
    """Runs in LangSmith's multipart: each has one part of its own, and others for its inputs and outputs."""
    names = [line.split(b'"')[1] for line in body.split(b"\r\n") if line.lower().startswith(b"content-disposition")]
    return len({name for name in names if name.count(b".") == 1 and name.startswith(b"post.")})


def main() -> None:
    """Serves until standard input ends."""
    taken = Taken()

    def export(request: bytes, _context: grpc.ServicerContext) -> bytes:
        taken.add(_spans(request), len(request))
        return ExportTraceServiceResponse().SerializeToString()

    over_grpc = grpc.server(
        ThreadPoolExecutor(2), options=[("grpc.max_receive_message_length", 64 * 1024 * 1024), ("grpc.so_reuseport", 0)]
    )
    handler = grpc.unary_unary_rpc_method_handler(export)
    service, method = _GRPC[1:].split("/")
    over_grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
    _Handler.taken = taken
    _Handler.grpc_port = over_grpc.add_insecure_port("127.0.0.1:0")
    over_grpc.start()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()

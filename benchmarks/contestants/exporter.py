"""An exporter, from finished spans to a backend that has them all. `exporter NAME SINK_URL`.

A round is asked for with `seed` and either `traces`, of the load, or `copies`, of the captured corpus. Spans are made
before the clock runs. Then they are exported in batches of 512, and flushed; the cost is the CPU time of this whole
process, threads of any name included, in seconds.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from benchmarks import corpus
from benchmarks.load import Load, batches

Export = Callable[[Sequence[ReadableSpan]], None]


def _in_batches(exporter: Any) -> Export:
    def export(spans: Sequence[ReadableSpan]) -> None:
        for batch in batches(spans):
            if exporter.export(batch) is not SpanExportResult.SUCCESS:
                raise RuntimeError(f"{exporter} did not export")
        exporter.force_flush(60_000)

    return export


def _ours(url: str, compression: str, prices: str = "none") -> Export:
    from otel_humanloop import HumanloopSpanExporter

    exporter = HumanloopSpanExporter(base_url=f"{url}/v4", api_key="key", compression=compression, prices=prices)
    return _in_batches(exporter)


def _elsewhere(url: str) -> str:
    """The same place by an address that is not known to be on this machine, to which nothing would be compressed."""
    return url.replace("127.0.0.1", "0.0.0.0")


def _otlp_http(url: str, compression: str) -> Export:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return _in_batches(OTLPSpanExporter(endpoint=f"{url}/v1/traces", compression=Compression(compression)))


def _otlp_grpc(url: str) -> Export:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    with urllib.request.urlopen(f"{url}/grpc") as answer:
        port = json.load(answer)["port"]
    return _in_batches(OTLPSpanExporter(endpoint=f"http://127.0.0.1:{port}", insecure=True))


def _langfuse(url: str) -> Export:
    from langfuse import Langfuse
    from langfuse._client.span_processor import LangfuseSpanProcessor
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider()
    Langfuse(public_key="pk-lf-1", secret_key="sk-lf-1", base_url=url, tracer_provider=provider)
    # The exporter its client makes, with gzip and the search for media, which is what it does by itself.
    (processor,) = (
        each for each in provider._active_span_processor._span_processors if isinstance(each, LangfuseSpanProcessor)
    )
    return _in_batches(processor.span_exporter)


def _langsmith(url: str) -> Export:
    from langsmith.integrations.otel.processor import OtelExporter

    return _in_batches(OtelExporter(url=f"{url}/otel/v1/traces", api_key="key", project="bench"))


def _humanloop(url: str) -> Export:
    from humanloop import Humanloop
    from humanloop.otel.exporter import HumanloopSpanExporter

    client = Humanloop(api_key="key", base_url=url)

    def export(spans: Sequence[ReadableSpan]) -> None:
        exporter = HumanloopSpanExporter(client)  # a flush ends it, so each round has its own
        exporter.export(spans)
        deadline = time.monotonic() + 60
        while exporter._upload_queue.unfinished_tasks:
            if time.monotonic() > deadline:
                raise RuntimeError("the Humanloop SDK does not deliver")
            time.sleep(0.02)
        exporter.shutdown()

    return export


EXPORTERS: dict[str, Callable[[str], Export]] = {
    "ours": lambda url: _ours(url, "none"),
    "ours-gzip": lambda url: _ours(url, "gzip"),
    "ours-zstd": lambda url: _ours(_elsewhere(url), "auto"),
    "ours-priced": lambda url: _ours(url, "none", "auto"),
    "ours-base": lambda url: _ours(url, "none"),
    "ours-base-gzip": lambda url: _ours(url, "gzip"),
    "otlp-http": lambda url: _otlp_http(url, "none"),
    "otlp-http-gzip": lambda url: _otlp_http(url, "gzip"),
    "otlp-grpc": _otlp_grpc,
    "langfuse": _langfuse,
    "langsmith": _langsmith,
    "humanloop": _humanloop,
}

_SHAPES: dict[str, dict[str, Any]] = {
    "humanloop": {"name": "humanloop.answer", "extra": {"humanloop.file.type": "prompt"}}
}
"""What an exporter must find on a span to send it at all."""


def _asked(name: str, asked: dict[str, Any]) -> tuple[Sequence[ReadableSpan], int]:
    """Spans, and how many of them, or logs, the backend is to have afterwards at least."""
    if "copies" in asked:
        spans = corpus.finished(asked["copies"], asked["seed"])
        # Spans of HTTP and of databases, and traces without AI, have no log; two spans of one call have one, unless
        # the first had left when the second came.
        return spans, corpus.logs() * asked["copies"] if name.startswith("ours") else len(spans)
    shape = {key: asked[key] for key in ("chats", "depth", "turns") if key in asked}
    spans = Load(asked["seed"]).finished(asked["traces"], **_SHAPES.get(name, {}), **shape)
    return spans, len(spans)


def _installed(name: str) -> dict[str, bool]:
    """Whether ours is compiled here, and whether its gzip is isal's."""
    if not name.startswith("ours"):
        return {}
    from otel_humanloop.native import in_use

    return {"compiled": bool(in_use()), "isal": "isal.isal_zlib" in sys.modules}


def main() -> None:
    """Does a round for each line of standard input."""
    name, url = sys.argv[1:]
    export = EXPORTERS[name](url)
    for line in sys.stdin:
        spans, wanted = _asked(name, json.loads(line))
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        export(spans)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        with urllib.request.urlopen(f"{url}/taken") as answer:
            taken = json.load(answer)
        if taken["spans"] < wanted:
            raise RuntimeError(f"{name} delivered {taken['spans']} of {wanted}")
        said = {**taken, "cpu": cpu, "wall": wall, "spans": len(spans), "logs": taken["spans"], **_installed(name)}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

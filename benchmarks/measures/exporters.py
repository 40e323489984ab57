"""Exporters, from finished spans to a backend that has them."""

from __future__ import annotations

from benchmarks.contest import Spread, contest, per_span, ratios
from benchmarks.contestants.names import EXPORTERS
from benchmarks.finding import Finding, Table, Target, spread
from benchmarks.processes import sink
from benchmarks.scale import Scale

_LABELS = {
    "ours": "otel-humanloop",
    "ours-gzip": "otel-humanloop, gzip",
    "ours-priced": "otel-humanloop, pricing calls (extra)",
    "otlp-http": "OTLP/HTTP",
    "otlp-http-gzip": "OTLP/HTTP, gzip",
    "otlp-grpc": "OTLP/gRPC",
    "langfuse": "Langfuse (gzip)",
    "langsmith": "LangSmith (OTLP)",
    "humanloop": "Humanloop SDK 0.8.38",
}

_LIMITS = (
    "OTLP's encoder hands each attribute to C (upb) once and is done. Ours copies the attributes off the span, "
    "looks at each to see which conventions speak, reads about 20 fields of a chat span by a reader each, parses "
    "its messages, and makes a log of new objects. Timed within the exporter with this load, of the CPU time of a "
    "span 35 % is reading, 20 % building the log (a third of that its metadata), 13 % taking the span off the "
    "SDK, 13 % the order of logs and the spool, 7 % JSON and HTTP, 4 % the size of the span for the spool's "
    "bound; the rest is between them. Python's cyclic garbage collector is some 5 % across all of these. JSON and "
    "HTTP alone, with nothing understood, are about 0.1x of OTLP/HTTP: a fifth leaves as much again for all the "
    "rest, which Python code that makes a few dozen objects for a span does not fit into. What would have to "
    "change: reading compiled for each combination of scope and keys, so that a span is read by one function and "
    "not by twenty readers; messages decoded by one typed decoder straight into the contract's form; records "
    "without garbage collection (`gc=False`, which gains 5 %); and what remains in native code. With gzip ours "
    "sends a quarter more bytes, compressed at level 1 where OTLP's exporter compresses at level 9; what keeps it "
    "from 0.12x is its conversion again, for compression is a fifth of what it then costs. zstd, where the server "
    "takes it, would be a third of that. A fifth of the bytes of a log says which convention and key gave each of "
    "its fields (`metadata.otel.sources`)."
)


def measure(scale: Scale) -> Finding:
    """CPU time per span of the whole exporting process."""
    with sink() as url:
        answers = contest(
            {name: (environment, "exporter", name, url) for name, environment in EXPORTERS.items()},
            rounds=scale.rounds,
            # One request for each span is so much work that fewer will do.
            asked={name: {"traces": scale.traces // (8 if name == "humanloop" else 1)} for name in EXPORTERS},
        )
    cpu = {name: per_span(rounds) for name, rounds in answers.items()}
    rows = [
        [
            label,
            spread(Spread.of(cpu[name])),
            spread(ratios(cpu[name], cpu["otlp-http"])),
            f"{sum(each['bytes'] for each in answers[name]) / sum(each['spans'] for each in answers[name]):,.0f}",
        ]
        for name, label in _LABELS.items()
    ]
    return Finding(
        title="Exporters: from finished spans to a backend that has them",
        how=(
            f"Each exporter runs in a process and an environment of its own and sends the same {scale.traces * 4:,} "
            f"spans a round, in batches of 512, to a sink in another process, which answers as its backend would and "
            f"counts what came; a round in which a span is missing fails. CPU time is that of the whole process.\n\n"
            "What is not alike: OTLP, Langfuse and LangSmith encode spans as they are; ours reads what they say "
            "(all conventions are loaded), makes logs of them, keeps each until it is acknowledged, and sends a parent "
            "before its children, which is two requests where they have one. The Humanloop SDK encodes spans as they "
            "are too, one request each; its spans carry the marker without which it sends nothing."
        ),
        targets=[
            Target.most(
                "exporter CPU per span, against OTLP/HTTP, neither compressed",
                ratios(cpu["ours"], cpu["otlp-http"]),
                0.2,
            ),
            Target.most(
                "exporter CPU per span, against OTLP/HTTP, both with gzip",
                ratios(cpu["ours-gzip"], cpu["otlp-http-gzip"]),
                0.12,
            ),
            Target.most(
                "exporter CPU per span, against the Humanloop SDK's", ratios(cpu["ours"], cpu["humanloop"]), 0.02
            ),
        ],
        limits=_LIMITS,
        tables=[Table(["exporter", "CPU µs/span", "against OTLP/HTTP", "bytes/span sent"], rows)],
    )

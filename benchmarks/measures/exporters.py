"""Exporters, from finished spans to a backend that has them."""

from __future__ import annotations

from typing import Any

from benchmarks.contest import Spread, contest, per_span, ratios
from benchmarks.contestants.names import EXPORTERS
from benchmarks.finding import Figures, Finding, Table, Target, number, spread
from benchmarks.processes import sink
from benchmarks.scale import Scale

ENVIRONMENTS = ("ours", "otlp", "langfuse", "langsmith", "humanloop")

_LABELS = {
    "ours": "otel-humanloop",
    "ours-gzip": "otel-humanloop, gzip",
    "ours-zstd": "otel-humanloop, zstd (extra)",
    "ours-priced": "otel-humanloop, pricing calls (extra)",
    "ours-base": "otel-humanloop, the base install",
    "ours-base-gzip": "otel-humanloop, the base install, gzip",
    "otlp-http": "OTLP/HTTP",
    "otlp-http-gzip": "OTLP/HTTP, gzip",
    "otlp-grpc": "OTLP/gRPC",
    "langfuse": "Langfuse (gzip)",
    "langsmith": "LangSmith (OTLP)",
    "humanloop": "Humanloop SDK 0.8.38",
}

_ON_CORPUS = tuple(name for name in EXPORTERS if name not in ("ours-priced", "humanloop"))
"""Who is given the captured corpus too; the Humanloop SDK sends only spans that carry its own marker."""

_COPIES = 2

_STAGES = {
    "take": "a span is taken off the SDK",
    "size": "its size is told, for the spool's bound",
    "read": "it is read",
    "order": "its log is put in its place",
    "log": "the log is made, as JSON",
}


def measure(scale: Scale) -> Figures:
    """What each exporter spent on the spans of the load, and on those of the captured corpus, round by round."""
    with sink() as taker:
        answers = contest(
            {name: (environment, "exporter", name, taker.url) for name, environment in EXPORTERS.items()},
            rounds=scale.rounds,
            # One request for each span is so much work that fewer will do.
            asked={name: {"traces": scale.traces // (8 if name == "humanloop" else 1)} for name in EXPORTERS},
        )
    with sink() as taker:
        captured = contest(
            {name: (EXPORTERS[name], "exporter", name, taker.url) for name in _ON_CORPUS},
            rounds=scale.rounds,
            asked={name: {"copies": _COPIES} for name in _ON_CORPUS},
        )
    alone = contest(
        {"ours": (EXPORTERS["ours"], "stages")}, rounds=scale.rounds, asked={"ours": {"traces": scale.traces}}
    )
    return {"answers": answers, "captured": captured, "stages": alone["ours"]}


def find(figures: Figures) -> Finding:
    """CPU time per span of the whole exporting process."""
    answers, captured = figures["answers"], figures["captured"]
    cpu = {name: per_span(rounds) for name, rounds in answers.items()}
    return Finding(
        title="Exporters: from finished spans to a backend that has them",
        how=(
            "Each exporter runs in a process and an environment of its own and sends the same "
            f"{answers['ours'][0]['spans']:,} spans a round, in batches of 512, to a sink in another process, which "
            "answers as its backend would and counts what came; a round in which a span is missing fails. CPU time is "
            "that of the whole process.\n\n"
            "What is not alike: OTLP, Langfuse and LangSmith encode spans as they are; ours reads what they say "
            "(all conventions are loaded), makes logs of them, keeps each until it is acknowledged, and sends a parent "
            "before its children, which is two requests where they have one. The Humanloop SDK encodes spans as they "
            "are too, one request each; its spans carry the marker without which it sends nothing.\n\n"
            f"{_installed(answers)}\n\n"
            f"The second table is of the captured corpus: the {captured['ours'][0]['spans']:,} spans of a round were "
            "written by real instrumentations of 16 sorts, most of them small. Of them ours makes "
            f"{captured['ours'][0]['logs']:,} logs, for spans of HTTP and of databases, and traces without AI, have "
            "none; the others send every span.\n\n"
            "The third tells where the time of ours goes: each stage alone, on one thread, with the spans of the "
            "first. Spans of a kind that has come before are read by what differs, and their logs cast in moulds; the "
            "load is of two kinds, for a program has few."
        ),
        targets=[
            *_targets("exporter CPU per span, against OTLP/HTTP, neither compressed", cpu, "", "otlp-http", 0.2),
            *_targets("exporter CPU per span, against OTLP/HTTP, both with gzip", cpu, "-gzip", "otlp-http-gzip", 0.12),
            *_targets("exporter CPU per span, against the Humanloop SDK's", cpu, "", "humanloop", 0.02),
        ],
        tables=[_table(answers), _table(captured), _stages(figures["stages"], Spread.of(cpu["ours"]).median)],
    )


def _targets(what: str, cpu: dict[str, list[float]], suffix: str, theirs: str, limit: float) -> list[Target]:
    """The same of both installations of ours."""
    return [
        Target.most(what, ratios(cpu[f"ours{suffix}"], cpu[theirs]), limit),
        Target.most(f"{what}, the base install", ratios(cpu[f"ours-base{suffix}"], cpu[theirs]), limit),
    ]


def _installed(answers: dict[str, list[dict[str, Any]]]) -> str:
    """What was installed of ours, as its contestants found it."""
    ours, packed = answers["ours"][0], answers["ours-gzip"][0]
    compiled = "compiled" if ours["compiled"] else "pure Python too, for there was no C compiler"
    gzip = "isal's" if packed["isal"] else "Python's own, for there is no isal for this machine"
    return (
        "Ours is there twice. The base install is `pip install .`: pure Python, and gzip as Python has it. All others "
        f"are as `HATCH_BUILD_HOOKS_ENABLE=1 pip install '.[gzip]'` makes them: {compiled}, and their gzip {gzip}."
    )


def _stages(rounds: list[dict[str, Any]], whole: float) -> Table:
    """Where the time of ours goes."""
    alone = {stage: Spread.of([each["stages"][stage] / each["spans"] * 1e6 for each in rounds]) for stage in _STAGES}
    rest = whole - sum(each.median for each in alone.values())
    rows = [[what, spread(alone[stage]), f"{alone[stage].median / whole:.0%}"] for stage, what in _STAGES.items()]
    rows.append(["the rest: the spool, threads, HTTP, what lies between", number(rest), f"{rest / whole:.0%}"])
    return Table(["a stage of ours, alone", "CPU µs/span", "of the whole"], rows)


def _table(answers: dict[str, list[dict[str, Any]]]) -> Table:
    """Exporters, in the order of their labels."""
    cpu = {name: per_span(rounds) for name, rounds in answers.items()}
    rows = [
        [
            label,
            spread(Spread.of(cpu[name])),
            spread(ratios(cpu[name], cpu["otlp-http"])),
            f"{sum(each['bytes'] for each in answers[name]) / sum(each['spans'] for each in answers[name]):,.0f}",
        ]
        for name, label in _LABELS.items()
        if name in answers
    ]
    return Table(["exporter", "CPU µs/span", "against OTLP/HTTP", "bytes/span sent"], rows)

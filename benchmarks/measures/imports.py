"""What an exporter adds to the start of a program."""

from __future__ import annotations

import random
import resource
import subprocess
import sys

from benchmarks.contest import Spread, clean_environ, ratios
from benchmarks.environments import PROJECT, environment
from benchmarks.finding import Figures, Finding, Table, Target, spread
from benchmarks.scale import Scale

ENVIRONMENTS = ("ours", "otlp")

_SDK = "import opentelemetry.sdk.trace.export"

_PROGRAMS = {
    "ours, the SDK alone": ("installed-base", _SDK),
    "ours": ("installed-base", f"{_SDK}; from otel_humanloop import HumanloopSpanExporter"),
    "ours, made": (
        "installed-base",
        f"{_SDK}; from otel_humanloop import HumanloopSpanExporter as E; import os; e = E(); os._exit(0)",
    ),
    "otlp, the SDK alone": ("otlp", _SDK),
    "otlp": ("otlp", f"{_SDK}; from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter"),
    "otlp, made": (
        "otlp",
        f"{_SDK}; from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as E; import os;"
        " e = E(); os._exit(0)",
    ),
}


def measure(scale: Scale) -> Figures:
    """CPU milliseconds of each program, run by run."""
    taken: dict[str, list[float]] = {name: [] for name in _PROGRAMS}
    order = random.Random(2)
    for number in range(scale.imports + 1):
        names = list(_PROGRAMS)
        order.shuffle(names)
        for name in names:
            milliseconds = _run(*_PROGRAMS[name])
            if number:  # the first run compiles
                taken[name].append(milliseconds)
    sys.stderr.write("  imports are measured\n")
    return taken


def find(figures: Figures) -> Finding:
    """What a program that imports the exporter takes, less what one takes that imports the SDK."""

    def net(name: str) -> list[float]:
        alone = figures[f"{name.partition(',')[0]}, the SDK alone"]
        return [with_it - without for with_it, without in zip(figures[name], alone, strict=True)]

    return Finding(
        title="Import",
        how=(
            "A fresh interpreter imports the SDK, and the exporter after it; what the SDK alone takes is taken off, "
            "run by run. In the second column the exporter is made too: both then have their HTTP client. "
            "Each environment holds the exporter with what it asks for, and nothing else."
        ),
        targets=[
            Target.most(
                "import of the exporter after the SDK, against OTLP/HTTP", _ratio(net("ours"), net("otlp")), 1.0
            ),
            Target.most(
                "import and making of the exporter, against OTLP/HTTP",
                _ratio(net("ours, made"), net("otlp, made")),
                1.0,
            ),
        ],
        tables=[
            Table(
                ["exporter", "import, CPU ms", "imported and made, CPU ms"],
                [
                    ["otel-humanloop", spread(Spread.of(net("ours"))), spread(Spread.of(net("ours, made")))],
                    ["OTLP/HTTP", spread(Spread.of(net("otlp"))), spread(Spread.of(net("otlp, made")))],
                ],
            )
        ],
    )


def _ratio(ours: list[float], theirs: list[float]) -> Spread:
    """A difference of two small numbers may come out near nothing in one run, so medians are compared."""
    paired = ratios(ours, [max(each, 1.0) for each in theirs])
    return Spread(Spread.of(ours).median / Spread.of(theirs).median, paired.least, paired.greatest)


def _run(environment_name: str, program: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [str(environment(environment_name).python), "-c", program], check=True, cwd=PROJECT.parent, env=clean_environ()
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000

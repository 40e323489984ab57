"""`RESULTS.md`, of the figures that are kept and of what `limits.md` says of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.finding import Finding, Measure, Table, Target
from benchmarks.kept import Run

HERE = Path(__file__).resolve().parent

_PACKAGES = {
    "ours": ("otel-humanloop", "opentelemetry-sdk", "msgspec", "httpx", "protobuf", "isal", "backports-zstd"),
    "otlp": ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http", "protobuf", "requests", "grpcio"),
    "langfuse": ("langfuse",),
    "langsmith": ("langsmith",),
    "humanloop": ("humanloop",),
    "phoenix": ("arize-phoenix",),
    "mlflow": ("mlflow",),
}
"""Environment -> the packages whose versions are told."""

_INTRODUCTION = """# Results

Written by `make bench`, of the figures in [results.json](results.json). Ratios are what counts: contestants take turns
in one run, each round gives one ratio, and what stands here is the median, with the least and the greatest in
brackets. Absolute numbers are those of one machine on one day.
"""


def write(folder: Path, runs: Mapping[str, Run], measures: Mapping[str, Measure]) -> None:
    """The whole of the results as Markdown, with its plots, into that folder."""
    names = [name for name in measures if name in runs]
    found = {name: measures[name].find(runs[name].figures) for name in names}
    limits = read_limits((HERE / "limits.md").read_text())
    parts = [_INTRODUCTION, _machines(names, runs), _versions(runs), "## Targets\n"]
    parts.append(_targets(target for finding in found.values() for target in finding.targets))
    for name, finding in found.items():
        parts.extend(_section(finding, limits.get(name, "")))
        for file, plot in finding.plots.items():
            (folder / file).write_text(plot)
    (folder / "RESULTS.md").write_text("\n".join(parts))


def read_limits(text: str) -> dict[str, str]:
    """Measure -> what keeps its targets from being met, of a file with a heading `## <measure>` above each."""
    parts = (part.partition("\n") for part in text.split("\n## ")[1:])
    return {name.strip(): said.strip() for name, _, said in parts}


def row(target: Target) -> str:
    """A target as a line of a terminal."""
    return f"{'met    ' if target.met else 'not met'}  {target.what}: {target.measured} (wanted {target.wanted})"


def _section(finding: Finding, limit: str) -> list[str]:
    parts = [f"## {finding.title}\n", finding.how + "\n", *(_table(table) for table in finding.tables)]
    return [*parts, f"**Where the limit is.** {limit}\n"] if limit else parts


def _machines(names: Iterable[str], runs: Mapping[str, Run]) -> str:
    told = "\n".join(f"Machine: {machine}." for machine in sorted({runs[name].machine for name in names}))
    rows = [
        [name, runs[name].when, runs[name].commit, f"{runs[name].seconds / 60:.1f}", f"{runs[name].others:.0%}"]
        for name in names
    ]
    table = _table(Table(["measure", "when (UTC)", "commit", "minutes", "CPU taken by others"], rows))
    return (
        f"{told}\n\n{table}\nThe last column is the part of all the machine's CPU time that went, meanwhile, to what "
        "has nothing to do with the measure. Where it is large, times of day are those of a machine that did much "
        "else; CPU times and their ratios suffer less.\n"
    )


def _versions(runs: Mapping[str, Run]) -> str:
    said = {name: versions for run in runs.values() for name, versions in run.versions.items()}
    rows = [
        [name, ", ".join(f"{package} {said[name][package]}" for package in packages if package in said[name])]
        for name, packages in _PACKAGES.items()
        if name in said
    ]
    return _table(Table(["environment", "versions"], rows))


def _targets(targets: Iterable[Target]) -> str:
    rows = [[each.what, each.measured, each.wanted, "met" if each.met else "**not met**"] for each in targets]
    return _table(Table(["target", "measured", "wanted", ""], rows))


def _table(table: Table) -> str:
    lines = [table.columns, ["---"] * len(table.columns), *table.rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"

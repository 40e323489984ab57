"""`RESULTS.md`, of what was found."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.environments import environment
from benchmarks.finding import Finding, Table, Target

HERE = Path(__file__).resolve().parent

_PEERS = {
    "ours": ("otel-humanloop", "opentelemetry-sdk", "msgspec", "httpx", "protobuf"),
    "otlp": ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http", "protobuf", "requests", "grpcio"),
    "langfuse": ("langfuse",),
    "langsmith": ("langsmith",),
    "humanloop": ("humanloop",),
    "phoenix": ("arize-phoenix",),
    "mlflow": ("mlflow",),
}

_INTRODUCTION = """# Results

Written by `make bench`. Ratios are what counts: contestants take turns in one run, each round gives one ratio, and
what stands here is the median, with the least and the greatest in brackets. Absolute numbers are those of one machine
on one day.
"""


class Kept:
    """Findings of the latest runs, by measure, in `folder`: a run of one measure leaves those of the others."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "results.json"
        self.findings: dict[str, Finding] = {}
        self.machines: dict[str, str] = {}
        self.loads: dict[str, float] = {}
        if self._file.exists():
            kept = json.loads(self._file.read_text())
            self.findings = {name: Finding.of(each["finding"]) for name, each in kept.items()}
            self.machines = {name: each["machine"] for name, each in kept.items()}
            self.loads = {name: each["load"] for name, each in kept.items()}

    def keep(self, name: str, finding: Finding) -> None:
        """Writes one finding down, with the machine it was made on."""
        self.findings[name] = finding
        self.machines[name] = machine()
        self.loads[name] = round(os.getloadavg()[1], 1)
        kept = {
            name: {"machine": self.machines[name], "load": self.loads[name], "finding": finding.plain()}
            for name, finding in self.findings.items()
        }
        self._file.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def write(path: Path, kept: Kept, order: Iterable[str]) -> None:
    """The whole of the results as Markdown."""
    names = [name for name in order if name in kept.findings]
    findings = [kept.findings[name] for name in names]
    parts = [_INTRODUCTION, "\n".join(sorted(set(kept.machines.values()))) + "\n"]
    loads = ", ".join(f"{name} {kept.loads[name]}" for name in names)
    parts.append(
        f"Load average over five minutes at the end of each measure, what is measured included: {loads}. Far above "
        "the number of cores, times of day are those of a machine that did much else; CPU times and their ratios "
        "suffer less.\n"
    )
    parts.append(_versions())
    parts.append("## Targets\n")
    parts.append(_targets([target for finding in findings for target in finding.targets]))
    for finding in findings:
        parts.append(f"## {finding.title}\n")
        parts.append(finding.how + "\n")
        parts.extend(_table(table) for table in finding.tables)
        if finding.limits:
            parts.append(f"**Where the limit is.** {finding.limits}\n")
    path.write_text("\n".join(parts))


def row(target: Target) -> str:
    """A target as a line of a terminal."""
    return f"{'met    ' if target.met else 'not met'}  {target.what}: {target.measured} (wanted {target.wanted})"


def machine() -> str:
    """What this was measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"Machine: {os.cpu_count()} cores ({model}), {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}."
    )


def _versions() -> str:
    said: dict[str, Mapping[str, str]] = {name: environment(name).versions() for name in _PEERS}
    rows = [
        [name, ", ".join(f"{package} {said[name][package]}" for package in packages if package in said[name])]
        for name, packages in _PEERS.items()
    ]
    return _table(Table(["environment", "versions"], rows))


def _targets(targets: Iterable[Target]) -> str:
    return _table(
        Table(
            ["target", "measured", "wanted", ""],
            [
                [target.what, target.measured, target.wanted, "met" if target.met else "**not met**"]
                for target in targets
            ],
        )
    )


def _table(table: Table) -> str:
    lines = [table.columns, ["---"] * len(table.columns), *table.rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"

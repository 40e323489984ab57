"""An environment for each peer, made with uv once and kept in a cache folder.

Peers ask for versions of the same packages that exclude each other, and one of them would otherwise be measured with
what another has installed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

ENVIRONMENTS: dict[str, tuple[str, ...]] = {
    "ours": (f"--editable={PROJECT}[all]",),
    "otlp": (
        "opentelemetry-sdk",
        "opentelemetry-exporter-otlp-proto-http",
        "opentelemetry-exporter-otlp-proto-grpc",
    ),
    "langfuse": ("langfuse==5.0.4",),
    "langsmith": ("langsmith[otel]==0.15.0",),
    # `import humanloop` fails without requests, which it does not ask for.
    "humanloop": ("humanloop==0.8.38", "requests"),
    "phoenix": ("arize-phoenix==20.26.1",),
    "mlflow": ("mlflow==3.17.2",),
    # What a user installs, as the README says it: the application's part, pure and compiled, and the server.
    "installed-base": (str(PROJECT),),
    "installed-compiled": (f"{PROJECT}[gzip]",),
    "installed-server": (f"{PROJECT}[server,bridge]",),
}
"""Name of an environment -> what pip is asked for."""

_COMPILED = ("ours", "installed-compiled", "installed-server")
"""Hold the project with its compiled modules, where there is a C compiler."""

_FRESH = ("installed-base", "installed-compiled", "installed-server")
"""Hold a copy of the project, so they are made anew each time its files change."""


class Environment:
    """A Python environment with one peer in it.

    Attributes:
        name: As in `ENVIRONMENTS`.
        folder: Where it is.
        python: Its interpreter.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.python = folder / "bin" / "python"

    def script(self, name: str) -> str:
        """The path of a command it has."""
        return str(self.folder / "bin" / name)

    def versions(self) -> dict[str, str]:
        """Name and version of every distribution in it."""
        lines = _uv("pip", "list", "--quiet", "--format=freeze", "--python", str(self.python)).splitlines()
        pairs = [line.split("==", 1) for line in lines if "==" in line]
        return dict(pairs)

    def size(self) -> int:
        """Bytes of all it holds in its site-packages, without compiled bytecode."""
        files = (self.folder / "lib").rglob("*")
        return sum(file.stat().st_size for file in files if file.is_file() and file.suffix != ".pyc")


def cache_folder() -> Path:
    """Where environments, and what else takes long to make, are kept between runs; `make clean` removes it."""
    return PROJECT / "build" / "bench"


@cache
def environment(name: str) -> Environment:
    """That environment, made if it is not there or was made of something else; looked at once in a run.

    Raises:
        subprocess.CalledProcessError: uv could not make it; what it said has been printed.
    """
    wanted = ENVIRONMENTS[name]
    made = Environment(name, cache_folder() / name)
    stamp = made.folder / "made-of"
    asks = _project() if name in _FRESH else _asked() if name == "ours" else ""
    of = hashlib.sha256("\n".join([sys.version, *wanted, asks]).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == of:
        return made
    sys.stderr.write(f"installing {', '.join(wanted)}\n")
    _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(made.folder))
    compiled = name in _COMPILED and shutil.which("cc") is not None
    # uv may have kept what it built of the project before.
    install = ("pip", "install", "--quiet", "--compile-bytecode", "--refresh-package=otel-humanloop")
    _uv(*install, "--python", str(made.python), *wanted, HATCH_BUILD_HOOKS_ENABLE=str(int(compiled)))
    stamp.write_text(of)
    return made


def _asked() -> str:
    """Changes when the editable project needs to be installed anew: what it asks for, or what of it is compiled."""
    sources = sorted((PROJECT / "otel_humanloop" / "native").glob("*.pyx"))
    return "\n".join(file.read_text() for file in (PROJECT / "pyproject.toml", PROJECT / "hatch_build.py", *sources))


def _project() -> str:
    """Changes when a file of the package does."""
    files = sorted((PROJECT / "otel_humanloop").rglob("*"))
    return "\n".join(f"{file} {file.stat().st_mtime_ns}" for file in files if file.is_file())


def _uv(*arguments: str, **variables: str) -> str:
    command = [sys.executable, "-m", "uv", *arguments]
    environ = {**os.environ, **variables}
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environ).stdout

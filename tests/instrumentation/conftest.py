"""Environments of their own for programs that are instrumented by others' packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from humanloop import Humanloop
from instrumentation_model import answers

from otel_humanloop.demo.model_server import ModelServer

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"

Run = Callable[..., None]
"""Runs a program in an environment with the packages named."""


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer([answers]) as server:
        yield server


@pytest.fixture
def environment(humanloop: Humanloop, model: ModelServer) -> dict[str, str]:
    """The variables of a program that talks to the model server and tells Humanloop."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "HUMANLOOP_", "OPENAI_"))
    }
    return {
        **kept,
        "HUMANLOOP_BASE_URL": humanloop.base_url,
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_API_KEY": "any",
        "PYTHONPATH": "",
    }


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Runs one of `programs/` with current packages; skips where they cannot be had."""

    def run_it(program: str, *packages: str, **variables: str) -> None:
        python = tmp_path / "venv" / "bin" / "python"
        uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
        if not Path(uv).exists():
            pytest.skip("uv, which makes environments, is not installed")
        subprocess.run([uv, "venv", "--quiet", str(tmp_path / "venv"), "--python", sys.executable], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", str(python), "--editable", str(ROOT), *packages]
        installed = subprocess.run(install, capture_output=True, text=True, timeout=600)
        if installed.returncode:
            pytest.skip(f"{', '.join(packages)} cannot be had: {installed.stderr.strip()[-300:]}")
        done = subprocess.run(
            [str(python), str(PROGRAMS / program)],
            env={**environment, **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-3000:]

    return run_it

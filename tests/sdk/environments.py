"""Environments of their own for the vendor's SDKs, made once and kept in the user's cache."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def cache() -> Path:
    """Where the environments are kept."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(home) / "otel-humanloop" / "sdk"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def python_sdk(version: str) -> Path:
    """An interpreter that has `humanloop` of that version, and nothing of ours."""
    folder = cache() / f"python-{version}-{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        _run([sys.executable, "-m", "uv", "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
        _run(
            [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python), f"humanloop=={version}"]
        )
        (folder / ".ready").touch()
    return python


def typescript_sdk(version: str) -> Path:
    """A folder with `humanloop` of that version in its `node_modules`.

    What npm would take today as a part of it (`konfig-axios-fetch-adapter` 1.6) fails on every call, so that part is
    held to the version the SDK was made with.
    """
    folder = cache() / f"typescript-{version}"
    if not (folder / ".ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        package = {
            "private": True,
            "dependencies": {"humanloop": version},
            "overrides": {"konfig-axios-fetch-adapter": "1.0.9"},
        }
        (folder / "package.json").write_text(json.dumps(package), encoding="utf-8")
        _run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=folder)
        (folder / ".ready").touch()
    return folder


def run(command: list[str], environ: Mapping[str, str]) -> Any:
    """Runs a program that prints one JSON value, and gives it."""
    plain = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(command, env={**plain, **environ}, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def _run(command: list[str], cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

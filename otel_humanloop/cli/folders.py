"""Where this machine keeps what is ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def data_folder(environ: Mapping[str, str] | None = None) -> Path:
    """The folder among a user's own data for what our commands keep; made if it is not there, for this user alone."""
    folder = _data_home(os.environ if environ is None else environ) / "otel-humanloop"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _data_home(environ: Mapping[str, str]) -> Path:
    """As the XDG base directory specification, Apple and Microsoft have it."""
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    given = environ.get("XDG_DATA_HOME", "")
    return Path(given) if os.path.isabs(given) else Path.home() / ".local" / "share"

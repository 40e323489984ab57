"""Where this machine keeps what is ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from otel_humanloop.errors import SettingsError

DATABASE = "humanloop.db"
"""What a server keeps."""

BRIDGE_SPOOL = "bridge-spool.db"
"""What a bridge has taken in and not delivered."""

SERVER_SPOOL = "serve-otlp.db"
"""What a server has taken in by OTLP and not logged, where its database is no file of its own."""


def data_folder(environ: Mapping[str, str] | None = None) -> Path:
    """The folder among a user's own data for what our commands keep; made if it is not there, for this user alone.

    Raises:
        SettingsError: It cannot be made.
    """
    folder = where_data_is(environ)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"the folder {folder} cannot be made: {error.strerror}",
            hint="set XDG_DATA_HOME to a folder that can be written to, or name a file: --spool or --database"
            " sqlite:////PATH",
        ) from error
    return folder


def where_data_is(environ: Mapping[str, str] | None = None) -> Path:
    """That folder, which may not be there."""
    return _data_home(os.environ if environ is None else environ) / "otel-humanloop"


def _data_home(environ: Mapping[str, str]) -> Path:
    """As the XDG base directory specification, Apple and Microsoft have it."""
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    given = environ.get("XDG_DATA_HOME", "")
    return Path(given) if os.path.isabs(given) else Path.home() / ".local" / "share"

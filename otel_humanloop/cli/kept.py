"""The spools on this machine's disk that our commands know of, and how much is in each."""

from __future__ import annotations

from pathlib import Path

import msgspec

from otel_humanloop.cli.folders import BRIDGE_SPOOL, DATABASE, SERVER_SPOOL, where_data_is
from otel_humanloop.cli.otlp import beside
from otel_humanloop.delivery.spools import open_spool
from otel_humanloop.errors import SettingsError
from otel_humanloop.settings import Settings

UNBOUNDED = 1 << 62
"""The bound of a spool that is only looked at: nothing is kept in it."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a spool.

    Attributes:
        spans: How many wait to be delivered.
        refused: How many logs Humanloop refused.
        error: Why it cannot be told; None where it can.
        hint: What to do about that.
    """

    url: str
    spans: int = 0
    refused: int = 0
    error: str | None = None
    hint: str | None = None


def is_there(url: str) -> bool:
    """Is that a spool on the disk? Nothing is made by asking."""
    path = url.partition(":///")[2]
    return bool(path) and Path(path).expanduser().is_file()


def known(settings: Settings) -> list[str]:
    """The URLs of those that are there: the one in the settings, a bridge's own, those of a server."""
    folder = f"sqlite:///{where_data_is()}"
    urls = (
        settings.spool,
        f"{folder}/{BRIDGE_SPOOL}",
        beside(f"{folder}/{DATABASE}"),
        f"{folder}/{SERVER_SPOOL}",
    )
    return [url for url in dict.fromkeys(urls) if is_there(url)]


def look(url: str) -> Kept:
    """What is in it. Whoever uses it may go on meanwhile."""
    try:
        spool = open_spool(url, max_spans=UNBOUNDED, max_bytes=UNBOUNDED)
    except SettingsError as error:
        return Kept(url=url, error=error.message, hint=error.hint)
    try:
        return Kept(url=url, spans=spool.spans, refused=len(spool.refused()))
    except SettingsError as error:
        return Kept(url=url, error=error.message, hint=error.hint)
    finally:
        spool.close()

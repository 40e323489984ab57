"""Keeping logs for so long and no longer."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from otel_humanloop.errors import SettingsError
from otel_humanloop.server import moments
from otel_humanloop.server.failures import RequestFailed
from otel_humanloop.server.store import Store, attachments
from otel_humanloop.server.store.changing import SLICE, delete_old

_log = logging.getLogger(__name__)

_EVERY = 600.0
"""Seconds between looks."""
_LATE = timedelta(days=1)
"""How long an attachment waits for the log that names it."""
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def parse_age(text: str) -> timedelta:
    """`30d`, `12h`, `8w` as a time.

    Raises:
        SettingsError: It is none of these.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,5})([hdw])", text)
    if match is None:
        raise SettingsError(f"the age is `{text}`, but must be hours, days or weeks", hint="for example 12h, 30d or 8w")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def prune(store: Store, keep: timedelta) -> int:
    """Deletes the logs that ended longer ago, piece by piece; returns how many."""
    now = moments.now()
    before = now - keep // timedelta(microseconds=1)
    total = 0
    while True:
        done = store.write(partial(delete_old, before=before, now=now))
        total += done
        if done < SLICE:
            return total


def sweep(store: Store) -> int:
    """Deletes attachments that no log has named for a day; returns how many.

    Those that deleted logs named are gone already. These came without their log.
    """
    before = moments.now() - _LATE // timedelta(microseconds=1)
    total = 0
    while True:
        done = store.write(partial(attachments.delete_unnamed, before=before))
        total += done
        if done < attachments.SLICE:
            return total


@contextmanager
def retention(store: Store, keep: timedelta | None) -> Generator[None, None, None]:
    """Prunes now and then, until the end of the block; with None, never."""
    if keep is None:
        yield
        return
    ended = threading.Event()

    def run() -> None:
        pause = 0.0
        while not ended.wait(pause):
            pause = _EVERY
            try:
                prune(store, keep)
                sweep(store)
            except (SQLAlchemyError, RequestFailed) as error:
                _log.warning("what is too old cannot be deleted now: %s", error)

    thread = threading.Thread(target=run, name="otel-humanloop-retention", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()

"""Python's search for circular garbage, in a process that is ours alone."""

from __future__ import annotations

import gc

_ALLOCATIONS = 50_000
"""New containers after which the youngest are searched; Python's own 700 are a few spans."""


def search_less() -> None:
    """Searches less often, and never what is there by now: the modules of a service that has started.

    Spans, logs and rows are let go by whoever holds them last, without any search. For the process of a service only:
    how an application's process collects its garbage is not ours to say.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, 20, 50)

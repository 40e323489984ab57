"""The machine, and what others did on it while something was measured."""

from __future__ import annotations

import os
import platform
import resource
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


class Watched:
    """What `watched` saw.

    Attributes:
        seconds: How long it took.
        others: What part of all the machine's CPU time went to processes that were not started here, from 0 to 1.
    """

    seconds: float = 0.0
    others: float = 0.0


@contextmanager
def watched() -> Generator[Watched, None, None]:
    """Fills in what it yields when the block ends. What is told is true on Linux; elsewhere `others` stays 0."""
    seen = Watched()
    began, all_before, busy_before, ours_before = time.perf_counter(), *_ticks(), _ours()
    yield seen
    all_after, busy_after = _ticks()
    seen.seconds = time.perf_counter() - began
    if all_after > all_before:
        ours = (_ours() - ours_before) * os.sysconf("SC_CLK_TCK")
        seen.others = max(0.0, (busy_after - busy_before - ours) / (all_after - all_before))


def machine() -> str:
    """What this is, as a sentence."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({next(models, platform.processor())}), {memory:.0f} GiB, {platform.system()} "
        f"{platform.release()}, {platform.python_implementation()} {platform.python_version()}"
    )


def _ticks() -> tuple[int, int]:
    """Ticks of all cores since the machine started, and those in which they were not idle."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    except OSError:
        return 0, 0
    ticks = list(map(int, fields))
    return sum(ticks), sum(ticks) - ticks[3] - ticks[4]  # all but idle and waiting for a disk


def _ours() -> float:
    """CPU seconds of this process and of those below it that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)

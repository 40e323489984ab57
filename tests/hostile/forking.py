"""A traced program whose work is done by child processes. Run by `test_forks.py`: `forking.py KIND`.

Every task makes one span, named after it. The provider is made before the fork, as servers with a pre-fork model do.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from otel_humanloop import HumanloopSpanProcessor

TASKS = 3


def provide() -> None:
    """The program's provider. Whoever spawns instead of forking has each child make one."""
    provider = TracerProvider()
    provider.add_span_processor(HumanloopSpanProcessor())
    trace.set_tracer_provider(provider)


def task(number: int) -> int:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": f"task-{number}"}
    trace.get_tracer("app").start_span("chat", attributes=attributes).end()
    return number


def of_their_own(number: int) -> None:
    provide()
    task(number)


def with_processes(method: str) -> None:
    target: Any = task if method == "fork" else of_their_own
    children = [multiprocessing.get_context(method).Process(target=target, args=(number,)) for number in range(TASKS)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0


def with_a_pool(pool: Any) -> None:
    assert pool.map(task, range(TASKS), chunksize=1) == list(range(TASKS))
    pool.close()
    pool.join()


def with_an_executor() -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as executor:
        assert list(executor.map(task, range(TASKS))) == list(range(TASKS))


def with_workers(fork: Any) -> None:
    """As gunicorn does: the parent only waits, each worker ends by itself."""
    children: list[int] = []
    for number in range(TASKS):
        child = fork()
        if child == 0:
            task(number)
            trace.get_tracer_provider().shutdown()  # type: ignore[attr-defined]
            os._exit(0)
        children.append(child)
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def generations(number: int = 0) -> None:
    """Each child forks the next, after it has traced itself."""
    if number == TASKS:
        return
    child = os.fork()
    if child == 0:
        task(number)
        generations(number + 1)
        sys.exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


if __name__ == "__main__":
    kind = sys.argv[1]
    if kind not in ("spawn", "forkserver"):
        provide()
        task(1000)  # the parent's own, before any fork
    if kind in ("fork", "spawn", "forkserver"):
        with_processes(kind)
    elif kind == "pool":
        with_a_pool(multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1))
    elif kind == "executor":
        with_an_executor()
    elif kind == "pre-fork":
        with_workers(os.fork)
    elif kind == "fork without hooks":
        with_workers(ctypes.PyDLL(None).fork)
    elif kind == "generations":
        generations()

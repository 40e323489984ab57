"""Rounds: several contestants, each a process of its own, one after the other, again and again.

What the machine does besides changes from minute to minute. So contestants take turns within each round, each round
gives one ratio, and what is told is the median of the ratios, with the least and the greatest.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, NamedTuple

from benchmarks.environments import PROJECT, environment


class Spread(NamedTuple):
    """A number that was measured several times."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))


class Contestant:
    """A process that does a round of work whenever it is told to, and says what that cost it.

    It reads one JSON object a line, and answers each with one.
    """

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.name = name
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def round(self, **asked: Any) -> dict[str, Any]:
        """One round; raises RuntimeError where the process has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with {self._process.wait()}")
        return json.loads(line)


_START = """
import runpy, sys
sys.path[0:1] = []  # what `-m` would put first is this project, and all would be measured with what is compiled in it
sys.path.append({project!r})
runpy.run_module({module!r}, run_name="__main__", alter_sys=True)
"""


@contextmanager
def contestant(name: str, environment_name: str, module: str, *arguments: str) -> Generator[Contestant, None, None]:
    """Starts the module of `benchmarks.contestants` in that environment, with that environment's copy of us."""
    program = _START.format(project=str(PROJECT), module=f"benchmarks.contestants.{module}")
    process = subprocess.Popen(
        [str(environment(environment_name).python), "-c", program, *arguments],
        cwd=PROJECT,
        env=clean_environ(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Contestant(name, process)
    finally:
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def clean_environ(**variables: str) -> dict[str, str]:
    """This process's variables without what would set up one of the contestants."""
    families = ("OTEL_", "HUMANLOOP_", "LANGSMITH_", "LANGFUSE_", "PHOENIX_", "MLFLOW_", "PYTHON", "VIRTUAL_ENV")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(families)}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONHASHSEED": "0", **variables}


def contest(
    entrants: Mapping[str, tuple[str, ...]], *, rounds: int, asked: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """What each contestant answered in each round.

    Args:
        entrants: Name -> environment, module and arguments.
        rounds: How many count. One before them does not: whatever is done once is done there.
        asked: Name -> what it is asked to do in each round.
    """
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in entrants}
    order = random.Random(1)
    with ExitStack() as stack:
        started = {name: stack.enter_context(contestant(name, *arguments)) for name, arguments in entrants.items()}
        for number in range(rounds + 1):
            turns = list(started)
            order.shuffle(turns)  # so that nobody always follows the same one
            for name in turns:
                answer = started[name].round(seed=number, **asked[name])
                if number:
                    answers[name].append(answer)
            sys.stderr.write(f"  round {number} of {rounds}\n")
    return answers


def per_span(answers: Sequence[Mapping[str, Any]], what: str = "cpu") -> list[float]:
    """Microseconds for each span, round by round."""
    return [answer[what] / answer["spans"] * 1e6 for answer in answers]


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Ours over theirs, round by round."""
    return Spread.of([mine / other for mine, other in zip(ours, theirs, strict=True)])

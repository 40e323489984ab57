"""The rules of the house, held."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import otel_humanloop

ROOT = Path(__file__).parent.parent
HOUSE = Path(otel_humanloop.__file__).parent  # beside the tests, or where it is installed
PACKAGE = sorted(HOUSE.rglob("*.py"))
COMPILED = sorted(HOUSE.rglob("*.pyx"))
EVERYTHING = sorted([*PACKAGE, *COMPILED, *(ROOT / "tests").rglob("*.py"), *(ROOT / "examples").rglob("*.py")])

MOST_LINES = 400

DUMPING_GROUNDS = {"utils", "util", "helpers", "helper", "common", "misc", "core", "base"}

BROAD_CATCHES = {
    # What we did not foresee must not end the application's own work, nor our thread's.
    "otel_humanloop/edge.py": 1,
    "otel_humanloop/processor.py": 1,  # each time a span ends: an `Edge` costs a fifth of all there is to do
    "otel_humanloop/pipeline.py": 1,
    # An error of ours must not be answered so that a sender drops what it sent.
    "otel_humanloop/bridge/door.py": 1,
    # An error is carried to whoever asked for the work.
    "otel_humanloop/server/outcome.py": 1,
}
"""The files that catch everything, and how often each."""

CATCHERS = {
    # The application's own calls.
    ("otel_humanloop/exporter.py", "Edge"),
    ("otel_humanloop/log_exporter.py", "Edge"),
    ("otel_humanloop/processor.py", "Edge"),
    # What fails to redact costs what it was to redact, never the log.
    ("otel_humanloop/logs/redact.py", "Edge"),
    ("otel_humanloop/logs/rules.py", "Edge"),
    # What we fail on is answered as it would be at the door, or one log would hold up all behind it.
    ("otel_humanloop/server/inside.py", "outcome"),
    # A write that fails is told to those who asked for it, and to nobody else.
    ("otel_humanloop/server/store/writer.py", "outcome"),
}
"""The files that have it caught for them, and by which of these."""

ATTRIBUTE_KEY = re.compile(r"(gen_ai|llm|traceloop|openinference|input|output|ai|embedding|retrieval)\.[a-z_.]+")

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def name(path: Path) -> str:
    return path.relative_to(HOUSE.parent if path.is_relative_to(HOUSE) else ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_there_is_a_house_to_look_at() -> None:
    assert len(PACKAGE) > 30


@pytest.mark.parametrize("path", EVERYTHING, ids=name)
def test_no_file_is_too_long_to_read(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES


def test_no_file_is_a_dumping_ground() -> None:
    parts = {part.removesuffix(".py") for path in EVERYTHING for part in Path(name(path)).parts}
    assert not parts & DUMPING_GROUNDS


def test_nothing_is_left_to_do() -> None:
    unfinished = re.compile("TO" + "DO|FIX" + "ME|XX" + "X")
    assert [name(path) for path in EVERYTHING if unfinished.search(path.read_text(encoding="utf-8"))] == []


def broad_catches(module: ast.Module) -> Iterator[int]:
    """The lines where everything is caught: by a handler, raised again or not, by `suppress`, or by an `__exit__`."""
    for node in ast.walk(module):
        caught: list[ast.expr | None] = []
        if isinstance(node, ast.ExceptHandler):
            caught = list(node.type.elts) if isinstance(node.type, ast.Tuple) else [node.type]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            caught = list(node.args)
        elif isinstance(node, ast.FunctionDef) and node.name in ("__exit__", "__aexit__"):
            caught = [] if node.returns is not None and ast.unparse(node.returns) == "None" else [None]
        if any(each is None or ast.unparse(each) in ("Exception", "BaseException") for each in caught):
            yield getattr(node, "lineno", 0)


def test_everything_is_caught_only_at_the_edges() -> None:
    found = Counter(name(path) for path in PACKAGE for _ in broad_catches(tree(path)))
    assert found == BROAD_CATCHES


def test_what_catches_everything_is_used_only_at_the_edges() -> None:
    used = {
        (name(path), alias.name)
        for path in PACKAGE
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.module in ("otel_humanloop.edge", "otel_humanloop.server.outcome")
        for alias in node.names
    }
    assert used == CATCHERS


@pytest.mark.parametrize(
    ("program", "often"),
    [
        ("try: f()\nexcept Exception: pass", 1),
        ("try: f()\nexcept BaseException as error: log(error)", 1),
        ("try: f()\nexcept: pass", 1),
        ("try: f()\nexcept (ValueError, Exception): pass", 1),
        ("with contextlib.suppress(Exception): f()", 1),
        ("try: f()\nexcept BaseException:\n  undo()\n  raise", 1),
        ("class C:\n  def __exit__(self, kind, error, at) -> bool: return True", 1),
        ("class C:\n  def __exit__(self, kind, error, at): ...", 1),
        ("class C:\n  def __exit__(self, kind, error, at) -> None: ...", 0),
        ("try: f()\nexcept (ValueError, TypeError): pass", 0),
        ("with suppress(OSError): f()", 0),
    ],
)
def test_a_broad_catch_is_told_from_others(program: str, often: int) -> None:
    assert len(list(broad_catches(ast.parse(program)))) == often


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_everything_public_says_what_it_is(path: Path) -> None:
    module = tree(path)
    assert ast.get_docstring(module) is not None or not module.body
    public = [node for node in module.body if isinstance(node, Definition) and not node.name.startswith("_")]
    assert [node.name for node in public if ast.get_docstring(node) is None] == []


def literals(module: ast.Module) -> Iterator[str]:
    """Every string of a module that is no docstring."""
    documentation = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


def test_attribute_keys_are_known_only_where_spans_are_read() -> None:
    outside = [path for path in PACKAGE if path.relative_to(HOUSE).parts[0] not in ("reading", "demo")]
    knowing = {name(path): text for path in outside for text in literals(tree(path)) if ATTRIBUTE_KEY.fullmatch(text)}
    assert knowing == {}

"""The compiled modules: which there are, and which are used."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from otel_humanloop import native

FOLDER = Path(native.__file__).parent
SOURCES = sorted(FOLDER.glob("*.pyx"))  # none where it is installed

in_a_checkout = pytest.mark.skipif(not SOURCES, reason="the sources are in a checkout alone")


def public(path: Path) -> set[str]:
    """The functions that a source or its stubs define."""
    return {name for name in re.findall(r"^def (\w+)", path.read_text(), re.MULTILINE) if not name.startswith("_")}


@in_a_checkout
def test_every_source_is_a_module_that_is_looked_for() -> None:
    assert {source.stem for source in SOURCES} == set(native.MODULES)


@in_a_checkout
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_the_stubs_of_a_module_are_of_its_functions(source: Path) -> None:
    assert public(source) == public(source.with_suffix(".pyi"))


@in_a_checkout
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_what_was_built_in_place_was_built_of_the_source_as_it_is(source: Path) -> None:
    built = native.module(source.stem)
    if built is None:
        pytest.skip("not built: make native")
    assert built.__file__ is not None
    shared = re.findall(r"native\.(\w+) cimport", source.read_text())
    changed = max(file.stat().st_mtime for file in (source, *(FOLDER / f"{name}.pxd" for name in shared)))
    assert Path(built.__file__).stat().st_mtime >= changed, "make native"


def used(**variables: str) -> str:
    """What another process uses, and whether its `size_of` stands for another."""
    program = """if 1:
        from otel_humanloop import native
        from otel_humanloop.delivery.size import size_of
        print(native.in_use(), hasattr(size_of, "__wrapped__"))
    """
    environ = {**os.environ, **variables}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environ)
    return done.stdout.strip()


def test_a_variable_keeps_to_pure_python() -> None:
    assert used(OTEL_HUMANLOOP_PURE_PYTHON="1") == "[] False"


def test_what_was_built_is_used() -> None:
    assert used(OTEL_HUMANLOOP_PURE_PYTHON="") in ("[] False", f"{list(native.MODULES)} True")

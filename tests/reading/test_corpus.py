"""Everything captured is understood, and sent, as it was when last reviewed."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from corpus import captures

from otel_humanloop.reading import conventions, read
from otel_humanloop.reading.convention import discover


@pytest.mark.parametrize("path", captures.files(), ids=captures.name_of)
def test_a_capture_is_understood_and_sent_as_its_golden_files_say(path: Path):
    """After a wanted change: see tests/corpus/README.md."""
    for golden, value in captures.goldens(path).items():
        assert captures.written(value) == golden.read_text(encoding="utf-8"), golden.name


def test_no_golden_file_is_left_without_its_capture():
    goldens = {path for kind in (captures.GOLDEN, captures.SENT) for path in captures.FOLDER.rglob(f"*{kind}")}
    assert goldens == {golden for path in captures.files() for golden in captures.goldens(path)}


def test_every_convention_has_a_captured_span_or_says_that_it_has_none():
    heard = set()
    for path in captures.files():
        for span in captures.spans(captures.name_of(path)):
            heard.update(source.convention for source in read(span).sources.values())
    silent = {convention.name for convention in discover(conventions)} - heard
    modules = {module.name: import_module(f"{conventions.__name__}.{module.name}") for module in walk(conventions)}
    assert silent == {name for name, module in modules.items() if "no capture of it here" in (module.__doc__ or "")}


def walk(package: ModuleType) -> Iterator[pkgutil.ModuleInfo]:
    yield from pkgutil.iter_modules(package.__path__)


def test_what_a_field_took_and_what_is_left_are_the_spans_attributes():
    for path in captures.files():
        for span in captures.spans(captures.name_of(path)):
            assert read(span).taken <= set(span.attributes), path

"""Everything captured is understood as it was when last reviewed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from corpus import captures

from otel_humanloop.reading import conventions, read
from otel_humanloop.reading.convention import discover


@pytest.mark.parametrize("path", captures.files(), ids=captures.name_of)
def test_a_capture_is_understood_as_its_golden_file_says(path: Path):
    """After a wanted change: see tests/corpus/README.md."""
    understood = json.loads(json.dumps(captures.understood(captures.name_of(path))))
    assert understood == json.loads(captures.golden(path).read_text(encoding="utf-8"))


def test_no_golden_file_is_left_without_its_capture():
    goldens = set(captures.FOLDER.rglob(f"*{captures.GOLDEN}"))
    assert goldens == {captures.golden(path) for path in captures.files()}


def test_every_convention_has_a_captured_span():
    heard = set()
    for path in captures.files():
        for span in captures.spans(captures.name_of(path)):
            heard.update(source.convention for source in read(span).sources.values())
    assert {convention.name for convention in discover(conventions)} - heard == set()


def test_what_a_field_took_and_what_is_left_are_the_spans_attributes():
    for path in captures.files():
        for span in captures.spans(captures.name_of(path)):
            assert read(span).taken <= set(span.attributes), path

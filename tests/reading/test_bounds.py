"""What is remembered of spans is bounded, whatever keys come."""

from __future__ import annotations

import tracemalloc

import msgspec
import pytest
from corpus import captures

from otel_humanloop.reading import conventions
from otel_humanloop.reading.catalogue import Catalogue
from otel_humanloop.reading.convention import discover

MEGABYTE = 2**20


@pytest.mark.slow
def test_spans_of_ever_new_shapes_do_not_fill_the_memory():
    span = captures.spans("traceloop-openai-0.62.4/chat")[0]
    catalogue = Catalogue(discover(conventions), narrow_after=0)
    tracemalloc.start()
    try:
        for number in range(1_500):  # some four times what is remembered
            catalogue.read(msgspec.structs.replace(span, attributes={**span.attributes, f"app.{number}": number}))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 25 * MEGABYTE

"""The twin that tells sizes."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_humanloop import native
from otel_humanloop.delivery.size import size_of
from otel_humanloop.spans import Event, Link, Span, Status

pytestmark = pytest.mark.skipif(native.module("size") is None, reason="not built: make native")


class Named(str):
    """A text of a type that is not exactly `str`."""


class Counted(int):
    """A number of a type that is not exactly `int`."""


texts = st.text(max_size=20) | st.text(max_size=9).map(Named)
scalars = st.none() | st.booleans() | st.integers() | st.integers().map(Counted) | st.floats() | texts | st.binary()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(texts, inner) | st.just(object()),
    max_leaves=12,
)
attributes = st.dictionaries(texts, values, max_size=5) | st.dictionaries(texts, values).map(MappingProxyType)
spans = st.builds(
    Span,
    trace_id=st.just("a" * 32),
    span_id=st.just("b" * 16),
    name=texts,
    attributes=attributes,
    status=st.builds(Status, message=st.none() | texts),
    events=st.lists(st.builds(Event, name=texts, attributes=attributes), max_size=2).map(tuple),
    links=st.lists(st.builds(Link, trace_id=texts, span_id=texts, attributes=attributes), max_size=2).map(tuple),
)


@given(spans)
def test_it_tells_what_python_tells(span: Span) -> None:
    python: Any = size_of.__wrapped__  # type: ignore[attr-defined]
    assert size_of(span) == python(span)

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from otel_humanloop.delivery.size import size_of
from otel_humanloop.spans import Event, Link, Span, Status

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
attributes = st.dictionaries(st.text(), values, max_size=4)


def span(**fields: Any) -> Span:
    return Span(trace_id="a" * 32, span_id="b" * 16, **fields)


def texts(value: Any) -> int:
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, dict):
        return sum(len(key) + texts(item) for key, item in value.items())
    return sum(texts(item) for item in value) if isinstance(value, list) else 0


@given(attributes)
def test_a_size_is_never_less_than_the_texts_are_long(attributes: dict[str, Any]) -> None:
    assert size_of(span(attributes=attributes)) > texts(attributes)
    assert size_of(span(events=(Event(name="e", attributes=attributes),))) > texts(attributes)
    assert size_of(span(links=(Link(trace_id="a", span_id="b", attributes=attributes),))) > texts(attributes)


def test_every_text_of_a_span_counts() -> None:
    small = size_of(span())
    long = "x" * 1000
    for larger in (
        span(name=long),
        span(status=Status(message=long)),
        span(attributes={long: 1}),
        span(attributes={"a": long}),
        span(attributes={"a": long.encode()}),
        span(attributes={"a": {"b": [long]}}),
        span(attributes={"a": [{long: 1}]}),
        span(events=(Event(name=long),)),
        span(events=(Event(name="e", attributes={"a": long}),)),
        span(links=(Link(trace_id="a", span_id="b", attributes={"a": long}),)),
    ):
        assert size_of(larger) >= small + 1000


def test_an_attribute_nested_deeper_than_the_stack_is_counted() -> None:
    value: Any = "x"
    for _ in range(100_000):
        value = [value]
    assert size_of(span(attributes={"deep": value})) > 100_000
    while isinstance(value, list):  # taken apart by hand, for so deep a list is freed by recursion
        value = value.pop()

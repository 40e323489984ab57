from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_humanloop.delivery.encoding import decode, encode
from otel_humanloop.errors import DecodeError
from otel_humanloop.spans import Event, Link, Resource, Scope, Span, SpanKind, Status, StatusCode

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
attributes = st.dictionaries(st.text(), anything, max_size=5)
ns = st.integers(0, 2**64 - 1)

spans = st.builds(
    Span,
    trace_id=st.text("0123456789abcdef", min_size=32, max_size=32),
    span_id=st.text("0123456789abcdef", min_size=16, max_size=16),
    parent_id=st.none() | st.just("00f067aa0ba902b7"),
    parent_is_remote=st.booleans(),
    name=st.text(),
    kind=st.sampled_from(SpanKind),
    start_ns=ns,
    end_ns=st.none() | ns,
    attributes=attributes,
    events=st.lists(st.builds(Event, name=st.text(), time_ns=ns, attributes=attributes), max_size=2).map(tuple),
    links=st.lists(
        st.builds(Link, trace_id=st.just("a" * 32), span_id=st.just("b" * 16), attributes=attributes), max_size=2
    ).map(tuple),
    status=st.builds(Status, code=st.sampled_from(StatusCode), message=st.none() | st.text()),
    resource=st.builds(Resource, attributes=attributes),
    scope=st.builds(Scope, name=st.text(), version=st.none() | st.text(), attributes=attributes),
    dropped_attributes=st.integers(0, 9),
)


def with_comparable_nans(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, msgspec.Struct):
        return type(value), with_comparable_nans(msgspec.structs.asdict(value))
    if isinstance(value, dict):
        return {key: with_comparable_nans(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_comparable_nans(item) for item in value]
    return type(value), value


@given(spans)
def test_a_span_comes_back_as_it_was_whatever_its_attributes_hold(span: Span) -> None:
    assert with_comparable_nans(decode(encode(span))) == with_comparable_nans(span)


def keep(value: Any) -> Any:
    return decode(encode(Span(trace_id="a" * 32, span_id="b" * 16, attributes={"other": "kept", "key": value})))


def test_what_no_span_should_hold_becomes_text_and_costs_nothing_else() -> None:
    class Own:
        def __repr__(self) -> str:
            return "Own(\ud800)"

    kept = keep(Own())
    assert kept.attributes == {"other": "kept", "key": "Own(\\ud800)"}


def test_a_list_nested_without_end_is_cut_and_costs_nothing_else() -> None:
    endless: list[Any] = []
    endless.append(endless)
    kept = keep(endless)
    assert kept.attributes["other"] == "kept"
    assert "nested too deeply" in repr(kept.attributes["key"])


def test_surrogates_in_names_and_keys_become_escapes() -> None:
    span = Span(trace_id="a" * 32, span_id="b" * 16, name="n\ud800", attributes={"k\udfff": "v\udfff"})
    kept = decode(encode(span))
    assert kept.name == "n\\ud800"
    assert kept.attributes == {"k\\udfff": "v\udfff"}


@given(st.binary())
def test_bytes_that_are_no_span_are_said_to_be_none(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(data)

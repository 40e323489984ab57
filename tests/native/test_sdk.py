"""The twin that takes spans off the SDK."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from corpus import captures
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.util import BoundedList
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, set_span_in_context
from readables import readable

from otel_humanloop import native
from otel_humanloop.spans import sdk
from otel_humanloop.spans.sdk import Shared, from_readable, plain, plain_map

pytestmark = pytest.mark.skipif(native.module("sdk") is None, reason="not built: make native")


class Named(str):
    """A text of a type that is not exactly `str`."""


class Masked(ReadableSpan):
    """A span of someone who has their own idea of what it says."""

    @property
    def attributes(self) -> Mapping[str, Any]:
        return {"masked": True}


class Ended(SpanProcessor):
    """Keeps what ended."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


def python(function: Any) -> Any:
    """What a twin was put in the place of."""
    return function.__wrapped__


texts = st.text(max_size=12)
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts | texts.map(Named) | st.binary()
)
nested = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(texts | st.integers(), inner, max_size=3)
        | st.dictionaries(texts, inner, max_size=3).map(MappingProxyType)
        | st.just(complex(1, 2))
        | st.just(range(3))
        | st.binary().map(bytearray)
    ),
    max_leaves=8,
)
mappings = st.dictionaries(texts.filter(bool), nested, max_size=4)
attributes = mappings | mappings.map(MappingProxyType) | mappings.map(lambda held: BoundedAttributes(2, held))
contexts = st.builds(SpanContext, st.integers(0, 2**130), st.integers(0, 2**66), st.booleans(), st.just(TraceFlags(1)))
events = st.lists(st.builds(Event, texts, attributes, st.integers(0, 2**64)), max_size=3)
links = st.lists(st.builds(Link, contexts, attributes), max_size=3)
bounded = [lambda held: BoundedList.from_seq(2, held), tuple, list]
by_hand = st.builds(
    ReadableSpan,
    name=texts,
    context=contexts,
    parent=st.none() | contexts,
    resource=st.builds(Resource, st.dictionaries(texts, texts, max_size=2)),
    attributes=attributes,
    events=st.builds(lambda held, kept: kept(held), events, st.sampled_from(bounded)),
    links=st.builds(lambda held, kept: kept(held), links, st.sampled_from(bounded)),
    kind=st.sampled_from(list(SpanKind)),
    status=st.one_of(
        st.builds(Status, st.sampled_from(list(StatusCode))), st.builds(Status, st.just(StatusCode.ERROR), texts)
    ),
    start_time=st.none() | st.integers(0, 2**64),
    end_time=st.none() | st.integers(0, 2**64),
    instrumentation_scope=st.none() | st.builds(InstrumentationScope, texts, texts, texts),
)


@given(by_hand)
def test_a_span_is_what_python_takes_it_for(span: ReadableSpan) -> None:
    assert from_readable(span, Shared()) == python(from_readable)(span, Shared())
    assert from_readable(span) == python(from_readable)(span)


@given(st.dictionaries(texts, nested, max_size=6), st.lists(texts, max_size=4), st.booleans())
def test_a_span_of_a_program_is_too_while_it_is_open_and_ended(
    said: dict[str, Any], happened: list[str], failed: bool
) -> None:
    ended = Ended()
    limits = SpanLimits(max_span_attributes=4, max_events=2, max_links=1)
    provider = TracerProvider(shutdown_on_exit=False, span_limits=limits)
    provider.add_span_processor(ended)
    tracer = provider.get_tracer("app", "1", attributes={"of": "a scope"})
    parent = tracer.start_span("parent", kind=SpanKind.SERVER)
    link = Link(parent.get_span_context(), {"a": 1})
    child = tracer.start_span("child", set_span_in_context(parent), links=[link, link])
    child.set_attributes({key: value for key, value in said.items() if key})
    for name in happened:
        child.add_event(name, {"at": [1, 2]})
    if failed:
        child.set_status(Status(StatusCode.ERROR, "broken"))
    assert isinstance(child, ReadableSpan)
    assert from_readable(child, Shared()) == python(from_readable)(child, Shared())
    child.end()
    parent.end()
    assert len(ended.spans) == 2
    for span in ended.spans:
        assert from_readable(span, Shared()) == python(from_readable)(span, Shared())


def test_captured_spans_are() -> None:
    shared, twins = Shared(), Shared()
    for span in [readable(span) for path in captures.files() for span in captures.spans(captures.name_of(path))]:
        assert from_readable(span, shared) == python(from_readable)(span, twins)


def test_who_says_otherwise_of_a_span_is_listened_to() -> None:
    span = Masked("a", SpanContext(1, 2, False), attributes={"secret": "s"})
    assert from_readable(span, Shared()).attributes == {"masked": True}


def test_a_span_without_a_context_is_refused() -> None:
    for take in (from_readable, python(from_readable)):
        with pytest.raises(ValueError, match="without a context"):
            take(ReadableSpan("a"), Shared())


@given(nested)
def test_a_value_is_as_plain(value: Any) -> None:
    assert repr(plain(value)) == repr(python(plain)(value))


@given(st.none() | attributes)
def test_attributes_are_as_plain_and_a_copy(held: Any) -> None:
    copied = plain_map(held)
    assert repr(copied) == repr(python(plain_map)(held))
    assert copied is not held


def test_what_is_nested_too_deep_to_copy_ends_no_process() -> None:
    value: Any = "x"
    for _ in range(200_000):
        value = [value]
    for copy in (plain, python(sdk.plain)):
        with pytest.raises(RecursionError):
            copy(value)
    while isinstance(value, list):  # taken apart by hand, for so deep a list is freed by recursion
        value = value.pop()

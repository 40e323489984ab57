"""Whatever a span holds, it is read: no mutation of the captures makes `read` raise or break its promises."""

from __future__ import annotations

import math
import sys
from functools import cache
from typing import Any

import msgspec
from corpus import captures
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_humanloop.operation import Kind, Operation, told
from otel_humanloop.reading import conventions, is_infrastructure, read
from otel_humanloop.reading.catalogue import Catalogue
from otel_humanloop.reading.convention import Fields, Reader, discover
from otel_humanloop.spans import Event, Scope, Span, Status, StatusCode

CONVENTIONS = discover(conventions)
READERS = [
    reader
    for convention in CONVENTIONS
    for reader in (getattr(convention.fields, field) for field in Fields.__struct_fields__)
    if reader is not None
]
EVENTS = sorted({"exception", *(name for reader in READERS for name in reader.events)})
SCOPES = sorted({f"{scope}x" if scope.endswith(".") else scope for each in CONVENTIONS for scope in each.scopes})


@cache
def captured() -> list[Span]:
    return [span for path in captures.files() for span in captures.spans(captures.name_of(path))]


@cache
def known_keys() -> list[str]:
    """Those of the captures, and those conventions look for that no capture holds."""
    wanted = {f"{key}0.x" if key.endswith(".") else key for reader in READERS for key in reader.keys}
    return sorted({key for span in captured() for key in span.attributes} | wanted)


@cache
def known_values() -> list[Any]:
    """One value of each key and type, short of the megabytes the same text would make in many examples."""
    values = {(key, type(value)): value for span in captured() for key, value in span.attributes.items()}
    return [value for value in values.values() if not isinstance(value, str) or len(value) < 5000]


def nested(depth: int) -> Any:
    value: Any = {"type": "text"}
    for level in range(depth):
        value = [value] if level % 2 else {"content": value}
    return value


EVENT_KEYS = [
    *("exception.type", "exception.message", "gen_ai.prompt", "gen_ai.completion", "gen_ai.input.messages"),
    *("body", "content", "message", "tool_calls", "id", "finish_reason", "gen_ai.event.content"),
]

ODD_VALUES: list[Any] = [
    None,
    "",
    b"\xff\x00",
    True,
    -1,
    10**400,
    math.nan,
    -math.inf,
    "\ud83d cut",
    '"\\ud83d"',
    "NaN",
    "null",
    "1" * 5000,
    "[" * 100_000,
    "[" * 300 + "]" * 300,
    '{"a":' * 90 + "1" + "}" * 90,
    '[{"role": 5, "parts": {"type": []}, "tool_calls": [[]], "name": {}}]',
    '[{"role": "tool", "content": [{"type": "tool_result", "content": [[[]]]}]}]',
    '[{"type": "image", "image_url": {"url": {"url": {"url": []}}}}, {"type": "reasoning", "summary": [[]]}]',
    '{"choices": [null, 1, {"message": []}], "output": {"a": 1}, "id": []}',
    '{"args": {}, "kwargs": []}',
    [None, 1, "a", b"b", math.nan, ["c"]],
    [],
    {},
    {"role": "user"},
    nested(20),
    nested(300),
]
ODD_KEYS = [
    "gen_ai.prompt.999999999.role",
    "gen_ai.prompt.0",
    "gen_ai.prompt..role",
    "gen_ai.prompt.0.tool_calls.99999999999999999999.arguments",
    "gen_ai.prompt.²." + "role",
    "gen_ai.completion.0.tool_calls",
    "llm.input_messages.0",
    "llm.input_messages.0.message",
    "llm.input_messages.0.message.contents.0.message_content",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function",
    "llm.tools.0.tool",
    "llm.token_count.prompt",
    "llm.cost.total",
    "retrieval.documents.0.document.metadata",
    "retrieval.documents.5.document",
    "embedding.embeddings.0.embedding.vector",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.retrieval.documents",
    "gen_ai.system_instructions",
    "humanloop.inputs",
    "humanloop.metadata",
    "humanloop.chat_template",
    "humanloop.output",
    "humanloop.kind",
    "traceloop.prompt.template_variables.(",
    "traceloop.association.properties.session_id",
    "metadata",
    "tag.tags",
    ".",
    "",
]


@st.composite
def cut(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from([value for value in known_values() if isinstance(value, str) and value]))
    return text[: draw(st.integers(0, len(text)))]


def attributes() -> st.SearchStrategy[dict[str, Any]]:
    keys = st.sampled_from(known_keys()) | st.sampled_from(ODD_KEYS)
    values = st.sampled_from(known_values()) | st.sampled_from(ODD_VALUES) | cut() | st.text(max_size=20) | st.floats()
    return st.dictionaries(keys, values, max_size=25)


@st.composite
def mutated(draw: st.DrawFn) -> Span:
    """A captured span with other attributes laid over some of its own, and with others' scopes, events and status."""
    span = draw(st.sampled_from(captured()))
    gone = draw(st.sets(st.sampled_from(sorted(span.attributes)), max_size=5)) if span.attributes else set[str]()
    kept = {key: value for key, value in span.attributes.items() if key not in gone}
    event = st.builds(
        Event,
        name=st.sampled_from(EVENTS),
        time_ns=st.integers(0, 2**63),
        attributes=st.dictionaries(
            st.sampled_from(EVENT_KEYS),
            st.sampled_from(ODD_VALUES) | st.sampled_from(known_values()),
        ),
    )
    scope = st.builds(Scope, name=st.sampled_from(sorted({*SCOPES, *(each.scope.name for each in captured())})))
    status = st.builds(Status, code=st.sampled_from(StatusCode), message=st.none() | st.text())
    return msgspec.structs.replace(
        span,
        attributes={**kept, **draw(attributes())},
        events=(*span.events, *draw(st.lists(event, max_size=2))),
        scope=draw(st.just(span.scope) | scope),
        status=draw(st.just(span.status) | status),
    )


@given(mutated())
@settings(max_examples=100, deadline=None)
def test_any_span_is_read_and_every_field_is_what_it_promises_to_be(span: Span):
    reading = read(span)
    assert (reading.operation.kind is Kind.STEP) is (reading.conventions == ())
    assert reading.taken <= set(span.attributes)
    assert list(reading.left) == [key for key in span.attributes if key not in reading.taken]
    assert reading.told == told(reading.sources)
    assert {source.partition(".")[0] for source in reading.sources} <= set(Operation.__struct_fields__)
    for field in Operation.__struct_fields__:
        said = getattr(reading.operation, field) is not None and reading.operation.kind is not Kind.STEP
        assert not said or field in reading.sources
    if span.status.code is StatusCode.ERROR:
        assert reading.operation.error
    assert not (is_infrastructure(span) and reading.conventions)
    msgspec.convert(msgspec.to_builtins(reading.operation), Operation)


@given(mutated())
@settings(max_examples=50, deadline=None)
def test_reading_is_a_function_of_the_span(span: Span):
    assert repr(read(span)) == repr(read(span))


def undeclared(reader: Reader[Any] | None) -> Reader[Any] | None:
    """The same reader, asked about every span."""
    return None if reader is None else Reader(reader.look)


ASKING_EVERYONE = Catalogue(
    msgspec.structs.replace(
        convention,
        fields=Fields(**{field: undeclared(getattr(convention.fields, field)) for field in Fields.__struct_fields__}),
        presumed_kind=undeclared(convention.presumed_kind),
    )
    for convention in CONVENTIONS
)


@given(mutated())
@settings(max_examples=100, deadline=None)
def test_who_is_not_asked_would_have_said_nothing(span: Span):
    """A reader names all the keys and events it looks for."""
    assert repr(read(span)) == repr(ASKING_EVERYONE.read(span))


def test_nor_on_any_capture():
    for span in captured():
        assert repr(read(span)) == repr(ASKING_EVERYONE.read(span))


ASKING_AT_LARGE = Catalogue(CONVENTIONS, narrow_after=sys.maxsize)
NARROWING = Catalogue(CONVENTIONS, narrow_after=0)


@given(mutated(), st.data())
@settings(max_examples=100, deadline=None)
def test_readers_that_are_narrowed_to_a_shape_say_of_any_span_of_it_what_they_say_at_large(
    span: Span, data: st.DataObject
):
    """Whatever its values are: which of them decide what, a plan may not have learnt from those before."""
    for _ in range(3):
        assert repr(NARROWING.read(span)) == repr(ASKING_AT_LARGE.read(span))
        odd = st.sampled_from(ODD_VALUES) | st.sampled_from(known_values()) | cut()
        changed = data.draw(st.dictionaries(st.sampled_from(sorted(span.attributes) or [""]), odd, max_size=5))
        attributes = {key: changed.get(key, value) for key, value in span.attributes.items()}
        span = msgspec.structs.replace(span, attributes=attributes)


def test_so_they_do_of_any_capture_as_often_as_it_is_read():
    every = Catalogue(CONVENTIONS)
    for span in captured()[::3]:
        at_large = repr(ASKING_AT_LARGE.read(span))
        assert [repr(NARROWING.read(span)) for _ in range(2)] == [at_large] * 2
        assert [repr(every.read(span)) for _ in range(10)] == [at_large] * 10

"""The twin that reads OTLP in protobuf, held to protobuf's own decoder: by what was captured, and what nobody wrote."""

from __future__ import annotations

import base64
import json
import random
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import google.protobuf as protobuf
import pytest
from corpus import captures
from google.protobuf.json_format import ParseDict
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from otel_humanloop import native
from otel_humanloop.errors import DecodeError
from otel_humanloop.spans import otlp_protobuf as python

compiled = native.module("protobuf")

pytestmark = [
    pytest.mark.skipif(compiled is None, reason="not built: make native"),
    # Protobuf 5 takes numbers that are written longer than they need be, and fields of the number 0.
    pytest.mark.skipif(int(protobuf.__version__.split(".")[0]) < 7, reason="it is held to protobuf 7"),
]

TRACE_ID = bytes.fromhex("0af7651916cd43dd8448eb211c80319c")
SPAN_ID = bytes.fromhex("b7ad6b7169203331")

VARINT, FIXED64, SIZED, GROUP, END_GROUP, FIXED32 = range(6)


def outcome(read: Callable[[bytes], Iterable[Any]], body: bytes) -> list[str]:
    """What is made of a request, as text, for NaN is not NaN; what it was refused with, where it was."""
    try:
        return [f"{type(item).__name__} {item}" for item in read(body)]
    except DecodeError as error:
        return ["refused", str(error)]


def agree(body: bytes) -> list[str]:
    """What both make of it; first, that they make the same."""
    assert compiled is not None
    assert outcome(compiled.records_of, body) == outcome(python.records_of, body)
    spans = outcome(compiled.spans_of, body)
    assert spans == outcome(python.spans_of, body)
    return spans


def varint(number: int, longer: int = 0) -> bytes:
    """A number; `longer` by bytes that say nothing."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    for _ in range(longer):
        written[-1] |= 0x80
        written.append(0)
    return bytes(written)


def tag(number: int, wire: int) -> bytes:
    return varint(number << 3 | wire)


def sized(number: int, content: bytes) -> bytes:
    """A field that holds a text, bytes or a message."""
    return tag(number, SIZED) + varint(len(content)) + content


def group(number: int, content: bytes) -> bytes:
    return tag(number, GROUP) + content + tag(number, END_GROUP)


def request(item: bytes) -> bytes:
    """A request of one span, or of one log record: the numbers of their fields around them are the same."""
    return sized(1, sized(2, sized(2, item)))


def span(*fields: bytes) -> bytes:
    return request(sized(1, TRACE_ID) + sized(2, SPAN_ID) + b"".join(fields))


def attribute(value: bytes) -> bytes:
    return sized(9, sized(1, b"key") + sized(2, value))


numbers = st.integers(1, 16) | st.sampled_from([0, 17, 2**28, 2**29 - 1])
texts = st.sampled_from([b"", b"\0", "Zoë".encode(), b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80"])
contents = st.sampled_from([TRACE_ID, SPAN_ID, bytes(16), bytes(8), b"key"]) | texts | st.binary(max_size=20)
integers = st.builds(varint, st.integers(0, 3) | st.integers(0, 2**64 - 1) | st.integers(0, 2**71), st.integers(0, 4))
fields = st.one_of(
    st.builds(sized, numbers, contents),
    st.builds(lambda number, written: tag(number, VARINT) + written, numbers, integers),
    st.builds(lambda number, written: tag(number, FIXED64) + written, numbers, st.binary(min_size=8, max_size=8)),
    st.builds(lambda number, written: tag(number, FIXED32) + written, numbers, st.binary(min_size=4, max_size=4)),
    st.builds(lambda number, wire: tag(number, wire), numbers, st.integers(0, 7)),
    st.builds(lambda number, longer: varint(number << 3 | SIZED, longer) + b"\0", numbers, st.integers(0, 4)),
)
messages = st.recursive(
    st.lists(fields, max_size=2).map(b"".join),
    lambda inner: st.lists(
        fields | st.builds(sized, st.integers(1, 16), inner) | st.builds(group, numbers, inner), max_size=4
    ).map(b"".join),
    max_leaves=10,
)


@given(messages)
@example(sized(15, sized(2, b"first")) + sized(15, tag(3, VARINT) + b"\2"))  # a status that comes twice is one
@example(attribute(sized(5, sized(1, sized(1, b"a"))) + sized(5, sized(1, sized(1, b"b")))))  # so is a list
@example(attribute(sized(5, sized(1, b"")) + sized(1, b"a") + sized(5, b"")))  # but not beyond another value
@example(sized(13, sized(1, b"short")) + sized(13, sized(2, b"short")))
@example(tag(6, VARINT) + varint(2**32 + 3) + tag(10, VARINT) + varint(2**33 + 1))
def test_a_span_of_any_fields_is_what_python_takes_it_for(fields: bytes) -> None:
    agree(span(fields))


@given(messages)
@example(sized(2, sized(2, b"") + sized(1, sized(1, b"late"))) + sized(1, sized(1, sized(1, b"later"))))
def test_a_request_of_any_fields_is_too(fields: bytes) -> None:
    agree(fields)
    agree(sized(1, fields))
    agree(sized(1, sized(2, fields)))


@pytest.mark.parametrize(
    "within", [lambda inner: sized(5, sized(1, inner)), lambda inner: sized(6, sized(1, sized(2, inner)))]
)
def test_values_are_read_as_deep_as_protobuf_reads_them_and_no_deeper(within: Callable[[bytes], bytes]) -> None:
    read = set()
    value = b""
    for _ in range(60):
        value = within(value)
        read.add(agree(span(attribute(value)))[0])
    assert "refused" in read
    assert len(read) > 20
    for _ in range(20_000):
        value = within(value)
    assert agree(span(attribute(value)))[0] == "refused"


def test_groups_are_passed_over_as_deep_as_protobuf_does() -> None:
    field = b""
    read = []
    for _ in range(110):
        field = group(30, field)
        read.append(agree(span(field))[0] == "refused")
    assert read == sorted(read)
    assert set(read) == {False, True}
    assert agree(span(tag(30, GROUP) * 100_000)) == agree(span(tag(30, END_GROUP)))


@pytest.mark.parametrize("wire", range(8))
def test_a_field_of_no_number_is_refused_where_protobuf_refuses_it(wire: int) -> None:
    for field in (tag(0, wire) + b"\1" * 8, tag(0, wire) + b"\1" * 4, tag(0, wire) + tag(0, END_GROUP)):
        assert agree(span(field))[0] == "refused"
        agree(span(group(30, field)))


@pytest.mark.parametrize("longer", range(12))
def test_numbers_may_be_as_long_as_protobuf_has_them(longer: int) -> None:
    agree(span(tag(10, VARINT) + varint(3, longer)))
    agree(span(tag(30, VARINT) + b"\xff" * longer + b"\x7f"))
    agree(span(varint(5 << 3 | SIZED, longer) + b"\1a"))
    agree(span(tag(5, SIZED) + varint(1, longer) + b"a"))


@pytest.mark.parametrize("size", [2**31 - 1, 2**31, 2**32 - 1, 2**32 + 1, 2**63, 2**64 - 1])
def test_what_says_that_it_is_longer_than_the_request_is_refused(size: int) -> None:
    assert agree(span(tag(5, SIZED) + varint(size) + b"a"))[0] == "refused"
    assert agree(span(tag(30, SIZED) + varint(size) + b"a"))[0] == "refused"


@cache
def captured() -> list[bytes]:
    """What was captured, as requests in protobuf; of spans, and of log records."""
    return [
        ParseDict(base64s(json.loads(path.read_text())), kind()).SerializeToString()
        for files, kind in ((captures.files(), ExportTraceServiceRequest), (logs(), ExportLogsServiceRequest))
        for path in files
    ]


def logs() -> Iterator[Any]:
    return captures.FOLDER.rglob(f"*{captures.LOGS}")


def base64s(value: Any) -> Any:
    """OTLP/JSON as protobuf's own reader wants it."""
    if isinstance(value, list):
        return [base64s(item) for item in value]
    if isinstance(value, dict):
        ids = ("traceId", "spanId", "parentSpanId")
        return {
            key: base64.b64encode(bytes.fromhex(item)).decode() if key in ids else base64s(item)
            for key, item in value.items()
        }
    return value


def test_captured_requests_are_read_alike() -> None:
    assert len(captured()) > 100
    for body in captured():
        assert agree(body) != ["refused"]


@given(st.randoms(use_true_random=False))
def test_captured_requests_that_came_to_harm_are_too(chance: random.Random) -> None:
    body = bytearray(min(chance.choices(captured(), k=3), key=len))
    for _ in range(chance.choice((1, 1, 2, 5))):
        place = chance.randrange(len(body))
        harm = chance.random()
        if harm < 0.5:
            body[place] = chance.randrange(256)
        elif harm < 0.75:
            del body[place : place + chance.randrange(1, 9)]
        else:
            body[place:place] = chance.randbytes(chance.randrange(1, 9))
        if not body:
            return
    agree(bytes(body))


def test_every_kind_of_value_is_read() -> None:
    request = ExportTraceServiceRequest()
    one = request.resource_spans.add().scope_spans.add().spans.add(trace_id=TRACE_ID, span_id=SPAN_ID)
    kinds: list[dict[str, Any]] = [
        {"string_value": "a"},
        {"bool_value": False},
        {"int_value": -(2**63)},
        {"double_value": 0.5},
        {"bytes_value": b"\xff"},
        {},
    ]
    for place, held in enumerate(kinds):
        one.attributes.add(key=f"{place}", value=AnyValue(**held))
        one.attributes.add(key="list").value.array_value.values.add(**held)
        one.attributes.add(key="map").value.kvlist_value.values.add(key="k").value.CopyFrom(AnyValue(**held))
    assert compiled is not None
    [span] = compiled.spans_of(request.SerializeToString())
    assert [span.attributes[f"{place}"] for place in range(6)] == ["a", False, -(2**63), 0.5, b"\xff", None]
    agree(request.SerializeToString())


@pytest.fixture
def quick_to_switch() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("quick_to_switch")
def test_other_threads_have_their_turns_while_a_large_request_is_read() -> None:
    assert compiled is not None
    turns, done = [0], threading.Event()

    def wait_for_turns() -> None:
        while not done.is_set():
            turns[0] += 1
            time.sleep(0)  # gives up its turn, and is to be given another

    waiting = threading.Thread(target=wait_for_turns)
    body = span(sized(11, b"") * 300_000)
    waiting.start()
    try:
        before = turns[0]
        items = compiled.spans_of(body)
        had = turns[0] - before
    finally:
        done.set()
        waiting.join()
    assert len(next(items).events) == 300_000
    assert had > 10

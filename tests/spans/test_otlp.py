"""OTLP/JSON, as OTLP has it and as it is met with elsewhere."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_humanloop.errors import DecodeError
from otel_humanloop.spans import Link, Span, SpanKind, Status, StatusCode
from otel_humanloop.spans.otlp import JSON, decode

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID = "b7ad6b7169203331"
PARENT_ID = "00f067aa0ba902b7"


def body(**fields: Any) -> bytes:
    """A request of one span, its ids given unless said otherwise."""
    span = {"traceId": TRACE_ID, "spanId": SPAN_ID, **fields}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


def one(**fields: Any) -> Span:
    [span] = decode(body(**fields), JSON)
    return span


def value(any_value: Any) -> Any:
    """What an attribute of this AnyValue becomes."""
    return one(attributes=[{"key": "a", "value": any_value}]).attributes["a"]


def base64_of(hexadecimal: str) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()


def test_a_span_as_otlp_writes_it():
    span = {
        "traceId": TRACE_ID,
        "spanId": SPAN_ID,
        "parentSpanId": PARENT_ID,
        "flags": 0x301,
        "name": "chat gpt-4o",
        "kind": 3,
        "startTimeUnixNano": "1795414258000000001",
        "endTimeUnixNano": "1795414259000000002",
        "attributes": [{"key": "n", "value": {"intValue": "9007199254740993"}}],
        "droppedAttributesCount": 2,
        "events": [{"name": "exception", "timeUnixNano": "5", "attributes": [], "droppedAttributesCount": 3}],
        "droppedEventsCount": 4,
        "links": [{"traceId": TRACE_ID, "spanId": PARENT_ID, "droppedAttributesCount": 5}],
        "droppedLinksCount": 6,
        "status": {"code": 2, "message": "broken"},
    }
    request = {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "app"}}]},
                "scopeSpans": [
                    {
                        "scope": {"name": "my.app", "version": "1.2"},
                        "schemaUrl": "https://opentelemetry.io/schemas/1.37.0",
                        "spans": [span],
                    }
                ],
            }
        ]
    }
    [read] = decode(json.dumps(request).encode(), "application/json; charset=utf-8")
    assert (read.trace_id, read.span_id, read.parent_id, read.parent_is_remote) == (TRACE_ID, SPAN_ID, PARENT_ID, True)
    assert (read.name, read.kind) == ("chat gpt-4o", SpanKind.CLIENT)
    assert (read.start_ns, read.end_ns) == (1795414258000000001, 1795414259000000002)
    assert read.attributes == {"n": 9007199254740993}
    assert read.status == Status(code=StatusCode.ERROR, message="broken")
    assert (read.events[0].name, read.events[0].time_ns, read.events[0].dropped_attributes) == ("exception", 5, 3)
    assert read.links == (Link(trace_id=TRACE_ID, span_id=PARENT_ID, dropped_attributes=5),)
    assert (read.dropped_attributes, read.dropped_events, read.dropped_links) == (2, 4, 6)
    assert read.resource.attributes == {"service.name": "app"}
    assert (read.scope.name, read.scope.version) == ("my.app", "1.2")
    assert read.scope.schema_url == "https://opentelemetry.io/schemas/1.37.0"


def test_protobufs_own_json_is_the_same_span():
    """Ids in base64 and enums by name, as `MessageToJson` writes them."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id = bytes.fromhex(TRACE_ID), bytes.fromhex(SPAN_ID)
    span.parent_span_id = bytes.fromhex(PARENT_ID)
    span.kind, span.status.code = 2, 1
    span.start_time_unix_nano = 7
    span.attributes.add(key="list").value.array_value.values.add().bytes_value = b"\x00\xff"
    [read] = decode(json.dumps(MessageToDict(request)).encode(), JSON)
    assert (read.trace_id, read.span_id, read.parent_id) == (TRACE_ID, SPAN_ID, PARENT_ID)
    assert (read.kind, read.status.code, read.start_ns) == (SpanKind.SERVER, StatusCode.OK, 7)
    assert read.attributes == {"list": [b"\x00\xff"]}


@pytest.mark.parametrize("parent", ["", "0000000000000000", None, base64_of("0" * 16)])
def test_no_parent_is_none_however_it_is_written(parent: str | None):
    assert one(parentSpanId=parent).parent_id is None


def test_ids_are_lower_case():
    assert one(traceId=TRACE_ID.upper()).trace_id == TRACE_ID


@pytest.mark.parametrize(
    ("flags", "remote"), [(0x000, False), (0x100, False), (0x200, False), (0x300, True), (0x301, True)]
)
def test_a_parent_is_remote_where_the_flags_say_they_know(flags: int, remote: bool):
    assert one(parentSpanId=PARENT_ID, flags=flags).parent_is_remote is remote


@pytest.mark.parametrize("time", [1795414258000000001, "1795414258000000001"])
def test_times_are_numbers_or_text(time: int | str):
    assert one(startTimeUnixNano=time, endTimeUnixNano=time).end_ns == 1795414258000000001


@pytest.mark.parametrize("time", [None, 0, "0"])
def test_a_span_without_an_end_is_open(time: int | str | None):
    assert one(endTimeUnixNano=time).end_ns is None


@pytest.mark.parametrize(("written", "kind"), [(1, 1), ("SPAN_KIND_CLIENT", 3), ("CLIENT", 3), (None, 0), (77, 0)])
def test_enums_are_numbers_or_names(written: int | str | None, kind: int):
    assert one(kind=written).kind == kind


@pytest.mark.parametrize(
    ("any_value", "plain"),
    [
        ({"stringValue": ""}, ""),
        ({"boolValue": False}, False),
        ({"intValue": "-1"}, -1),
        ({"intValue": 0}, 0),
        ({"doubleValue": 0.5}, 0.5),
        ({"doubleValue": "-Infinity"}, -math.inf),
        ({"bytesValue": "AAE="}, b"\x00\x01"),
        ({"arrayValue": {"values": [{"intValue": 1}, {}]}}, [1, None]),
        ({"arrayValue": {}}, []),
        ({"kvlistValue": {"values": [{"key": "k", "value": {"stringValue": "v"}}]}}, {"k": "v"}),
        ({}, None),
        (None, None),
    ],
)
def test_values_are_plain(any_value: Any, plain: Any):
    assert value(any_value) == plain
    assert type(value(any_value)) is type(plain)


def test_not_a_number_is_a_number():
    assert math.isnan(value({"doubleValue": "NaN"}))


def test_what_is_not_known_yet_is_passed_over():
    assert one(traceState="a=b", fieldOfTomorrow={"deep": [1]}).span_id == SPAN_ID
    assert decode(b"{}", JSON) == []
    assert decode(b'{"resourceSpans": null}', JSON) == []


def test_half_a_surrogate_pair_spoils_neither_the_span_nor_its_siblings():
    cut = body(attributes=[{"key": "a", "value": {"stringValue": "MARK"}}]).replace(b"MARK", b"cut \\ud83d")
    [span] = decode(cut, JSON)
    assert span.attributes["a"] == "cut ?"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"traceId": "xyz"}, "traceId"),
        ({"traceId": "g" * 32}, "traceId"),
        ({"traceId": None}, "traceId"),
        ({"traceId": "0" * 32}, "traceId"),
        ({"spanId": TRACE_ID}, "spanId"),
        ({"spanId": ""}, "spanId"),
        ({"parentSpanId": "abc"}, "parentSpanId"),
        ({"kind": "SPAN_KIND_NONE"}, "kind"),
        ({"status": {"code": "BAD"}}, "status.code"),
        ({"startTimeUnixNano": "soon"}, "startTimeUnixNano"),
        ({"endTimeUnixNano": "9" * 5000}, "endTimeUnixNano"),
        ({"name": 5}, "name"),
        ({"attributes": [{"key": "a", "value": {"intValue": "1.5"}}]}, "span attribute `a`"),
        ({"attributes": [{"key": "a", "value": {"doubleValue": "much"}}]}, "span attribute `a`"),
        ({"attributes": [{"key": "a", "value": {"bytesValue": "?"}}]}, "span attribute `a`"),
        ({"events": [{"attributes": [{"key": "b", "value": {"intValue": "x"}}]}]}, "event attribute `b`"),
    ],
)
def test_a_field_that_cannot_be_is_named(fields: dict[str, Any], named: str):
    with pytest.raises(DecodeError, match=named.replace(".", r"\.")):
        decode(body(**fields), JSON)


@pytest.mark.parametrize("wrong", [b"", b"not JSON", b"[]", b"\xff\xfe", b'{"resourceSpans": [', b'{"a": "\\ud83d'])
def test_bytes_that_are_no_request_are_refused(wrong: bytes):
    with pytest.raises(DecodeError):
        decode(wrong, JSON)


@pytest.mark.parametrize("depth", [150, 100_000])
def test_values_nested_without_bound_are_refused(depth: int):
    nested = b'{"arrayValue":{"values":[' * depth + b'{"intValue":1}' + b"]}}" * depth
    whole = body(attributes=[{"key": "a", "value": "MARK"}]).replace(b'"MARK"', nested)
    with pytest.raises(DecodeError, match="nested"):
        decode(whole, JSON)


def test_a_media_type_not_read_is_an_error_that_says_what_is():
    with pytest.raises(DecodeError, match="text/csv") as error:
        decode(b"", "text/csv")
    assert "application/json" in str(error.value)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["traceId", "parentSpanId", "flags", "name", "kind", "startTimeUnixNano", "attributes", "events", "status"]
        ),
        JSON_VALUES,
    )
)
def test_any_json_is_spans_or_a_decode_error(fields: dict[str, Any]):
    try:
        spans = decode(body(**fields), JSON)
    except DecodeError:
        return
    assert len(spans) == 1

"""A span is the same `Span` whether it comes from the SDK, as OTLP in protobuf or as OTLP in JSON."""

from __future__ import annotations

import base64
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from corpus import captures
from google.protobuf.json_format import MessageToDict, ParseDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from otel_humanloop.errors import DecodeError
from otel_humanloop.spans import LogRecord
from otel_humanloop.spans.otlp import JSON, PROTOBUF, decode, sift, sift_logs
from otel_humanloop.spans.sdk import from_readable

TRACE_ID = bytes.fromhex("0af7651916cd43dd8448eb211c80319c")
SPAN_ID = bytes.fromhex("b7ad6b7169203331")

IDS = ("traceId", "spanId", "parentSpanId")

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
int64 = st.integers(-(2**63), 2**63 - 1)
double = st.floats(allow_nan=False)
scalar = st.one_of(text, st.booleans(), int64, double)
value = st.one_of(scalar, *(st.lists(kind, max_size=3).map(tuple) for kind in (text, st.booleans(), int64, double)))
attributes = st.dictionaries(text.filter(bool), value, max_size=4)
moment = st.integers(1, 2**63 - 1)
trace_id = st.integers(1, 2**128 - 1)
span_id = st.integers(1, 2**64 - 1)
contexts = st.builds(SpanContext, trace_id, span_id, st.booleans(), st.just(TraceFlags(1)))
scopes = st.builds(InstrumentationScope, text, text, text, attributes)

readable = st.builds(
    ReadableSpan,
    name=text,
    context=contexts,
    parent=st.none() | contexts,
    resource=st.builds(Resource, attributes),
    attributes=attributes,
    events=st.lists(st.builds(Event, text, attributes, moment), max_size=2),
    links=st.lists(st.builds(Link, contexts, attributes), max_size=2),
    kind=st.sampled_from(list(SpanKind)),
    status=st.one_of(
        st.builds(Status, st.sampled_from(list(StatusCode))), st.builds(Status, st.just(StatusCode.ERROR), text)
    ),
    start_time=moment,
    end_time=moment,
    instrumentation_scope=scopes,
)


def hexadecimal(value: Any) -> Any:
    """Protobuf's JSON with its base64 ids in hex, as OTLP/JSON has them."""
    if isinstance(value, list):
        return [hexadecimal(item) for item in value]
    if isinstance(value, dict):
        return {key: base64.b64decode(item).hex() if key in IDS else hexadecimal(item) for key, item in value.items()}
    return value


def base64s(value: Any) -> Any:
    """OTLP/JSON as protobuf's own reader wants it."""
    if isinstance(value, list):
        return [base64s(item) for item in value]
    if isinstance(value, dict):
        return {
            key: base64.b64encode(bytes.fromhex(item)).decode() if key in IDS else base64s(item)
            for key, item in value.items()
        }
    return value


@given(st.lists(readable, min_size=1, max_size=3, unique_by=lambda span: (span.context.trace_id, span.context.span_id)))
def test_one_span_through_every_door_is_one_span(spans: list[ReadableSpan]) -> None:
    request = encode_spans(spans)
    by_key = {(span.trace_id, span.span_id): span for span in map(from_readable, spans)}
    from_protobuf = decode(request.SerializeToString(), PROTOBUF)
    from_json = decode(json.dumps(hexadecimal(MessageToDict(request))).encode(), JSON)
    from_old_sdk = decode(json.dumps(MessageToDict(request)).encode(), JSON)
    assert {(span.trace_id, span.span_id): span for span in from_protobuf} == by_key
    assert from_json == from_protobuf
    assert from_old_sdk == from_protobuf


@pytest.mark.parametrize("path", captures.files(), ids=captures.name_of)
def test_a_captured_span_is_the_same_in_protobuf(path: Path) -> None:
    request = ParseDict(base64s(json.loads(path.read_text())), ExportTraceServiceRequest())
    assert decode(request.SerializeToString(), PROTOBUF) == decode(path.read_bytes(), JSON)


def bad_and_good() -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    spans.add(trace_id=TRACE_ID, span_id=b"")
    spans.add(trace_id=TRACE_ID, span_id=SPAN_ID)
    spans.add(trace_id=b"short", span_id=SPAN_ID)
    return request


@pytest.mark.parametrize(("media_type", "field"), [(PROTOBUF, "span_id"), (JSON, "spanId")])
def test_a_span_that_is_none_is_told_of_and_does_not_take_its_siblings_along(media_type: str, field: str) -> None:
    request = bad_and_good()
    body = request.SerializeToString() if media_type == PROTOBUF else json.dumps(MessageToDict(request)).encode()
    sifted = sift(body, media_type)
    assert [span.span_id for span in sifted.items] == [SPAN_ID.hex()]
    assert [f"`{field}`" in error.message for error in sifted.errors] == [True, False]
    with pytest.raises(DecodeError, match=field):
        decode(body, media_type)


@pytest.mark.parametrize("media_type", [PROTOBUF, JSON])
def test_bytes_that_are_no_request_are_refused_whole(media_type: str) -> None:
    for read in (sift, sift_logs):
        with pytest.raises(DecodeError):
            read(b"\xff\xff\xff\xff", media_type)


def test_a_log_record_is_the_same_through_both() -> None:
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    resource_logs.resource.attributes.add(key="service.name").value.string_value = "app"
    scope_logs = resource_logs.scope_logs.add(schema_url="https://opentelemetry.io/schemas/1.37.0")
    scope_logs.scope.name = "an.instrumentation"
    first = scope_logs.log_records.add(
        trace_id=TRACE_ID, span_id=SPAN_ID, event_name="gen_ai.choice", time_unix_nano=5, observed_time_unix_nano=7
    )
    first.body.kvlist_value.values.add(key="content").value.string_value = "Zoë"
    second = scope_logs.log_records.add(observed_time_unix_nano=7)
    second.body.string_value = "plain"
    second.attributes.add(key="event.name").value.string_value = "named.by.attribute"
    records = sift_logs(request.SerializeToString(), PROTOBUF).items
    written = json.dumps(hexadecimal(MessageToDict(request))).encode()
    assert sift_logs(written, JSON).items == records
    assert [(record.event_name, record.time_ns, record.body) for record in records] == [
        ("gen_ai.choice", 5, {"content": "Zoë"}),
        ("named.by.attribute", 7, "plain"),
    ]
    assert (records[0].trace_id, records[0].span_id) == (TRACE_ID.hex(), SPAN_ID.hex())
    assert records[1] == LogRecord(
        event_name="named.by.attribute",
        time_ns=7,
        body="plain",
        attributes={"event.name": "named.by.attribute"},
        resource=records[0].resource,
        scope=records[0].scope,
    )


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_a_value_nested_without_end_is_refused_and_nothing_worse(depth: int) -> None:
    value = b'{"arrayValue":{"values":[' * depth + b"{}" + b"]}}" * depth
    body = b'{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":' + value + b"}]},"
    body += b'"scopeSpans":[{"spans":[{"traceId":"%s","spanId":"%s"}]}]}]}' % (
        TRACE_ID.hex().encode(),
        SPAN_ID.hex().encode(),
    )
    with contextlib.suppress(DecodeError):
        assert sift(body, JSON).errors != []

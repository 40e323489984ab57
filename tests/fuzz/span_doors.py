"""Doors of the pipeline: spans, log records, what a spool kept, what a Humanloop answers, what a setting says."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from fuzz.mutants import Door

from otel_humanloop import native
from otel_humanloop.delivery import answers, encoding
from otel_humanloop.errors import DecodeError, HumanloopError
from otel_humanloop.logs import known
from otel_humanloop.logs.build import build_log
from otel_humanloop.logs.draft import draft
from otel_humanloop.logs.encode import encode
from otel_humanloop.logs.moves import Create
from otel_humanloop.logs.redact import Redactor
from otel_humanloop.notices import Notices
from otel_humanloop.settings import load
from otel_humanloop.spans import LogRecord, Span
from otel_humanloop.spans.otlp import JSON, PROTOBUF, decode, sift, sift_logs
from otel_humanloop.values import REDACTION_SETS

CORPUS = Path(__file__).parent.parent / "corpus"
_SETTINGS = load({"redact": ",".join(REDACTION_SETS)}, environ={})
_REDACTOR = Redactor(_SETTINGS, notices=Notices(interval=float("inf")))
_MANY = 40  # files of the corpus that a door is entered with


def log_of(spans: Sequence[Span]) -> None:
    """The whole way of a span that came in: read, redacted, kept, built, encoded."""
    for span in spans:
        kept = encoding.decode(encoding.encode(_REDACTOR.span(span)))
        create = Create(key=("1", "2"), draft=draft(kept), parent=None, session="s", user=None)
        encode(_REDACTOR.log(build_log(create, _SETTINGS)))


def _otlp(content_type: str) -> Callable[[bytes], None]:
    def enter(data: bytes) -> None:
        with contextlib.suppress(DecodeError):
            log_of(decode(data, content_type))
        with contextlib.suppress(DecodeError):
            log_of(sift(data, content_type).items)

    return enter


def _records(content_type: str) -> Callable[[bytes], None]:
    def enter(data: bytes) -> None:
        try:
            records: Sequence[LogRecord] = sift_logs(data, content_type).items
        except DecodeError:
            return
        for record in records:
            _REDACTOR.record(record)

    return enter


def _twins(data: bytes) -> None:
    """Where the decoder of protobuf is compiled, it says of any bytes what protobuf's own does."""
    from otel_humanloop.spans import otlp_protobuf

    compiled = native.module("protobuf")
    if compiled is not None:
        assert _said(compiled.spans_of, data) == _said(otlp_protobuf.spans_of, data)
        assert _said(compiled.records_of, data) == _said(otlp_protobuf.records_of, data)


def _said(decoder: Callable[[bytes], Iterable[object]], data: bytes) -> str:
    try:
        return "\n".join(map(repr, decoder(data)))  # as text, for NaN is not NaN
    except DecodeError as error:
        return error.message


def _kept(data: bytes) -> None:
    """A row of a spool, and a note in it."""
    with contextlib.suppress(DecodeError):
        log_of([encoding.decode(data)])
    with contextlib.suppress(DecodeError):
        _REDACTOR.record(encoding.decode_record(data))
    with contextlib.suppress(DecodeError):
        known.decode(data)


def _attributes(data: bytes) -> None:
    """Spans of the SDK, whose attributes may hold any text under any known key."""
    # Bytes that are no UTF-8 become lone surrogates: text, but none that can be encoded.
    text = data.decode("utf-8", "surrogateescape" if data[:1] == b"s" else "replace")
    keys = ("gen_ai.input.messages", "gen_ai.output.messages", "input.value", "llm.invocation_parameters")
    other = ("gen_ai.prompt.0.content", "traceloop.entity.input", "gen_ai.usage.input_tokens", "humanloop.inputs")
    attributes = {"gen_ai.operation.name": "chat", **dict.fromkeys((*keys, *other), text)}
    log_of([Span(trace_id="1" * 32, span_id="2" * 16, end_ns=1, attributes=attributes)])


def _settings(data: bytes) -> None:
    with contextlib.suppress(HumanloopError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of expressions that will mean something else one day
        load({}, environ={"HUMANLOOP_REDACT": data.decode("utf-8", "replace")})


def _answers(data: bytes) -> None:
    """What something in Humanloop's place answers: a byte for the status, a line for two headers, and the body."""
    status = (200, 204, 302, 400, 401, 404, 413, 422, 429, 500, 503, 799)[data[0] % 12] if data else 200
    header, _, content = data[1:].partition(b"\n")
    said = header.decode("latin-1")
    answer = answers.Answer(
        url="http://127.0.0.1/v4/logs",
        status=status,
        headers={"retry-after": said, "location": said, "content-type": said},
        content=content,
        complete=len(data) % 2 == 0,
    )
    for error in (answers.created(answer, 2, now=0.0), answers.updated(answer, now=0.0)):
        assert error is None or len(str(error)) < 5 * answers.MAX_DETAIL


@functools.cache
def captured(field: bytes) -> list[bytes]:
    """Captured requests in JSON that hold `resourceSpans`, or `resourceLogs`."""
    files = [path.read_bytes() for path in sorted(CORPUS.rglob("*.json"))]
    return [data for data in files if field in data[:2000]][:_MANY]


def spans() -> list[bytes]:
    """Captured spans, as OTLP in JSON."""
    return captured(b"resourceSpans")


@functools.cache
def spans_in_protobuf() -> list[bytes]:
    """The same in protobuf."""
    from google.protobuf.json_format import Parse, ParseError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    written: list[bytes] = []
    for data in spans():
        # OTLP's JSON has hexadecimal ids where protobuf's has base64; of a length that is neither, some cannot be read.
        with contextlib.suppress(ParseError, ValueError):
            written.append(Parse(data, ExportTraceServiceRequest()).SerializeToString())
    return written


def records_in_protobuf() -> list[bytes]:
    """Captured log records in protobuf."""
    from google.protobuf.json_format import Parse, ParseError
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    written = [b"\x0a\x00"]
    for data in captured(b"resourceLogs"):
        with contextlib.suppress(ParseError, ValueError):
            written.append(Parse(data, ExportLogsServiceRequest()).SerializeToString())
    return written


def _rows() -> list[bytes]:
    note = known.Known(
        key=("1" * 32, "2" * 16),
        parent=None,
        remote=False,
        logged=True,
        above=None,
        session="s",
        user=None,
        named_session=None,
        named_user=None,
        usage=True,
        is_session=True,
        trace_session="s",
        call=None,
    )
    written = [encoding.encode(span) for data in spans()[:20] for span in decode(data, JSON)]
    records = [encoding.encode(item) for data in captured(b"resourceLogs")[:5] for item in sift_logs(data, JSON).items]
    return [*written, *records, known.encode([note])]


DOORS: dict[str, Door] = {
    "otlp-json": Door(enter=_otlp(JSON), seeds=spans),
    "otlp-protobuf": Door(enter=_otlp(PROTOBUF), seeds=spans_in_protobuf),
    "protobuf-twins": Door(enter=_twins, seeds=lambda: [*spans_in_protobuf(), *records_in_protobuf()]),
    "logs-json": Door(enter=_records(JSON), seeds=lambda: captured(b"resourceLogs")),
    "logs-protobuf": Door(enter=_records(PROTOBUF), seeds=records_in_protobuf),
    "spool": Door(enter=_kept, seeds=_rows),
    "attributes": Door(
        enter=_attributes,
        seeds=lambda: [
            b'[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
            b'{"a":{"b":[1,2.5,null]}}',
        ],
    ),
    "settings": Door(enter=_settings, seeds=lambda: [b"email,phone key:(?i)^pass value:[0-9]{3,}"]),
    "answers": Door(
        enter=_answers,
        seeds=lambda: [
            b'\x00application/json\n[{"id":"data_1","project_id":"pr_1"},{"id":"data_2","project_id":"pr_1"}]',
            b'\x07120\n{"detail":[{"loc":["body",0,"config"],"msg":"field required","type":"value_error.missing"}]}',
            b'\x08Wed, 21 Oct 2026 07:28:00 GMT\n{"detail":{"message":"slow down"}}',
            b"\x02https://login.example/v4/logs?next=1\n<html>",
        ],
    ),
}

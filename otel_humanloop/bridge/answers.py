"""What OTLP has a receiver answer. https://github.com/open-telemetry/opentelemetry-proto/blob/main/docs/specification.md

Success is the signal's response message, with `partial_success` only where something of it was not taken; failure is
a `google.rpc.Status`, with `RetryInfo` where the same request may be taken later.
"""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.rpc.code_pb2 import INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAUTHENTICATED, UNAVAILABLE
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from otel_humanloop.bridge.door import Code, Signal, Verdict
from otel_humanloop.spans.otlp import JSON

RPC_CODES = {
    Code.INVALID: INVALID_ARGUMENT,
    Code.UNSUPPORTED: INVALID_ARGUMENT,
    Code.TOO_LARGE: INVALID_ARGUMENT,  # RESOURCE_EXHAUSTED would promise that the same may be taken later
    Code.UNAUTHENTICATED: UNAUTHENTICATED,
    Code.FULL: RESOURCE_EXHAUSTED,
    Code.UNAVAILABLE: UNAVAILABLE,
}
"""gRPC's numbers, as the Collector's own receiver has them."""

HTTP_STATUSES = {
    Code.OK: 200,
    Code.INVALID: 400,
    Code.UNAUTHENTICATED: 401,
    Code.TOO_LARGE: 413,
    Code.UNSUPPORTED: 415,
    Code.FULL: 429,
    Code.UNAVAILABLE: 503,
}
"""No 500: the Collector's exporter drops what was answered so."""


def success(signal: Signal, verdict: Verdict) -> Message:
    """The response of a request that was taken in."""
    if signal is Signal.METRICS:
        return ExportMetricsServiceResponse()
    if signal is Signal.LOGS:
        logs = ExportLogsServiceResponse()
        if verdict.rejected:
            logs.partial_success.rejected_log_records = verdict.rejected
            logs.partial_success.error_message = verdict.message
        return logs
    traces = ExportTraceServiceResponse()
    if verdict.rejected:
        traces.partial_success.rejected_spans = verdict.rejected
        traces.partial_success.error_message = verdict.message
    return traces


def failure(verdict: Verdict) -> Status:
    """The status of a request that was not."""
    status = Status(code=RPC_CODES[verdict.code], message=verdict.message)
    if verdict.retry_after is not None:
        status.details.add().Pack(retry_info(verdict.retry_after))
    return status


def retry_info(seconds: float) -> RetryInfo:
    """After how many seconds to come again."""
    delay = Duration()
    delay.FromMilliseconds(round(seconds * 1000))
    return RetryInfo(retry_delay=delay)


def written(message: Message, media_type: str) -> bytes:
    """A message as bytes, in JSON or in protobuf."""
    if media_type == JSON:
        return MessageToJson(message, indent=None).encode()
    return message.SerializeToString()

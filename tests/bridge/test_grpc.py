"""OTLP/gRPC, as the Collector's and the SDK's exporters speak it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from humanloop import Humanloop
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from support_otlp import CHAT, request, span, until

from otel_humanloop.bridge.bodies import MAX_BODY
from otel_humanloop.bridge.door import RETRY_FULL
from otel_humanloop.bridge.service import RunningBridge


@pytest.fixture
def channel(bridge: RunningBridge) -> Iterator[Any]:
    with grpc.insecure_channel(bridge.url("grpc").removeprefix("grpc://")) as channel:
        yield channel


def channel_to(bridge: RunningBridge) -> Any:
    return grpc.insecure_channel(bridge.url("grpc").removeprefix("grpc://"))


def failure(stub: Any, message: Any, **more: Any) -> Any:
    with pytest.raises(grpc.RpcError) as caught:
        stub.Export(message, timeout=20, **more)
    return caught.value


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_spans_are_taken(compression: Any, channel: Any, humanloop: Humanloop) -> None:
    answer = TraceServiceStub(channel).Export(request([span(1, 2)]), timeout=20, compression=compression)
    assert not answer.HasField("partial_success")
    assert [log["project"] for log in until(humanloop.logs)] == ["shop"]


def test_what_is_no_span_is_counted_in_a_partial_success(channel: Any) -> None:
    answer = TraceServiceStub(channel).Export(request([{**span(1, 3), "trace_id": b""}]), timeout=20)
    assert answer.partial_success.rejected_spans == 1
    assert "trace_id" in answer.partial_success.error_message


def test_logs_and_metrics_are_taken(channel: Any) -> None:
    LogsServiceStub(channel).Export(ExportLogsServiceRequest(), timeout=20)
    MetricsServiceStub(channel).Export(ExportMetricsServiceRequest(), timeout=20)


def test_a_message_beyond_grpcs_own_bound_is_taken(channel: Any, humanloop: Humanloop) -> None:
    large = {**CHAT, "gen_ai.output.messages": "x" * (10 << 20)}
    TraceServiceStub(channel).Export(request([span(1, 2, attributes=large)]), timeout=30)
    assert until(humanloop.logs)


def test_bytes_that_are_no_request_are_an_invalid_argument(channel: Any) -> None:
    export = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
    with pytest.raises(grpc.RpcError) as caught:
        export(b"\xff\xff\xff", timeout=20)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_while_the_spool_is_full_both_trailers_say_when_to_come_again(bridges: Any) -> None:
    with (
        bridges(max_spans=1, base_url="http://127.0.0.1:1/v4", shutdown_timeout=0.1) as bridge,
        channel_to(bridge) as channel,
    ):
        stub = TraceServiceStub(channel)
        stub.Export(request([span(1, 2)]), timeout=20)
        error = failure(stub, request([span(1, 3)]))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        trailers = dict(error.trailing_metadata())
        packed = RetryInfo()
        assert Status.FromString(trailers["grpc-status-details-bin"]).details[0].Unpack(packed)
        assert RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"]) == packed
        assert packed.retry_delay.ToTimedelta().total_seconds() == RETRY_FULL


def test_only_who_shows_a_token_may_send(bridges: Any) -> None:
    with bridges(tokens=("secret",)) as bridge, channel_to(bridge) as channel:
        stub = TraceServiceStub(channel)
        assert failure(stub, request([])).code() is grpc.StatusCode.UNAUTHENTICATED
        wrong = failure(stub, request([]), metadata=(("authorization", "Bearer other"),))
        assert wrong.code() is grpc.StatusCode.UNAUTHENTICATED
        stub.Export(request([]), timeout=20, metadata=(("authorization", "Bearer secret"),))


def test_a_small_message_that_unfolds_into_a_huge_one_is_not_taken(channel: Any, humanloop: Humanloop) -> None:
    huge = request([span(1, 2, attributes={**CHAT, "padding": "x" * (MAX_BODY + 1)})])
    error = failure(TraceServiceStub(channel), huge, compression=grpc.Compression.Gzip)
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "google.rpc.retryinfo-bin" not in dict(error.trailing_metadata() or ())
    TraceServiceStub(channel).Export(request([span(1, 3)]), timeout=20)
    assert [log["reference_id"] for log in until(humanloop.logs)] == [f"{3:016x}"]

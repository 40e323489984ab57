"""What stands in log records alone comes into the log of its span, in the process that emitted both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from humanloop import Humanloop
from opentelemetry.context import Context
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Span, set_span_in_context

from otel_humanloop import HumanloopLogExporter, HumanloopSpanExporter, HumanloopSpanProcessor

CALL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}


@pytest.fixture
def loggers() -> Iterator[LoggerProvider]:
    provider = LoggerProvider()
    yield provider
    provider.shutdown()


def within(span: Span) -> Context:
    return set_span_in_context(span)


def converse(loggers: LoggerProvider, span: Span) -> None:
    """What opentelemetry-instrumentation-openai-v2 emits of a call."""
    logger = loggers.get_logger("opentelemetry.instrumentation.openai_v2")
    said = {"content": "Weather in Paris?"}
    logger.emit(event_name="gen_ai.user.message", body=said, context=within(span), timestamp=1)
    answer = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Sunny."}}
    logger.emit(event_name="gen_ai.choice", body=answer, context=within(span), timestamp=2)


def the_log(humanloop: Humanloop) -> dict[str, object]:
    [log] = humanloop.logs()
    return log


def test_records_that_come_before_their_span_ends_are_in_its_log(humanloop: Humanloop, loggers: LoggerProvider) -> None:
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(HumanloopSpanExporter(base_url=humanloop.base_url)))
    loggers.add_log_record_processor(SimpleLogRecordProcessor(HumanloopLogExporter()))
    with tracers.get_tracer("app").start_as_current_span("chat gpt-4o", attributes=CALL) as span:
        converse(loggers, span)
    tracers.shutdown()
    log = the_log(humanloop)
    assert log["messages"] == [{"role": "user", "content": "Weather in Paris?"}]
    assert log["output"] == "Sunny."


def test_a_span_waits_for_records_that_come_after_it(humanloop: Humanloop, loggers: LoggerProvider) -> None:
    tracers = TracerProvider()
    tracers.add_span_processor(HumanloopSpanProcessor(base_url=humanloop.base_url, delay=0))
    loggers.add_log_record_processor(BatchLogRecordProcessor(HumanloopLogExporter(), schedule_delay_millis=60_000))
    with tracers.get_tracer("app").start_as_current_span("chat gpt-4o", attributes=CALL) as span:
        converse(loggers, span)
    loggers.force_flush()
    tracers.force_flush()
    assert the_log(humanloop)["output"] == "Sunny."
    tracers.shutdown()


def test_other_records_are_nobodys(humanloop: Humanloop, loggers: LoggerProvider) -> None:
    tracers = TracerProvider()
    tracers.add_span_processor(HumanloopSpanProcessor(base_url=humanloop.base_url))
    loggers.add_log_record_processor(SimpleLogRecordProcessor(HumanloopLogExporter()))
    logger = loggers.get_logger("app")
    with tracers.get_tracer("app").start_as_current_span("chat gpt-4o", attributes=CALL) as span:
        logger.emit(event_name="cache.miss", body="secret", context=within(span))
    logger.emit(event_name="gen_ai.user.message", body={"content": "elsewhere"})
    tracers.shutdown()
    log = the_log(humanloop)
    assert not log.get("messages")
    assert "secret" not in str(log)
    assert "elsewhere" not in str(log)

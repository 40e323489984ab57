"""The public interface as a user writes it. Never run: `make types` has two type checkers read it."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

import otel_humanloop
from otel_humanloop import (
    HumanloopError,
    HumanloopLogExporter,
    HumanloopSpanExporter,
    HumanloopSpanProcessor,
    SettingsError,
    annotate,
)


def traced_from_the_environment() -> TracerProvider:
    provider = TracerProvider()
    provider.add_span_processor(HumanloopSpanProcessor())
    trace.set_tracer_provider(provider)
    return provider


def traced_with_settings() -> HumanloopSpanProcessor:
    return HumanloopSpanProcessor(
        api_key="hl_sk_1", base_url="https://humanloop.internal/v4", project="support", spans="all", hold=2.5
    )


def kept_to_oneself(text: str) -> HumanloopSpanProcessor:
    def redacted(key: str, value: str) -> str:
        return value.replace(text, "") if key != "model" else value

    return HumanloopSpanProcessor(
        capture_content=False,
        redact=redacted,
        spool="sqlite:///spool.db",
        max_spans=1000,
        max_bytes=1 << 20,
        delay=0.5,
        timeout=5,
        shutdown_timeout=2,
        compression="gzip",
        reference_ids="trace-span",
        session="conversation",
        prices="none",
    )


def redacted_by_sets_and_patterns() -> HumanloopSpanExporter:
    return HumanloopSpanExporter(redact=["email", "card", r"value:\d{6}"])


def with_log_records() -> LoggerProvider:
    provider = LoggerProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(HumanloopLogExporter()))
    return provider


def the_version() -> str:
    version: str = otel_humanloop.__version__
    return version


def traced_with_text_from_a_configuration_file(arguments: dict[str, str]) -> HumanloopSpanExporter:
    return HumanloopSpanExporter(**arguments)


def exported_in_batches() -> BatchSpanProcessor:
    exporter: SpanExporter = HumanloopSpanExporter()
    return BatchSpanProcessor(exporter)


def flushed(processor: HumanloopSpanProcessor) -> bool:
    return processor.force_flush(timeout_millis=500)


def annotated(question: str) -> str:
    with annotate(
        project="moderator",
        inputs={"user_request": question, "count": 3},
        session="conversation-1",
        user="user-1",
        metadata={"plan": "pro", "tags": ["a", "b"]},
        chat_template=[{"role": "user", "content": "{{user_request}}"}],
        environment="production",
    ):
        return question


@annotate(project="assistant", prompt_template="Answer: {{user_request}}")
def decorated(question: str) -> str:
    return question


@annotate(project="assistant")
async def decorated_async(question: str) -> str:
    return question


def kinds_survive_decoration() -> str:
    answer: str = decorated("why?")
    return answer


async def kinds_survive_async_decoration() -> str:
    answer: str = await decorated_async("why?")
    return answer


def explained() -> tuple[str, str | None]:
    try:
        HumanloopSpanProcessor(hold="soon")
    except SettingsError as error:
        return error.message, error.hint
    except HumanloopError:
        raise
    return "", None

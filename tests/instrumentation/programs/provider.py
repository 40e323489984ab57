"""The program's own OpenTelemetry: every span to Humanloop, flushed at the end."""

from __future__ import annotations

import atexit

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_humanloop import HumanloopSpanExporter


def provide() -> TracerProvider:
    """The process's tracer provider."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(HumanloopSpanExporter()))
    trace.set_tracer_provider(provider)
    atexit.register(provider.shutdown)
    return provider

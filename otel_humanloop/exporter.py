"""`HumanloopSpanExporter`: the pipeline behind any span processor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otel_humanloop import settings
from otel_humanloop.edge import Edge
from otel_humanloop.intake import Intake
from otel_humanloop.notices import Notices


class HumanloopSpanExporter(SpanExporter):
    """Sends finished spans to Humanloop as logs, each trace a session.

    For `BatchSpanProcessor`, `OTEL_TRACES_EXPORTER=humanloop` and declarative configuration. It sees spans only when
    they have ended; `HumanloopSpanProcessor` also shows those that still run.

    `export` may be called from one thread at a time. It keeps the spans, delivers what can be delivered at once, and
    leaves the rest (spans that wait for their parent, a backend that is away) to a thread of its own, which retries;
    nothing needs to be exported twice.

    Args:
        **arguments: Settings by keyword (see `otel_humanloop.settings`); without any, everything comes from the
            environment. Values may be text, as declarative configuration gives them.

    Raises:
        SettingsError: A setting holds something it cannot mean.
    """

    def __init__(self, **arguments: Any) -> None:
        self._intake = Intake(settings.load(arguments))
        self._edge = Edge(Notices(), "export", "spans were lost to an error of otel-humanloop")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Accepts finished spans.

        Returns:
            SUCCESS when all of them were kept, FAILURE when some had to be dropped. Never raises.
        """
        with self._edge:
            return SpanExportResult.SUCCESS if self._intake.accept_all(spans) else SpanExportResult.FAILURE
        self._intake.counts.drop("internal", len(spans))
        return SpanExportResult.FAILURE

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Delivers the logs of all spans exported so far. The exporter goes on either way.

        Returns:
            Whether all of them were acknowledged in time.
        """
        return self._intake.flush(timeout_millis / 1000)

    def shutdown(self, timeout_millis: float = 30_000) -> None:
        """Delivers what can be delivered within `shutdown_timeout` (or less, where the caller has less), and ends."""
        self._intake.shutdown(min(self._intake.settings.shutdown_timeout, timeout_millis / 1000))

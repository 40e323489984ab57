"""`HumanloopLogExporter`: brings what was said, where it stands in log records, to the spans it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from otel_humanloop.edge import Edge
from otel_humanloop.meeting import MEETING
from otel_humanloop.notices import Notices
from otel_humanloop.spans.sdk_logs import from_readable_record

if TYPE_CHECKING:
    from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
else:
    from opentelemetry.sdk._logs import export as _sdk

    # SDKs before 1.39 have the older names alone.
    LogRecordExporter = getattr(_sdk, "LogRecordExporter", None) or _sdk.LogExporter
    LogRecordExportResult = getattr(_sdk, "LogRecordExportResult", None) or _sdk.LogExportResult


class HumanloopLogExporter(LogRecordExporter):
    """Hands the log records of GenAI events to the Humanloop exporters and processors of this process.

    For `OTEL_LOGS_EXPORTER=humanloop`, `BatchLogRecordProcessor` and declarative configuration, beside
    `OTEL_TRACES_EXPORTER=humanloop`. Some instrumentations write into such records, and nowhere else, what a model was
    asked and answered; here they become part of the log of their span. Nothing else of a program's logs is kept, and
    nothing is sent from here. A logger provider is to be flushed before its tracer provider.
    """

    def __init__(self) -> None:
        self._edge = Edge(Notices(), "logs", "log records were lost to an error of otel-humanloop")
        self._closed = False
        MEETING.announce()

    def export(self, batch: Sequence[Any]) -> LogRecordExportResult:
        """Takes records. Never raises."""
        if self._closed:
            return LogRecordExportResult.FAILURE
        with self._edge:
            MEETING.tell([from_readable_record(readable) for readable in batch])
            return LogRecordExportResult.SUCCESS
        return LogRecordExportResult.FAILURE

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002
        """Nothing is held back here."""
        return True

    def shutdown(self) -> None:
        """Takes no more records."""
        self._closed = True

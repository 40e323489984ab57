"""`HumanloopSpanProcessor`: the pipeline on a TracerProvider, seeing spans start as well as end."""

from __future__ import annotations

from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from otel_humanloop import annotation, settings
from otel_humanloop.edge import Edge
from otel_humanloop.intake import Intake
from otel_humanloop.notices import Notices


class HumanloopSpanProcessor(SpanProcessor):
    """Sends the spans of a TracerProvider to Humanloop as logs, each trace a session.

    Because it sees spans start, an agent that runs for long is logged while it runs (after `hold` seconds, without
    output) and completed at its end. Nothing is converted or sent on the application's threads.

    Args:
        **arguments: Settings by keyword (see `otel_humanloop.settings`); without any, everything comes from the
            environment. Values may be text.

    Raises:
        SettingsError: A setting holds something it cannot mean.
    """

    def __init__(self, **arguments: Any) -> None:
        self._intake = Intake(settings.load(arguments))
        self._notices = Notices()
        self._start = Edge(self._notices, "on_start", "a span's start was not seen")

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        with self._start:
            annotation.apply(span, parent_context)
            self._intake.started(span)

    def on_end(self, span: ReadableSpan) -> None:
        try:  # an `Edge` by hand: entering and leaving one would be a fifth of what this costs
            self._intake.accept(span)
        except Exception:  # noqa: BLE001
            self._intake.counts.drop("internal")
            self._notices.warn("on_end", "a span was lost to an error of otel-humanloop", trace=True)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Delivers the logs of all spans that have ended; ancestors that are still open are logged as they stand.

        Returns:
            Whether all of them were acknowledged in time. The processor goes on either way.
        """
        return self._intake.flush(timeout_millis / 1000)

    def shutdown(self, timeout_millis: float | None = None) -> None:
        """Delivers what can be delivered within `shutdown_timeout` (or less, where the caller has less), and ends."""
        self._intake.shutdown(_shortest(self._intake.settings.shutdown_timeout, timeout_millis))


def _shortest(seconds: float, millis: float | None) -> float:
    return seconds if millis is None else min(seconds, millis / 1000)

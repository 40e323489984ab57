"""What an exporter tells of itself, as the SDK's own do: through the application's MeterProvider, where it has one.

| Instrument | What it counts |
|---|---|
| `otel.sdk.exporter.span.inflight` | spans that were accepted and are not settled yet |
| `otel.sdk.exporter.span.exported` | spans that were settled, with `error.type` where refused or lost |
| `otel.sdk.exporter.operation.duration` | seconds of each request; `error.type` and `http.response.status_code` |

https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/#span-exporter-metrics
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opentelemetry.metrics import get_meter

from otel_humanloop.errors import Refused, Unavailable

if TYPE_CHECKING:
    from otel_humanloop.errors import DeliveryError

COMPONENT = "humanloop_span_exporter"
"""`otel.component.type`: https://opentelemetry.io/docs/specs/semconv/registry/attributes/otel/"""

_numbers = count()  # of the components of this process, as the convention has it: "<type>/<number>"

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # seconds


class ExporterMetrics:
    """The instruments of one exporter or processor. Costs next to nothing where no MeterProvider is set.

    Args:
        base_url: Where its requests go.
    """

    def __init__(self, base_url: str) -> None:
        address = urlsplit(base_url)
        self._attributes: dict[str, str | int] = {
            "otel.component.type": COMPONENT,
            "otel.component.name": f"{COMPONENT}/{next(_numbers)}",
            "server.address": address.hostname or "",
            "server.port": address.port or (443 if address.scheme == "https" else 80),
        }
        meter = get_meter("otel-humanloop")
        self._inflight = meter.create_up_down_counter(
            "otel.sdk.exporter.span.inflight",
            unit="{span}",
            description="The number of spans which were passed to the exporter, but that have not been exported yet.",
        )
        self._exported = meter.create_counter(
            "otel.sdk.exporter.span.exported",
            unit="{span}",
            description="The number of spans for which the export has finished, either successful or failed.",
        )
        self._duration = meter.create_histogram(
            "otel.sdk.exporter.operation.duration",
            unit="s",
            description="The duration of exporting a batch of telemetry records.",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )
        self._told: Counter[str] = Counter()

    def requested(self, seconds: float, error: DeliveryError | None) -> None:
        """A request was made, which took so long."""
        attributes = dict(self._attributes)
        status = error.status if isinstance(error, (Refused, Unavailable)) else 200
        if status is not None:
            attributes["http.response.status_code"] = status
        if error is not None:
            attributes["error.type"] = str(status) if status is not None else type(error).__name__
        self._duration.record(seconds, attributes)

    def spans(self, *, accepted: int, settled: int, refused: int, dropped: Mapping[str, int]) -> None:
        """How many there have been of each since the start; what was told before is not told again.

        Args:
            settled: Acknowledged, refused, or known to have no log.
            refused: Of these, those whose log was refused.
            dropped: Those that were lost, by reason; of what was `accepted`, those lost at the end.
        """
        lost = dropped.get("shutdown", 0)
        self._inflight.add(self._new("inflight", accepted - settled - min(lost, accepted - settled)), self._attributes)
        for reason, number in {"": settled - refused, "refused": refused, **dropped}.items():
            if new := self._new(f"exported {reason}", number):
                error = {"error.type": reason} if reason else {}
                self._exported.add(new, {**self._attributes, **error})

    def _new(self, what: str, number: int) -> int:
        new = number - self._told[what]
        self._told[what] = number
        return new

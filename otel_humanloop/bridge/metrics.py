"""What goes on in a bridge, for Prometheus."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from otel_humanloop.bridge.keeper import Keeper

MEDIA_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60, 300, 900, 3600)


class Latencies:
    """How long spans took. One thread counts, any reads; spans of one age cost one count."""

    def __init__(self) -> None:
        self._counts = [0] * (len(_SECONDS) + 1)
        self._sum = 0.0

    def observe(self, seconds: float, spans: int) -> None:
        """So many spans took so long."""
        self._counts[bisect_left(_SECONDS, seconds)] += spans
        self._sum += seconds * spans

    def collect(self) -> Metric:
        """All of them."""
        bounds = [*(str(float(bound)) for bound in _SECONDS), "+Inf"]
        return HistogramMetricFamily(
            "otel_humanloop_delivery_seconds",
            "Seconds from a span's keeping until Humanloop had its log, or until it was known to have none.",
            buckets=list(zip(bounds, map(float, accumulate(self._counts)), strict=True)),
            sum_value=self._sum,
        )


class Metrics:
    """The numbers of one bridge, in a registry of its own.

    What receivers do is counted here as it happens; the rest is read where it is kept, when someone asks.
    """

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "otel_humanloop_requests",
            "Requests and messages, by what became of them.",
            ["receiver", "signal", "code"],
            registry=self._registry,
        )
        self._received = Counter(
            "otel_humanloop_received_spans",
            "Spans that were taken in and kept.",
            ["receiver"],
            registry=self._registry,
        )
        self._rejected = Counter(
            "otel_humanloop_rejected_spans",
            "Spans that are none: an id is missing or malformed.",
            ["receiver"],
            registry=self._registry,
        )
        self._latencies = Latencies()
        keeper.on_latency(self._latencies.observe)
        self._registry.register(self)

    def request(self, receiver: str, signal: str, code: str) -> None:
        """A request was answered."""
        self._requests.labels(receiver, signal, code).inc()

    def received(self, receiver: str, spans: int, rejected: int) -> None:
        """Spans were kept, and others were none."""
        self._received.labels(receiver).inc(spans)
        if rejected:
            self._rejected.labels(receiver).inc(rejected)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)

    def describe(self) -> Iterator[Metric]:
        """Nothing is asked for its numbers when it is registered."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """What is read where it is kept."""
        yield self._latencies.collect()
        keeper, sender = self._keeper, self._keeper.sender
        waiting = sender.waiting
        yield CounterMetricFamily(
            "otel_humanloop_sent_logs", "Logs and updates that Humanloop has acknowledged.", value=sender.acknowledged
        )
        yield CounterMetricFamily(
            "otel_humanloop_refused_logs", "Logs and updates that Humanloop will never take.", value=sender.refused
        )
        yield CounterMetricFamily(
            "otel_humanloop_delivery_requests", "Requests made to Humanloop.", value=sender.requests
        )
        yield CounterMetricFamily(
            "otel_humanloop_retried_requests", "Requests to Humanloop that failed for now.", value=sender.retried
        )
        dropped = CounterMetricFamily(
            "otel_humanloop_dropped_spans", "Spans that were lost here, by reason.", labels=["reason"]
        )
        for reason, number in sorted(keeper.counts.dropped.items()):
            dropped.add_metric([reason], number)
        yield dropped
        yield GaugeMetricFamily(
            "otel_humanloop_spool_spans", "Spans that are kept and not settled yet.", value=keeper.spans
        )
        yield GaugeMetricFamily("otel_humanloop_spool_bytes", "About how many bytes they are.", value=keeper.bytes)
        yield GaugeMetricFamily(
            "otel_humanloop_spool_oldest_seconds",
            "For how long the span has been kept that has been for the longest.",
            value=keeper.oldest,
        )
        yield GaugeMetricFamily(
            "otel_humanloop_held_spans",
            "Spans that wait for a parent, for log records or for an AI operation in their trace.",
            value=max(0, keeper.spans - waiting),
        )
        yield GaugeMetricFamily(
            "otel_humanloop_waiting_logs", "Logs that are ready to be sent, or being sent.", value=waiting
        )

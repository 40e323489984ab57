"""What goes on in a bridge, for Prometheus."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, product

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from otel_humanloop.bridge.keeper import Keeper
from otel_humanloop.errors import Unavailable
from otel_humanloop.version import VERSION

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

    What receivers do is counted here as it happens; the rest is read where it is kept, when someone asks. A number that
    may grow is there from the start, as 0: of one that appears only once something went wrong, Prometheus does not see
    it grow.
    """

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._lock = threading.Lock()
        self._requests: Counts[tuple[str, ...]] = Counts()
        self._received: Counts[tuple[str, ...]] = Counts()
        self._rejected: Counts[tuple[str, ...]] = Counts()
        self._consumers: list[tuple[str, Callable[[], int]]] = []
        self._latencies = Latencies()
        keeper.on_latency(self._latencies.observe)
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def expect(self, receiver: str, signals: Iterable[str], codes: Iterable[str]) -> None:
        """That receiver is there, and answers so."""
        with self._lock:
            self._received[receiver,] += 0
            self._rejected[receiver,] += 0
            for labels in product([receiver], signals, codes):
                self._requests[labels] += 0

    def consumes(self, topics: str, uncommitted: Callable[[], int]) -> None:
        """Kafka is read; `uncommitted` says how many messages were and are not committed yet."""
        self._consumers.append((topics, uncommitted))

    def request(self, receiver: str, signal: str, code: str) -> None:
        """A request was answered."""
        with self._lock:
            self._requests[receiver, signal, code] += 1

    def received(self, receiver: str, spans: int, rejected: int) -> None:
        """Spans were kept, and others were none."""
        with self._lock:
            self._received[receiver,] += spans
            self._rejected[receiver,] += rejected

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)

    def describe(self) -> Iterator[Metric]:
        """Nothing is asked for its numbers when it is registered."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """All but what the process takes."""
        yield InfoMetricFamily("otel_humanloop_build", "What runs here.", value={"version": VERSION})
        yield from self._coming_in()
        yield from self._kept()
        yield from self._going_out()

    def _coming_in(self) -> Iterator[Metric]:
        with self._lock:
            requests, received, rejected = self._requests.copy(), self._received.copy(), self._rejected.copy()
        yield _counted(
            "otel_humanloop_requests",
            "Requests and messages, by what became of them.",
            ("receiver", "signal", "code"),
            requests,
        )
        yield _counted("otel_humanloop_received_spans", "Spans that were taken in and kept.", ("receiver",), received)
        yield _counted(
            "otel_humanloop_rejected_spans",
            "Spans that are none: an id is missing or malformed.",
            ("receiver",),
            rejected,
        )
        if self._consumers:
            uncommitted = GaugeMetricFamily(
                "otel_humanloop_kafka_uncommitted_messages",
                "Messages that were read and are not committed yet.",
                labels=["topics"],
            )
            for topics, count in self._consumers:
                uncommitted.add_metric([topics], count())
            yield uncommitted

    def _kept(self) -> Iterator[Metric]:
        keeper, settings = self._keeper, self._keeper.settings
        for name, meaning, value in (
            ("spool_spans", "Spans that are kept and not settled yet.", keeper.spans),
            ("spool_bytes", "About how many bytes they are.", keeper.bytes),
            ("spool_max_spans", "How many spans are kept at most (HUMANLOOP_MAX_SPANS).", settings.max_spans),
            ("spool_max_bytes", "How many bytes of spans are kept at most (HUMANLOOP_MAX_BYTES).", settings.max_bytes),
            (
                "spool_oldest_seconds",
                "For how long the span has been kept that has been for the longest.",
                keeper.oldest,
            ),
            (
                "held_spans",
                "Spans that wait for a parent, for log records or for an AI operation in their trace.",
                max(0, keeper.spans - keeper.sender.waiting),
            ),
        ):
            yield GaugeMetricFamily(f"otel_humanloop_{name}", meaning, value=value)
        yield _counted(
            "otel_humanloop_dropped_spans",
            "Spans that were lost here, by reason.",
            ("reason",),
            {(reason,): number for reason, number in {**_NONE_DROPPED, **keeper.counts.dropped}.items()},
        )

    def _going_out(self) -> Iterator[Metric]:
        sender = self._keeper.sender
        yield GaugeMetricFamily(
            "otel_humanloop_delivery_up",
            "1, or 0 while Humanloop takes nothing; the log says why.",
            value=not isinstance(sender.last_error, Unavailable),
        )
        yield GaugeMetricFamily(
            "otel_humanloop_waiting_logs", "Logs that are ready to be sent, or being sent.", value=sender.waiting
        )
        for name, meaning, value in (
            ("sent_logs", "Logs and updates that Humanloop has acknowledged.", sender.acknowledged),
            ("refused_logs", "Logs and updates that Humanloop will never take.", sender.refused),
            ("delivery_requests", "Requests made to Humanloop.", sender.requests),
            ("retried_requests", "Requests to Humanloop that failed for now.", sender.retried),
        ):
            yield CounterMetricFamily(f"otel_humanloop_{name}", meaning, value=value)
        yield self._latencies.collect()


_NONE_DROPPED = {"internal": 0, "shutdown": 0}


def _counted(name: str, meaning: str, labels: Sequence[str], counts: Mapping[tuple[str, ...], int]) -> Metric:
    """A counter with labels. The client's own counters tell beside each when it was made, which nobody asks for."""
    family = CounterMetricFamily(name, meaning, labels=labels)
    for values, count in sorted(counts.items()):
        family.add_metric(values, count)
    return family

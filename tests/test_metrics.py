"""What an exporter tells of itself through the application's MeterProvider."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from humanloop import Humanloop

PROGRAM = """
import json, logging, sys
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from otel_humanloop import HumanloopSpanProcessor

logging.disable()
reader = InMemoryMetricReader()
if sys.argv[3] == "metered":
    metrics.set_meter_provider(MeterProvider([reader]))
provider = TracerProvider()
provider.add_span_processor(
    HumanloopSpanProcessor(base_url=sys.argv[1], max_spans=int(sys.argv[2]), shutdown_timeout=1, delay=60)
)
for _ in range(3):
    provider.get_tracer("app").start_span("chat", attributes={"gen_ai.operation.name": "chat"}).end()
provider.force_flush(1000)
provider.shutdown()
data = reader.get_metrics_data()
points = [
    {
        "name": metric.name, "unit": metric.unit, "attributes": dict(point.attributes),
        "value": getattr(point, "value", None), "count": getattr(point, "count", None),
    }
    for resource in (data.resource_metrics if data else [])
    for scope in resource.scope_metrics
    for metric in scope.metrics
    for point in metric.data.data_points
]
print(json.dumps(points))
"""


def told(base_url: str, tmp_path: Path, *, max_spans: int = 100, metered: bool = True) -> list[dict[str, Any]]:
    """The data points of a program that ends three spans. The global MeterProvider can be set once in a process."""
    import json

    program = subprocess.run(
        [sys.executable, "-c", PROGRAM, base_url, str(max_spans), "metered" if metered else "not"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=tmp_path,
    )
    points: list[dict[str, Any]] = json.loads(program.stdout)
    for point in points:
        attributes = point["attributes"]
        assert attributes.pop("otel.component.type") == "humanloop_span_exporter"
        assert attributes.pop("otel.component.name") == "humanloop_span_exporter/0"
        assert attributes.pop("server.address") == "127.0.0.1"
        assert attributes.pop("server.port") > 0
    return points


def of(points: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The values of an instrument, by their `error.type` ("" for none)."""
    return {
        point["attributes"].get("error.type", ""): point["value"] if point["value"] is not None else point["count"]
        for point in points
        if point["name"] == f"otel.sdk.exporter.{name}"
    }


def test_spans_that_were_delivered_are_counted_and_none_is_in_flight(humanloop: Humanloop, tmp_path: Path) -> None:
    points = told(humanloop.base_url, tmp_path)
    assert of(points, "span.exported") == {"": 3}
    assert of(points, "span.inflight") == {"": 0}
    assert of(points, "operation.duration") == {"": 1}
    units = {point["name"].removeprefix("otel.sdk.exporter."): point["unit"] for point in points}
    assert units == {"span.exported": "{span}", "span.inflight": "{span}", "operation.duration": "s"}
    (duration,) = (point for point in points if point["unit"] == "s")
    assert duration["attributes"] == {"http.response.status_code": 200}


def test_spans_that_were_lost_are_counted_by_reason(tmp_path: Path) -> None:
    points = told("http://127.0.0.1:1/v4", tmp_path, max_spans=2)
    assert of(points, "span.exported") == {"full": 1, "shutdown": 2}
    assert of(points, "span.inflight") == {"": 0}
    assert set(of(points, "operation.duration")) == {"Unavailable"}


@pytest.mark.parametrize("status", [401, 422])
def test_spans_whose_log_was_refused_are_counted_with_the_status_on_the_request(
    status: int, humanloop: Humanloop, tmp_path: Path
) -> None:
    humanloop.answers += [status] * 10
    points = told(humanloop.base_url, tmp_path)
    assert of(points, "span.exported") == {"refused": 3}
    assert of(points, "span.inflight") == {"": 0}
    assert set(of(points, "operation.duration")) == {str(status)}


def test_without_a_meter_provider_nothing_is_told(humanloop: Humanloop, tmp_path: Path) -> None:
    assert told(humanloop.base_url, tmp_path, metered=False) == []
    assert len(humanloop.logs()) == 3

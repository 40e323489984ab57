"""A program whose spans hold a canary. Run by `test_elsewhere.py`: `program.py MODE CAPTURE`.

It logs all there is to log to standard error, and prints what its exporter tells of itself to standard output.
"""

from __future__ import annotations

import logging
import sys
import warnings

from corpus import captures
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from privacy.canary import MODES, singing
from readables import readable

from otel_humanloop import HumanloopSpanExporter

mode, name = sys.argv[1:]
logging.basicConfig(level=logging.DEBUG)
logging.captureWarnings(True)
warnings.simplefilter("always")
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
exporter = HumanloopSpanExporter(**MODES[mode], hold=0, spans="all", max_spans=40)
exporter.export([readable(singing(span, mode)) for span in captures.spans(name)] * 2)
exporter.force_flush(2000)
exporter.shutdown(timeout_millis=0)
data = reader.get_metrics_data()
assert data is not None
sys.stdout.write(data.to_json())

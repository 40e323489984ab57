"""A call through LiteLLM, told by its OpenTelemetry callback."""

from __future__ import annotations

import json
import os
import time
import urllib.request

import litellm
from litellm.integrations.opentelemetry import OpenTelemetry, OpenTelemetryConfig

from otel_humanloop import HumanloopSpanExporter

exporter = HumanloopSpanExporter()
litellm.callbacks = [OpenTelemetry(config=OpenTelemetryConfig(exporter=exporter))]
litellm.completion(model="openai/gpt-4o", messages=[{"role": "user", "content": "What is the weather in Paris?"}])


def sessions() -> int:
    """How many there are: LiteLLM tells its callback on a thread of its own, some time later."""
    exporter.force_flush()
    with urllib.request.urlopen(f"{os.environ['HUMANLOOP_BASE_URL']}/sessions") as answer:
        return json.load(answer)["total"]


deadline = time.monotonic() + 60
while not sessions() and time.monotonic() < deadline:
    pass
exporter.shutdown()

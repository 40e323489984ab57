"""Fixtures every test may ask for."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any

import humanloop as humanloops
import hypothesis
import pytest
from applications import Install
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from otel_humanloop import HumanloopSpanProcessor

# No example fails for being slow: the machine may have other things to do. A run tries the examples that the last one
# tried, so that what fails has to do with what was changed; `make properties` looks for others.
hypothesis.settings.register_profile(
    "default", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile(
    "search", hypothesis.settings.get_profile("default"), derandomize=False, max_examples=1000
)
hypothesis.settings.load_profile("default")

# A run in the background of a script is started with interrupts ignored, and so would be every process it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def humanloop() -> Iterator[humanloops.Humanloop]:
    """A Humanloop of the test's own, which holds everything it is sent to the published contract."""
    with humanloops.humanloop() as server:
        yield server


@pytest.fixture
def install(humanloop: humanloops.Humanloop) -> Iterator[Install]:
    """Makes providers that send to `humanloop`, and ends them."""
    providers: list[TracerProvider] = []

    def install(make: Callable[..., Any] = HumanloopSpanProcessor, **settings: Any) -> TracerProvider:
        provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
        provider.add_span_processor(make(**{"base_url": humanloop.base_url, "delay": 0.02, **settings}))
        providers.append(provider)
        return provider

    yield install
    for provider in providers:
        provider.shutdown()

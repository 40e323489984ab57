"""`OTEL_PYTHON_CONFIGURATOR=humanloop`: the live span processor without a line of code."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any, cast

from opentelemetry import trace
from opentelemetry.environment_variables import OTEL_TRACES_EXPORTER
from opentelemetry.sdk._configuration import (
    _BaseConfigurator,  # pyright: ignore[reportPrivateUsage]
    _OTelSDKConfigurator,  # pyright: ignore[reportPrivateUsage]
)
from opentelemetry.sdk.trace import TracerProvider

from otel_humanloop.notices import logger

_NAME = "humanloop"
_GROUP = "opentelemetry_configurator"
_CHOICE = "OTEL_PYTHON_CONFIGURATOR"


class HumanloopConfigurator(_BaseConfigurator):
    """Configures the SDK as it is configured anyway, and adds `HumanloopSpanProcessor` to its tracer provider.

    `opentelemetry-instrument` asks every installed configurator in turn when none is named, and takes the first.
    Where it was not asked for by name, this one therefore steps back for the others.
    """

    def _configure(self, **kwargs: Any) -> None:
        if os.environ.get(_CHOICE) != _NAME:
            _run(_another(), kwargs)
            return
        _leave_traces_to_the_processor()
        _run(_OTelSDKConfigurator, kwargs)
        provider = trace.get_tracer_provider()
        if not isinstance(provider, TracerProvider):
            logger.warning("OTEL_PYTHON_CONFIGURATOR=humanloop found no SDK TracerProvider: no spans will be sent")
            return
        from otel_humanloop.processor import HumanloopSpanProcessor

        provider.add_span_processor(HumanloopSpanProcessor())


def _another() -> Callable[[], _BaseConfigurator]:
    """The configurator that would have been loaded if this package were not installed."""
    for entry_point in entry_points(group=_GROUP):
        if entry_point.name != _NAME:
            return cast("Callable[[], _BaseConfigurator]", entry_point.load())
    return _OTelSDKConfigurator


def _run(configurator: Callable[[], _BaseConfigurator], arguments: dict[str, Any]) -> None:
    configurator().configure(**arguments)  # pyright: ignore[reportUnknownMemberType]


def _leave_traces_to_the_processor() -> None:
    """Takes out of OTEL_TRACES_EXPORTER what would send every span twice, or cannot be loaded.

    The distro names `otlp` where the user names nothing, whether its package is installed or not.
    """
    named = [name.strip() for name in os.environ.get(OTEL_TRACES_EXPORTER, "").split(",")]
    installed = {entry_point.name for entry_point in entry_points(group="opentelemetry_traces_exporter")}
    kept = [name for name in named if name and name != _NAME and (name in installed or name != "otlp")]
    os.environ[OTEL_TRACES_EXPORTER] = ",".join(kept) or "none"

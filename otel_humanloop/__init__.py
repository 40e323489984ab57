"""OpenTelemetry spans of LLM programs as Humanloop sessions of nested logs.

```python
from opentelemetry.sdk.trace import TracerProvider
from otel_humanloop import HumanloopSpanProcessor

provider = TracerProvider()
provider.add_span_processor(HumanloopSpanProcessor())
```

Names are loaded on first use (PEP 562), so that importing this package costs an application nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otel_humanloop.annotation import annotate
    from otel_humanloop.errors import HumanloopError, SettingsError
    from otel_humanloop.exporter import HumanloopSpanExporter
    from otel_humanloop.log_exporter import HumanloopLogExporter
    from otel_humanloop.processor import HumanloopSpanProcessor

__all__ = [
    "HumanloopError",
    "HumanloopLogExporter",
    "HumanloopSpanExporter",
    "HumanloopSpanProcessor",
    "SettingsError",
    "annotate",
]

_HOMES = {
    "HumanloopError": "otel_humanloop.errors",
    "HumanloopLogExporter": "otel_humanloop.log_exporter",
    "HumanloopSpanExporter": "otel_humanloop.exporter",
    "HumanloopSpanProcessor": "otel_humanloop.processor",
    "SettingsError": "otel_humanloop.errors",
    "annotate": "otel_humanloop.annotation",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from otel_humanloop.version import VERSION

        return VERSION
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])

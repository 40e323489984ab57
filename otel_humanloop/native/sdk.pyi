from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from otel_humanloop.spans import Span
from otel_humanloop.spans.sdk import Shared

def from_readable(span: ReadableSpan, shared: Shared | None = None) -> Span: ...
def plain_map(attributes: Mapping[str, Any] | None) -> dict[str, Any]: ...
def plain(value: Any) -> Any: ...

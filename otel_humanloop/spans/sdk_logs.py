"""A `LogRecord` of what the SDK hands to a log exporter, whichever of its versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from otel_humanloop.spans import LogRecord, event_name
from otel_humanloop.spans.sdk import plain, plain_map

_LONGEST_TRACE_ID = 1 << 128
_LONGEST_SPAN_ID = 1 << 64


def from_readable_record(readable: Any) -> LogRecord:
    """The same record in our words.

    Args:
        readable: A `ReadableLogRecord`, or a `LogData` of an SDK before 1.39: both hold a `log_record`.
    """
    record = readable.log_record
    attributes = plain_map(cast("Mapping[str, Any] | None", record.attributes))
    return LogRecord(
        trace_id=_hex(record.trace_id, 32, _LONGEST_TRACE_ID),
        span_id=_hex(record.span_id, 16, _LONGEST_SPAN_ID),
        event_name=event_name(getattr(record, "event_name", None), attributes),
        time_ns=record.timestamp or record.observed_timestamp or 0,
        body=plain(record.body),
        attributes=attributes,
    )


def _hex(number: int | None, digits: int, limit: int) -> str | None:
    return f"{number:0{digits}x}" if number and number < limit else None

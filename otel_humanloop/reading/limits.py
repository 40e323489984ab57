"""What the SDK's limits took away from a span, as far as the span shows it.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#attribute-limits
"""

from __future__ import annotations

from otel_humanloop.reading import jsontext
from otel_humanloop.spans import Span

_LENGTH_LIMIT = "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"

_LIMITS = (
    ("dropped_attributes", "attributes", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"),
    ("dropped_events", "events", "OTEL_SPAN_EVENT_COUNT_LIMIT"),
    ("dropped_links", "links", "OTEL_SPAN_LINK_COUNT_LIMIT"),
)

_ENDS = {"[": "]", "{": "}"}


def losses(span: Span) -> list[str]:
    """What was taken, in a sentence each, with the variable that mends it."""
    dropped = [
        f"{number} {what} were dropped by a limit of the OpenTelemetry SDK: raise {variable}"
        for field, what, variable in _LIMITS
        if (number := getattr(span, field))
    ]
    cut_off = [
        f"`{key}` is cut off after {len(value)} characters: raise {_LENGTH_LIMIT}"
        for key, value in span.attributes.items()
        if isinstance(value, str) and _is_cut_off(value)
    ]
    return [*dropped, *cut_off]


def _is_cut_off(text: str) -> bool:
    end = _ENDS.get(text[:1])
    return end is not None and not text.endswith(end) and jsontext.parse(text) is jsontext.NOT_JSON

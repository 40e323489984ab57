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
    lost: list[str] = []
    if span.dropped_attributes or span.dropped_events or span.dropped_links:
        for field, what, variable in _LIMITS:
            number = getattr(span, field)
            if number:
                lost.append(f"{number} {what} were dropped by a limit of the OpenTelemetry SDK: raise {variable}")
    for key, value in span.attributes.items():
        if isinstance(value, str) and value and value[0] in _ENDS and _is_cut_off(value):
            lost.append(f"`{key}` is cut off after {len(value)} characters: raise {_LENGTH_LIMIT}")
    return lost


def _is_cut_off(text: str) -> bool:
    """Whether text that begins as JSON's arrays and objects do is none."""
    return not text.endswith(_ENDS[text[0]]) and jsontext.parse(text) is jsontext.NOT_JSON

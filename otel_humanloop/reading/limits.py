"""What the SDK's limits took away from a span, as far as the span shows it.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#attribute-limits
"""

from __future__ import annotations

from otel_humanloop.reading import jsontext
from otel_humanloop.spans import Span

LENGTH_LIMIT = "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"
"""The variable that limits how long an attribute's value may be."""

_ENDS = {"[": "]", "{": "}"}


def cut_off(span: Span) -> list[str]:
    """Keys of the attributes that hold the beginning of JSON and not its end."""
    return [key for key, value in span.attributes.items() if isinstance(value, str) and _is_cut_off(value)]


def _is_cut_off(text: str) -> bool:
    end = _ENDS.get(text[:1])
    return end is not None and not text.endswith(end) and jsontext.parse(text) is jsontext.NOT_JSON

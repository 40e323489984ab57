"""What went wrong, as OpenTelemetry itself says it on any span, whatever convention wrote the rest.

https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/
"""

from __future__ import annotations

from otel_humanloop.reading.convention import Found
from otel_humanloop.spans import Span, StatusCode

CONVENTION = "opentelemetry"
"""The name `explain` prints for it."""

_ERROR = StatusCode.ERROR
_ERROR_TYPE = "error.type"
_EXCEPTION = "exception"
_EXCEPTION_TYPE = "exception.type"
_EXCEPTION_MESSAGE = "exception.message"


def failure(span: Span) -> Found[str] | None:
    """The failure as "Type: message": of the last exception recorded, else of `error.type` and the status.

    A span has failed when its status says so, or when it names an error's type and its status says nothing. An
    exception that was recorded and handled is not a failure.
    """
    code = span.status.code
    if code is not _ERROR and _ERROR_TYPE not in span.attributes:
        return None  # as nearly all
    error_type = _text(span.attributes.get(_ERROR_TYPE))
    taken = (_ERROR_TYPE,) if error_type else ()
    if code is not _ERROR and (code is StatusCode.OK or not error_type):
        return None
    for event in reversed(span.events):
        if event.name == _EXCEPTION:
            exception_type = _text(event.attributes.get(_EXCEPTION_TYPE)) or error_type
            message = _text(event.attributes.get(_EXCEPTION_MESSAGE)) or span.status.message or ""
            if exception_type or message:
                return Found(_sentence(exception_type, message), f"event {_EXCEPTION}", taken)
    message = span.status.message or ""
    if error_type or message:
        return Found(_sentence(error_type, message), _ERROR_TYPE if error_type else "status.message", taken)
    return Found("Error", "status.code")


def error_type(span: Span) -> str | None:
    """The type of error a span states, without what it says: of the last exception recorded, else `error.type`."""
    for event in reversed(span.events):
        if event.name == _EXCEPTION and (named := _text(event.attributes.get(_EXCEPTION_TYPE))):
            return named
    return _text(span.attributes.get(_ERROR_TYPE)) or None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _sentence(error_type: str, message: str) -> str:
    if not error_type or not message:
        return error_type or message
    said = message.startswith((f"{error_type}:", f"{error_type.rpartition('.')[2]}:"))
    return message if said else f"{error_type}: {message}"

"""What went wrong is said in words, whoever instrumented the span."""

from __future__ import annotations

from typing import Any

import pytest

from otel_humanloop.reading import read
from otel_humanloop.spans import Event, Span, Status, StatusCode

ERROR = StatusCode.ERROR


def failed(
    code: StatusCode, message: str | None = None, error_type: Any = None, exceptions: tuple[tuple[Any, Any], ...] = ()
) -> Span:
    return Span(
        trace_id="1" * 32,
        span_id="2" * 16,
        status=Status(code=code, message=message),
        attributes={} if error_type is None else {"error.type": error_type},
        events=tuple(
            Event(name="exception", attributes={"exception.type": kind, "exception.message": text})
            for kind, text in exceptions
        ),
    )


@pytest.mark.parametrize(
    ("span", "error"),
    [
        (failed(ERROR, "nope", None, (("ValueError", "first"), ("a.KeyError", "'k'"))), "a.KeyError: 'k'"),
        (failed(ERROR, "nope", "Timeout"), "Timeout: nope"),
        (failed(ERROR, "RateLimitError: slow down", "openai.RateLimitError"), "RateLimitError: slow down"),
        (failed(ERROR, "nope"), "nope"),
        (failed(ERROR, None, "Timeout"), "Timeout"),
        (failed(ERROR), "Error"),
        (failed(ERROR, None, None, (("ValueError", ""),)), "ValueError"),
        (failed(ERROR, "nope", "Timeout", ((None, None),)), "Timeout: nope"),
        (failed(ERROR, None, 5, ((5, b"x"),)), "Error"),
        (failed(StatusCode.UNSET, None, "Timeout"), "Timeout"),
        (failed(StatusCode.OK, None, "Timeout"), None),
        (failed(StatusCode.UNSET, None, None, (("ValueError", "was handled"),)), None),
        (failed(StatusCode.OK), None),
    ],
)
def test_a_failure_is_the_exceptions_type_and_message(span: Span, error: str | None):
    assert read(span).operation.error == error


def test_where_it_was_read_is_known():
    reading = read(failed(ERROR, "nope", "Timeout"))
    assert (reading.sources["error"].convention, reading.sources["error"].key) == ("opentelemetry", "error.type")
    assert reading.taken == {"error.type"}

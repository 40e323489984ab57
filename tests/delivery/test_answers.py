from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_humanloop.delivery.answers import MAX_DETAIL, Answer, created, reason, retry_after, updated
from otel_humanloop.errors import Refused, Unavailable

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
URL = "https://humanloop.example/v4/logs"


def answer(status: int, body: Any = b"", **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = httpx.Headers({name.replace("_", "-"): value for name, value in headers.items()})
    return Answer(url=URL, status=status, headers=named, content=content)


ONE = [{"id": "data_1", "project_id": "pr_1", "session_id": None}]


@pytest.mark.parametrize("status", [200, 201, 202])
def test_as_many_ids_as_logs_is_an_acknowledgement(status: int) -> None:
    assert created(answer(status, ONE), 1, now=NOW) is None
    assert created(answer(status, ONE * 3), 3, now=NOW) is None
    assert created(answer(status, ONE * 3), None, now=NOW) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!DOCTYPE html><html><title>Welcome to the hotel</title></html>",
        b"ok",
        b"\xff\xfe",
        {},
        ONE[0],
        ONE * 2,
        [{"id": "data_1"}],
        [None],
    ],
    ids=repr,
)
def test_a_success_that_does_not_acknowledge_each_log_came_from_something_in_between(body: Any) -> None:
    error = created(answer(200, body, content_type="text/html"), 1, now=NOW)
    assert isinstance(error, Unavailable)
    assert URL in error.message
    assert "text/html" in error.message
    assert error.hint is not None
    assert "proxy" in error.hint


def test_a_patch_is_acknowledged_by_the_log_it_changed() -> None:
    assert updated(answer(200, {"id": "data_1", "config": {}, "output": "yes"}), now=NOW) is None
    assert isinstance(updated(answer(200, b"<html>"), now=NOW), Unavailable)
    assert isinstance(updated(answer(200, []), now=NOW), Unavailable)
    assert isinstance(updated(answer(200, {"status": "ok"}), now=NOW), Unavailable)
    assert isinstance(updated(answer(204), now=NOW), Unavailable)


def test_a_patched_log_too_long_to_read_whole_is_acknowledged_by_its_beginning() -> None:
    cut = Answer(url=URL, status=200, headers={}, content=b'{"messages": [{"content": "' + b"x" * 100, complete=False)
    assert updated(cut, now=NOW) is None
    page = Answer(url=URL, status=200, headers={}, content=b"<html>" + b"x" * 100, complete=False)
    assert isinstance(updated(page, now=NOW), Unavailable)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_unavailable_and_says_for_how_long(status: int) -> None:
    error = created(answer(status, {"detail": "later"}, Retry_After="7"), 1, now=NOW)
    assert isinstance(error, Unavailable)
    assert error.retry_after == 7
    assert error.message == f"Humanloop answered {status}: later"


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422, 431, 451])
def test_what_will_not_pass_is_refused_with_the_reason(status: int) -> None:
    for error in (created(answer(status, {"detail": "no"}), 1, now=NOW), updated(answer(status, b"no"), now=NOW)):
        assert isinstance(error, Refused)
        assert (error.status, error.detail) == (status, "no")


def test_a_wrong_key_and_a_wrong_address_say_which_variable_to_set() -> None:
    assert "HUMANLOOP_API_KEY" in str(created(answer(401), 1, now=NOW))
    assert "HUMANLOOP_BASE_URL" in str(created(answer(404), 1, now=NOW))


@pytest.mark.parametrize(
    ("location", "target", "base_url"),
    [
        ("https://new.example/v4/logs", "https://new.example/v4/logs", "https://new.example/v4"),
        ("/other/v4/logs/", "https://humanloop.example/other/v4/logs/", "https://humanloop.example/other/v4"),
        ("http://a.example/v4/logs?reference_id=1", "http://a.example/v4/logs?reference_id=1", "http://a.example/v4"),
    ],
)
def test_a_redirect_says_what_the_base_url_should_be(location: str, target: str, base_url: str) -> None:
    error = created(answer(301, location=location), 1, now=NOW)
    assert isinstance(error, Refused)
    assert error.detail == f"redirected to {target}"
    assert error.hint == f"set HUMANLOOP_BASE_URL to {base_url}"


def test_a_redirect_to_a_login_page_is_not_taken_for_a_new_address() -> None:
    error = created(answer(302, location="https://login.example/start"), 1, now=NOW)
    assert isinstance(error, Refused)
    assert error.hint is not None
    assert "HUMANLOOP_BASE_URL" not in error.hint
    assert isinstance(created(answer(304), 1, now=NOW), Refused)


def test_a_redirect_to_what_is_no_address_is_a_refusal_that_says_so() -> None:
    error = created(answer(302, location="http://[\x00/v4/logs"), 1, now=NOW)
    assert isinstance(error, Refused)
    assert error.detail == "redirected to `http://[ /v4/logs`, which is no address"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {
                "detail": [
                    {"loc": ["body", 0, "project"], "msg": "field required", "type": "value_error.missing"},
                    {"loc": ["body", 1, "config", "model"], "msg": "not text", "type": "type_error"},
                ]
            },
            "body.0.project: field required; body.1.config.model: not text",
        ),
        ({"detail": {"type": "x", "message": "no such project", "code": 404}}, "no such project"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"message": "Forbidden"}, "Forbidden"),
        ({"error": {"message": "quota"}}, "quota"),
        ({"errors": ["a", "b"]}, "a; b"),
        ({"detail": ""}, '{"detail": ""}'),
        ([1, 2], "[1, 2]"),
        (b"plain\r\n  \x1b[31mtext\x00", "plain [31mtext"),
        (b"", "Unprocessable"),
        (b"[" * 60_000, "[" * (MAX_DETAIL - 1) + "…"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_the_reason_is_the_readable_part_of_what_the_server_said(body: Any, text: str) -> None:
    assert reason(answer(422, body)).startswith(text)


def test_a_status_no_one_knows_and_an_empty_body_still_have_a_reason() -> None:
    assert reason(answer(499)) == "no reason given"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["detail", "msg", "loc", "error"]), inner),
)


@given(st.binary() | json_values)
def test_any_body_gives_a_bounded_printable_line(body: Any) -> None:
    line = reason(answer(422, body))
    assert line
    assert len(line) <= MAX_DETAIL
    assert line.isprintable()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0),
        (" 120 ", 120),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60),
        ("Tue, 14 Nov 2023 22:12:20 GMT", 0),
        ("Tuesday, 14-Nov-23 22:14:20 GMT", 60),
        ("Tue Nov 14 22:14:20 2023", 60),
        ("-5", None),
        ("1e9", None),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, now=NOW) == seconds


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system cannot change its time zone")
def test_a_date_without_a_time_zone_is_in_gmt_wherever_this_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        assert retry_after("Tue Nov 14 22:14:20 2023", now=NOW) == 60
    time.tzset()


@given(st.text())
def test_no_retry_after_header_is_too_strange(header: str) -> None:
    seconds = retry_after(header, now=NOW)
    assert seconds is None or seconds >= 0

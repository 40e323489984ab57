"""What the setting `redact` finds, what it leaves alone, and that it fails closed."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_humanloop.edge import Edge
from otel_humanloop.logs.naming import MARK
from otel_humanloop.logs.redact import Redactor
from otel_humanloop.logs.rules import Rules, rules_of
from otel_humanloop.logs.secrets import SECRETS
from otel_humanloop.notices import Notices
from otel_humanloop.settings import load
from otel_humanloop.spans import LogRecord, Span
from otel_humanloop.values import REDACTION_SETS

FOUND = {
    "api_keys": [
        "sk-proj-Ab3dEf6hIj9lMn2pQr5tUv8x",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "AIzaSyA1234567890abcdefghijklmnopqrstuv",
        "xoxb-1234567890-abcdefghij",
        "hl_sk_0123456789abcdef0123456789abcdef",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
    ],
    "bearer": [
        "Bearer abcdef1234567890",
        "authorization: Basic dXNlcjpwYXNzd29yZA==",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    ],
    "email": ["ada@example.com", "ada.lovelace+x@mail.example.co.uk", "ÅSE@exämple.se"],
    "phone": ["+46 8 123 456 78", "+1 (415) 555-2671", "(415) 555-2671", "415-555-2671", "+4915112345678"],
    "card": ["4111 1111 1111 1111", "5500-0000-0000-0004", "340000000000009", "4111111111111111"],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "de89370400440532013000"],
}

LEFT = {
    "api_keys": ["sk-learn is a library", "the token was short", "risk-averse", "desk-2 and disk-3"],
    "bearer": ["the bearer of news", "a basic idea", "eyJ is how they begin"],
    "email": ["at @home", "a@b", "3 @ 4.50"],
    "phone": ["2024-05-06 10:11:12", "192.168.100.200", "1,234,567", "gpt-4o-2024-08-06", "12345678", "v1.2.3"],
    "card": ["4111 1111 1111 1112", "1732348800000000000", "1234567812345670", "3.141592653589793"],
    "iban": ["DE88 3704 0044 0532 0130 00", "GPT4 TURBO 128K CONTEXT", "AB12 CDEF"],
}


def rules(*entries: Any) -> Rules:
    return rules_of(entries, edge=Edge(Notices(), "redact", "a rule failed"))


def test_the_sets_are_those_the_setting_knows() -> None:
    assert tuple(SECRETS) == REDACTION_SETS == tuple(FOUND) == tuple(LEFT)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in FOUND.items() for text in texts])
@pytest.mark.parametrize("around", ["{}", "It is {}, I think.", '{{"said": "({})"}}', "first line\n{}\nlast line"])
def test_what_a_set_stands_for_is_found_wherever_it_stands(name: str, text: str, around: str) -> None:
    secret = text.removeprefix("authorization: ")
    written = around.format(json.dumps(text)[1:-1] if around.startswith("{{") else text)
    redacted = rules(name).text("content", written)
    assert f"{MARK}:{name}]" in redacted
    assert secret not in redacted
    assert json.dumps(secret)[1:-1] not in redacted


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in LEFT.items() for text in texts])
def test_what_only_looks_like_it_is_left_alone(name: str, text: str) -> None:
    assert rules(name).text("content", text) == text


def test_what_follows_a_number_is_not_swallowed_with_it() -> None:
    text = "Pay DE89 3704 0044 0532 0130 00 BY MONDAY with 4111 1111 1111 1111 12 times"
    assert rules("iban", "card").text("content", text) == (f"Pay {MARK}:iban] BY MONDAY with {MARK}:card] 12 times")


@pytest.mark.parametrize("name", ["password", "db.password", "API_KEY", "x-api-key", "client_secret", "headers.token"])
def test_a_key_that_names_a_secret_hides_its_value_of_any_kind(name: str) -> None:
    for value in ("hunter2", 42, ["a", "b"], {"deep": "er"}, b"bytes"):
        assert rules("api_keys").value(name, value) == f"{MARK}:api_keys]"
    assert rules("api_keys").value(name, None) is None


@pytest.mark.parametrize("name", ["max_tokens", "prompt_tokens", "tokenizer", "keyboard", "author"])
def test_a_key_that_only_resembles_one_does_not(name: str) -> None:
    assert rules("api_keys", "bearer").value(name, "plain") == "plain"


def test_json_within_texts_is_looked_into_however_it_is_escaped_and_nested() -> None:
    arguments = json.dumps({"user": "ada", "password": "hunter2", "mail": "ada@example.com"})
    message = json.dumps([{"role": "assistant", "tool_calls": [{"function": {"arguments": arguments}}]}])
    escaped = message.replace("@", "\\\\u0040")
    for text in (message, escaped, json.dumps(message)):
        redacted = rules("email", "key:^password$").text("messages", text)
        assert redacted.count(MARK) == 2
        assert "hunter2" not in redacted
        assert "example.com" not in redacted
        assert "ada" in redacted


def test_json_without_anything_to_redact_keeps_every_character() -> None:
    text = '{ "a" : 1.0,  "b": [1e3, "\\u00e9"], "a": 2 }'
    assert rules("email", "key:secret").text("content", text) == text


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Ada", "password": "hunter2", "long": "aaaa',
        "{'name': 'Ada', 'password': 'hunter2'}",
        'Result: {"name": "Ada", "password": {"old": "hunter2", "new": "hunter3"}}',
        '{\\"name\\": \\"Ada\\", \\"password\\": \\"hunter2\\"',
        '{"name": "Ada", "pass\\u0077ord": "hunter2", "long": "aaaa',
    ],
)
def test_a_text_that_cannot_be_taken_apart_ends_at_the_key_that_is_to_be_redacted(text: str) -> None:
    redacted = rules("key:^password$").text("content", text)
    assert "hunter" not in redacted
    assert "Ada" in redacted
    assert redacted.endswith(f"{MARK}:key]")


def test_numbers_and_bytes_are_looked_at_too() -> None:
    redacted = rules("card", "email").mapping(
        {"n": 4111111111111111, "b": b"to ada@example.com", "tokens": 12, "ok": True}
    )
    assert redacted == {"n": f"{MARK}:card]", "b": f"to {MARK}:email]", "tokens": 12, "ok": True}


def test_a_callable_is_given_key_and_text_and_its_answer_stands() -> None:
    def hide(key: str, text: str) -> str:
        return text.upper() if key == "a" else text

    assert rules(hide).mapping({"a": "x", "b": "y", "c": {"a": ["z", 1]}}) == {"a": "X", "b": "y", "c": {"a": ["Z", 1]}}


@pytest.mark.parametrize("answer", [None, 3, b"x", ["text"]])
def test_a_callable_that_answers_with_no_text_leaves_none(answer: Any) -> None:
    assert rules(lambda _key, _text: answer).text("a", "secret") == f"{MARK}]"


def test_a_callable_that_fails_costs_the_text_and_not_the_span(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_key: str, text: str) -> str:
        raise RuntimeError(f"cannot hide {text}")

    redactor = Redactor(load({"redact": fail}, environ={}), notices=Notices())
    span = Span(trace_id="1" * 32, span_id="2" * 16, name="secret", attributes={"a": "secret", "n": 3})
    redacted = redactor.span(span)
    assert redacted.attributes == {"a": f"{MARK}:failed]", "n": 3}
    assert b"secret" not in msgspec.msgpack.encode(redacted)
    assert "secret" not in caplog.text
    assert len(caplog.records) == 1


class Unreadable(dict[str, Any]):
    """A map that cannot be looked into."""

    def items(self) -> Any:
        raise RuntimeError("secret")


def test_whatever_else_fails_costs_the_content_and_not_the_span(caplog: pytest.LogCaptureFixture) -> None:
    redactor = Redactor(load({"redact": "email"}, environ={}), notices=Notices())
    span = Span(trace_id="1" * 32, span_id="2" * 16, name="secret", attributes={"a": Unreadable(secret="secret")})
    redacted = redactor.span(span)
    assert (redacted.trace_id, redacted.span_id, redacted.name) == (span.trace_id, span.span_id, "step")
    assert b"secret" not in msgspec.msgpack.encode(redacted)
    record = LogRecord(event_name="gen_ai.choice", body=Unreadable(secret="secret"))
    assert redactor.record(record) is None
    assert "secret" not in caplog.text


def test_a_session_whose_name_was_redacted_is_none_lest_two_become_one() -> None:
    from otel_humanloop.logs.draft import draft

    redactor = Redactor(load({"redact": "email"}, environ={}), notices=Notices())
    attributes = {"humanloop.session": "ada@example.com", "humanloop.user": "ada@example.com"}
    read = draft(redactor.span(Span(trace_id="1" * 32, span_id="2" * 16, attributes=attributes)))
    assert (read.session, read.user) == (None, f"{MARK}:email]")


NESTED = st.recursive(
    st.text() | st.integers() | st.floats() | st.binary() | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(attributes=st.dictionaries(st.text(), NESTED, max_size=4))
def test_nothing_to_redact_changes_nothing_and_nothing_raises(attributes: dict[str, Any]) -> None:
    never = rules("value:(?!)", "key:(?!)", lambda _key, text: text)
    assert repr(never.mapping(attributes)) == repr(attributes)
    rules(*REDACTION_SETS).mapping(attributes)


@given(before=st.text(max_size=20), after=st.text(max_size=20))
def test_a_secret_is_found_between_any_texts(before: str, after: str) -> None:
    text = f"{before} sk-0123456789abcdefghij {after}"
    assert "sk-0123456789abcdefghij" not in rules("api_keys").text("content", text)
    assert "sk-0123456789abcdefghij" not in rules("api_keys").text("content", json.dumps({"a": [text]}))


@pytest.mark.parametrize(
    "text",
    [
        "a" * 200_000,
        "1 " * 100_000,
        "+1-" * 60_000,
        "sk-" * 60_000,
        "a@" * 100_000,
        "DE89 " * 40_000,
        '"a' * 100_000,
        '\\"a' * 60_000,
        "-----BEGIN PRIVATE KEY-----" * 5_000,
        "eyJ" + "a." * 90_000,
        "[" * 100_000,
        "://a:" * 40_000,
    ],
    ids=lambda text: text[:8],
)
def test_no_text_makes_it_slow(text: str) -> None:
    began = time.process_time()
    rules(*REDACTION_SETS).text("content", text)
    assert time.process_time() - began < 3

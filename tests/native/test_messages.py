"""Messages, by the compiled module and by its twin in Python: they say the same of any text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from corpus import captures
from hypothesis import example, given
from hypothesis import strategies as st

from otel_humanloop.logs import casting
from otel_humanloop.operation import Media, Message, Reasoning, Text, ToolCall
from otel_humanloop.reading import usual

if not hasattr(usual.conversation, "__wrapped__"):
    pytest.skip("not built, or not to be used: make native", allow_module_level=True)

ODD = ['"', "\\", "\\u", "\\ud800", "\n", "\x00", "{", "]"]

ROLES = st.sampled_from(["user", "assistant", "system", "tool", "developer", "", "ä"])


def outcome(work: Any, *given: Any) -> Any:
    """What comes of it, be it an error."""
    try:
        return work(*given)
    except (casting.Unusual, ValueError) as error:
        return type(error)


def hold_read(text: str, role: str = "user") -> None:
    assert outcome(usual.conversation, text, role) == outcome(usual.conversation.__wrapped__, text, role)


def hold_written(messages: tuple[Message, ...]) -> None:
    for work in (casting.written, casting.answer):
        assert outcome(work, messages) == outcome(work.__wrapped__, messages)


PARTS = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "content": st.text(max_size=6)}),
    st.fixed_dictionaries({"content": st.text(max_size=6), "type": st.sampled_from(["text", "reasoning"])}),
    st.dictionaries(st.sampled_from(["type", "content", "id", "x"]), st.sampled_from(["text", None, 1]), max_size=3),
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.one_of(ROLES, st.none()), "parts": st.lists(PARTS, max_size=3)},
    optional={
        "name": st.one_of(st.text(max_size=3), st.none()),
        "finish_reason": st.sampled_from(["stop", "", None, 1]),
        "other": st.integers(),
    },
)


@given(st.lists(MESSAGES, max_size=3), st.sampled_from(["user", "assistant", "tool"]), st.booleans(), st.booleans())
def test_messages_are_read_the_same(messages: list[Any], role: str, ascii_only: bool, spaced: bool) -> None:
    hold_read(json.dumps(messages, ensure_ascii=ascii_only, indent=1 if spaced else None), role)


@given(st.lists(MESSAGES, max_size=2), st.data())
def test_of_what_is_no_json_the_same_is_said(messages: list[Any], data: st.DataObject) -> None:
    text = json.dumps(messages, ensure_ascii=data.draw(st.booleans()))
    at = data.draw(st.integers(0, len(text)))
    until = data.draw(st.integers(at, len(text)))
    put = data.draw(
        st.one_of(st.text(max_size=3), st.sampled_from(['"', "\\", "\\u", "\\ud800", "\n", "\x00", "{", "]"]))
    )
    hold_read(text[:at] + put + text[until:])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        " [ ] ",
        "[",
        "[{}]",
        '[{"parts": []}]',
        '[{"parts": [], "parts": []}]',
        '[{"role": "user", "parts": [{"type": "text", "content": "a", "content": "b"}]}]',
        '[{"role": "user", "parts": [{"type": "text", "content": "a\\"b\\\\"}]}]',
        '[{"role": "user", "parts": [{"type": "text", "content": "a\\\\"}]}]x',
        '[{"role": "user", "parts": [{"type": "text", "content": "\\u00e4\\ud83d\\ude00"}]}]',
        '[{"role": "user", "parts": [{"type": "text", "content": "\\ud83d"}]}]',
        '[{"role": "user", "parts": [{"type": "text", "content": "\ud83d"}]}]',
        '[{"role": "user", "parts": [{"type": "text", "content": "\x1f"}]}]',
        '[{"role": "user", "parts": [{"type": "text", "content": "\x7f\x80"}]}]',
        '[{"role": "user", "parts": [{"type": "text", "content": "a"}]},]',
        '[{"role": "user", "parts": [{"type": "text", "content": "a"}],}]',
        '[{"role": "user", "parts": [{"type": "text", "content": "a"}]}',
        '[{"role": "user", "parts": [{"type": "text", "content": "a',
        '[{"role": "user", "parts": [{"type": "text", "content": "a\\',
        '[{"ro\\u006ce": "user", "parts": [{"type": "text", "content": "a"}]}]',
        '[{"role": nul, "parts": []}]',
        '[{"role": null, "parts": [], "name": nullx}]',
        '[{"role": "tool", "parts": [{"type": "text", "content": "a"}]}]',
        '\x00[{"role": "user", "parts": []}]',
        "\ufeff[]",
        "\u00a0[]",
        "null",
        "{}",
        "[" * 100_000,
    ],
    ids=lambda text: ascii(text[:40]),
)
def test_whatever_is_odd_is_read_the_same(text: str) -> None:
    hold_read(text)


def test_whatever_was_captured_is_read_and_written_the_same() -> None:
    number = 0
    for path in captures.files():
        for span in captures.spans(captures.name_of(path)):
            for key in ("gen_ai.input.messages", "gen_ai.output.messages"):
                text = span.attributes.get(key)
                if isinstance(text, str):
                    hold_read(text)
                    hold_written(usual.conversation(text, "user") or ())
                    number += 1
    assert number > 400


SAID = st.one_of(
    st.builds(Text, text=st.text(max_size=8)),
    st.builds(ToolCall, name=st.text(max_size=3)),
    st.builds(Reasoning, text=st.text(max_size=3)),
    st.builds(Media, modality=st.just("image"), url=st.text(max_size=3)),
)


NAMES = st.sampled_from([None, "", "n"])
SPOKEN = st.builds(Message, role=ROLES, parts=st.lists(SAID, max_size=2).map(tuple), name=NAMES)


@example((Message(role="user", parts=(Text(text="".join(map(chr, range(0x250)))),)),))
@example((Message(role="user", parts=(Text(text="\ud83d"),)),))
@example(())
@given(
    st.lists(
        st.builds(
            Message, role=ROLES, parts=st.lists(SAID, max_size=2).map(tuple), name=st.sampled_from([None, "", "n"])
        ),
        max_size=3,
    ).map(tuple)
)
def test_messages_are_written_the_same(messages: tuple[Message, ...]) -> None:
    hold_written(messages)

"""Messages in the usual shapes are decoded at once, and are what the general way makes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_humanloop.operation import Message, Reasoning, Text, ToolCall, ToolResult
from otel_humanloop.reading import messages, usual
from otel_humanloop.reading.values import as_structure

ODD = st.sampled_from([None, "", 0, True, [], {}, ["a"], {"a": {}}, "[{", '[{"type": "text", "text": "a"}]', "tool"])
WORDS = st.text(max_size=8) | ODD
ARGUMENTS = st.dictionaries(st.text(max_size=3), st.integers() | st.floats(allow_nan=False) | WORDS, max_size=3) | WORDS
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "content": WORDS,
    "name": WORDS,
    "arguments": ARGUMENTS,
    "id": WORDS,
    "call_id": WORDS,
    "response": WORDS,
    "text": WORDS,
}
PARTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "reasoning", "tool_call", "tool_call_response", "image", 1])},
    optional=FIELDS,
)
MESSAGES = st.fixed_dictionaries(
    {"parts": st.lists(PARTS | ODD, max_size=3) | ODD},
    optional={
        "role": st.sampled_from(["user", "tool", "assistant", ""]) | ODD,
        "name": WORDS,
        "finish_reason": WORDS,
        "content": WORDS,
    },
)


@given(st.lists(MESSAGES | ODD, max_size=3) | ODD, st.sampled_from(["user", "assistant"]))
@settings(max_examples=500, deadline=None)
def test_what_is_decoded_at_once_is_what_the_general_way_makes_of_it(value: Any, role: str):
    text = json.dumps(value)
    at_once = usual.conversation(text, role)
    assert at_once is None or at_once == messages.conversation(role)(as_structure(text))


@given(st.lists(PARTS | ODD, max_size=3) | ODD)
@settings(max_examples=300, deadline=None)
def test_so_are_instructions(value: Any):
    text = json.dumps(value)
    at_once = usual.instructions(text)
    assert at_once is None or at_once == messages.instructions(as_structure(text))


def test_the_usual_shapes_are():
    written = [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {"parts": [{"type": "text", "content": "Why?"}], "name": "Zoë"},
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Hm."},
                {"type": "tool_call", "id": "1", "name": "search", "arguments": {"q": "why", "n": 3}},
            ],
            "finish_reason": "tool_call",
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "Because."}]},
    ]
    assert usual.conversation(json.dumps(written), "user") == (
        Message(role="system", parts=(Text(text="Be brief."),)),
        Message(role="user", parts=(Text(text="Why?"),), name="Zoë"),
        Message(
            role="assistant",
            parts=(Reasoning(text="Hm."), ToolCall(name="search", id="1", arguments='{"q":"why","n":3}')),
            finish_reason="tool_call",
        ),
        Message(role="tool", parts=(ToolResult(text="Because.", id="1"),)),
    )


@pytest.mark.parametrize(
    "text",
    [
        '[{"role": "user", "content": "OpenAI\'s"}]',
        '[{"role": "user", "parts": [{"type": "text", "content": "cut o',
        '[{"role": "tool", "parts": [{"type": "text", "content": "a result"}]}]',
        '[{"role": "user", "parts": [{"type": "text", "content": "\\ud83d"}]}]',
        '[{"role": "user", "parts": [{"type": "reasoning", "content": "[{\\"type\\": \\"text\\"}]"}]}]',
        '[{"role": "user", "parts": [{"type": "tool_call", "name": "f", "arguments": {"a": {"b": 1}}}]}]',
        "\ud83d",
        "plain words",
    ],
)
def test_anything_else_is_left_to_the_general_way(text: str):
    assert usual.conversation(text, "user") is None


@given(st.lists(st.sampled_from(["plain words", '[{"role": "user", "parts": []}]', "[]", 3, None, ["a", "list"]])))
def test_what_one_text_came_to_is_given_for_no_other(values: list[Any]):
    parse, make = messages.written("user"), messages.conversation("user")
    for value in values:
        assert parse(value) == parse(value) == make(as_structure(value))

"""Chat messages come out alike, in whatever shape they went in."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from otel_humanloop.operation import (
    Media,
    Message,
    Other,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolDefinition,
    ToolResult,
)
from otel_humanloop.reading import bodies, messages
from otel_humanloop.reading.parts import part, parts, text_of

CALL = ToolCall(name="f", id="call_1", arguments='{"a":1}')


@pytest.mark.parametrize(
    "written",
    [
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "call_1", "name": "f", "arguments": {"a": 1}}]},
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "call_1", "name": "f", "arguments": '{"a":1}'}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}],
        },
        {"role": "assistant", "tool_calls": [{"id": "call_1", "name": "f", "arguments": '{"a":1}'}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}}]},
        {"type": "function_call", "id": "fc_9", "call_id": "call_1", "name": "f", "arguments": '{"a":1}'},
        {
            "message": {
                "role": "assistant",
                "tool_calls": [{"tool_call": {"id": "call_1", "function": {"name": "f", "arguments": '{"a":1}'}}}],
                "contents": [{"message_content": {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}}}],
            }
        },
    ],
)
def test_a_call_of_a_tool(written: Any):
    assert messages.message(written, "user") == Message(role="assistant", parts=(CALL,))


@pytest.mark.parametrize(
    "written",
    [
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": {"t": 18}}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "result": '{"t":18}'}]},
        {"role": "tool", "content": '{"t":18}', "tool_call_id": "call_1"},
        {"type": "function_call_output", "call_id": "call_1", "output": '{"t":18}'},
        {"role": "tool", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": '{"t":18}'}]},
    ],
)
def test_the_result_of_a_tool(written: Any):
    assert messages.message(written, "user") == Message(role="tool", parts=(ToolResult(text='{"t":18}', id="call_1"),))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"type": "text", "content": "hi"}, Text(text="hi")),
        ({"type": "output_text", "text": "hi"}, Text(text="hi")),
        ({"text": "hi"}, Text(text="hi")),
        ("hi", Text(text="hi")),
        ({"type": "text"}, Text(text="")),
        ({"type": "refusal", "refusal": "no"}, Refusal(text="no")),
        ({"type": "reasoning", "content": "hm"}, Reasoning(text="hm")),
        ({"type": "reasoning", "content": '[{"text": "hm", "type": "summary_text"}]'}, Reasoning(text="hm")),
        ({"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}, Reasoning(text="hm")),
        ({"type": "thinking", "thinking": "hm", "signature": "s"}, Reasoning(text="hm")),
        ({"type": "tool_result", "content": [{"type": "text", "text": "18"}]}, ToolResult(text="18")),
        (
            {"type": "uri", "modality": "image", "uri": "https://e.org/c.png"},
            Media(modality="image", url="https://e.org/c.png"),
        ),
        (
            {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "AA=="},
            Media(modality="audio", url="data:audio/wav;base64,AA==", mime_type="audio/wav"),
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://e.org/c.png", "detail": "low"}},
            Media(modality="image", url="https://e.org/c.png", detail="low"),
        ),
        (
            {"type": "input_image", "image_url": "https://e.org/c.png", "detail": "low"},
            Media(modality="image", url="https://e.org/c.png", detail="low"),
        ),
        (
            {"message_content": {"type": "image", "image": {"image": {"url": "https://e.org/c.png"}}}},
            Media(modality="image", url="https://e.org/c.png"),
        ),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
            Media(modality="image", url="data:image/png;base64,AA==", mime_type="image/png"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}},
            Media(modality="audio", url="data:audio/mp3;base64,AA==", mime_type="audio/mp3"),
        ),
        ({"type": "file", "file": {"file_id": "file-1"}}, Media(modality="file", file_id="file-1")),
        ({"type": "input_file", "file_id": "file-1"}, Media(modality="file", file_id="file-1")),
        ({"type": "file", "modality": "video", "file_id": "f"}, Media(modality="video", file_id="f")),
        ({"type": "of_tomorrow", "x": 1}, Other(value={"type": "of_tomorrow", "x": 1})),
        ({"type": "uri"}, Other(value={"type": "uri"})),
        ({"type": ["text"]}, Other(value={"type": ["text"]})),
        (7, Other(value=7)),
    ],
)
def test_a_part(written: Any, expected: Part):
    assert part(written) == expected


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"content": "a", "reasoning_content": "hm"}, (Reasoning(text="hm"), Text(text="a"))),
        ({"content": None, "refusal": "no"}, (Refusal(text="no"),)),
        ({"function_call": {"name": "f", "arguments": '{"a":1}'}}, (msgspec.structs.replace(CALL, id=None),)),
        ({"audio": {"id": "audio_1"}}, (Media(modality="audio", file_id="audio_1", mime_type="audio/wav"),)),
        (
            {"content": [{"type": "document", "source": {"type": "url", "url": "u"}}]},
            (Media(modality="file", url="u"),),
        ),
        ({"tool_calls": [5, {"id": "call_1", "name": "f", "arguments": {"a": 1}}]}, (CALL,)),
        ({"content": {"type": "text", "text": "a"}}, (Text(text="a"),)),
    ],
)
def test_what_a_message_says_wherever_it_stands(written: Any, said: tuple[Part, ...]):
    assert messages.message({"role": "assistant", **written}, "user") == Message(role="assistant", parts=said)


def test_text_that_only_looks_like_json_stays_text():
    assert parts('[{"city": "Paris"}]') == (Text(text='[{"city": "Paris"}]'),)
    assert parts('[{"type": "text", "text": "a') == (Text(text='[{"type": "text", "text": "a'),)


def test_json_text_that_is_a_list_of_parts_is_opened():
    assert parts('[{"type": "text", "text": "a"}]') == (Text(text="a"),)


def test_no_content_and_empty_content_are_told_apart():
    assert messages.message({"role": "assistant", "content": None}, "user").parts == ()
    assert messages.message({"role": "assistant", "content": ""}, "user").parts == (Text(text=""),)


def test_text_alone_is_a_message_of_the_side_it_stands_on():
    assert messages.conversation("assistant")("cut [") == (Message(role="assistant", parts=(Text(text="cut ["),)),)
    assert messages.conversation("user")(["a"]) == (Message(role="user", parts=(Text(text="a"),)),)
    assert messages.conversation("user")([]) == ()


def test_the_texts_of_mixed_parts_are_lines():
    assert text_of((Text(text="a"), Media(modality="image", url="u"), CALL)).splitlines()[:2] == ["a", "u"]


@pytest.mark.parametrize(
    "written",
    [
        {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}},
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}},
        {"name": "f", "description": "d", "input_schema": {"type": "object"}},
        {"name": "f", "description": "d", "parameters": '{"type": "object"}'},
        '{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}',
    ],
)
def test_a_tool_that_is_offered(written: Any):
    assert messages.tool_definitions([written, {"no": "name"}, 5]) == (
        ToolDefinition(name="f", description="d", parameters={"type": "object"}),
    )


def test_no_tool_with_a_name_is_no_tools():
    assert messages.tool_definitions([{"no": "name"}]) is None


def test_a_request_is_read_in_each_of_its_shapes():
    hi = Message(role="user", parts=(Text(text="hi"),))
    assert bodies.request_messages('{"messages": [{"role": "user", "content": "hi"}]}') == (hi,)
    assert bodies.request_messages('{"input": "hi", "instructions": "be kind"}') == (
        Message(role="system", parts=(Text(text="be kind"),)),
        hi,
    )
    assert bodies.request_messages('{"prompt": "hi"}') == (hi,)
    assert bodies.request_messages('{"messages": [[{"lc": 1}]]}') is None
    assert bodies.request_messages('{"messages": [') is None


def test_an_answer_is_read_in_each_of_its_shapes():
    chat = '{"choices": [{"message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}, {"text": "b"}]}'
    assert bodies.answer_messages(chat) == (
        Message(role="assistant", parts=(Text(text="a"),), finish_reason="stop"),
        Message(role="assistant", parts=(Text(text="b"),)),
    )
    items = (
        '{"output": [{"type": "reasoning", "summary": []}, {"type": "message", "role": "assistant", "content": "a"}]}'
    )
    assert bodies.answer_messages(items) == (Message(role="assistant", parts=(Reasoning(text=""), Text(text="a"))),)
    assert bodies.answer_messages('{"id": 5}') is None


@pytest.mark.parametrize("choices", ["\ud83d cut", "text", 5, [None], {"message": {}}])
def test_choices_that_are_none_say_nothing(choices: Any) -> None:
    assert bodies.choice_messages(choices) is None

"""What the captures are known to hold, asserted by hand: the model server gave the same answers to all of them.

Every chat was given 1117 prompt tokens, 1024 of them from a cache, and 46 output tokens, 32 of them reasoning.
"""

from __future__ import annotations

import json

import pytest
from corpus import captures

from otel_humanloop.operation import Kind, Media, Message, Operation, Reasoning, Text, ToolCall, ToolResult, Usage
from otel_humanloop.reading import read

SYSTEM = Message(role="system", parts=(Text(text="You are helpful."),))
HELLO = Message(role="user", parts=(Text(text="Say hello to Zoë 👋"),))
ANSWER = "Hello! How can I help you today?"
PARIS = ToolCall(name="get_weather", id="call_abc123", arguments='{"city":"Paris"}')
ROME = ToolCall(name="get_weather", id="call_def456", arguments='{"city":"Rome"}')

NEW, OLD, OI, GENAI = (
    "traceloop-openai-0.62.4",
    "traceloop-openai-0.40.14",
    "openinference-openai-0.1.66",
    "genai-openai-1.3b0/span_only",
)

EVERY_CHAT = Usage(prompt_tokens=1117, output_tokens=46, cache_read_tokens=1024, reasoning_tokens=32, total_tokens=1163)


def operation(name: str, span: str | None = None) -> Operation:
    """The operation of a capture's only span, or of the only one with a name."""
    [found] = [each for each in captures.spans(name) if span is None or each.name == span]
    return read(found).operation


@pytest.mark.parametrize(
    ("capture", "usage"),
    [
        (f"{NEW}/chat", EVERY_CHAT),
        (f"{OLD}/chat", Usage(prompt_tokens=1117, output_tokens=46, cache_read_tokens=1024, total_tokens=1163)),
        (f"{GENAI}/chat", Usage(prompt_tokens=1117, output_tokens=46, cache_read_tokens=1024, reasoning_tokens=32)),
        (
            f"{OI}/chat_tools",
            Usage(
                prompt_tokens=1117,
                output_tokens=46,
                cache_read_tokens=1024,
                reasoning_tokens=32,
                audio_prompt_tokens=0,
                audio_output_tokens=0,
                total_tokens=1163,
            ),
        ),
        (f"{NEW}/embeddings", Usage(prompt_tokens=8, cache_read_tokens=0, total_tokens=8)),
        (f"{OI}/nocontent/embeddings", Usage(prompt_tokens=8, total_tokens=8)),
        (f"{NEW}/completion", Usage(prompt_tokens=5, output_tokens=6, total_tokens=11)),
        (f"{OI}/completion", Usage(prompt_tokens=5, output_tokens=6, total_tokens=11)),
        (f"{OLD}/chat_stream_usage", None),
        (f"{NEW}/chat_stream", None),
    ],
)
def test_tokens_are_those_the_model_server_counted(capture: str, usage: Usage | None):
    assert operation(capture).usage == usage


@pytest.mark.parametrize("capture", [f"{NEW}/chat", f"{OLD}/chat", f"{GENAI}/chat", f"{OI}/async_chat"])
def test_a_chat_is_a_model_call_with_its_messages(capture: str):
    read = operation(capture)
    assert read.kind is Kind.MODEL
    assert read.endpoint == "chat"
    assert read.provider == "openai"
    assert read.request_model == "gpt-4o"
    assert read.response_model == "gpt-4o-2024-08-06"
    assert read.messages == (SYSTEM, HELLO)
    assert read.output_messages == (Message(role="assistant", parts=(Text(text=ANSWER),), finish_reason="stop"),)
    assert read.finish_reasons == ("stop",)
    assert read.response_id is not None
    assert read.response_id.startswith("chatcmpl-")
    assert read.error is None


@pytest.mark.parametrize(
    ("capture", "parameters"),
    [
        (
            f"{NEW}/chat",
            {"temperature": 0.2, "top_p": 0.9, "max_tokens": 100, "frequency_penalty": 0.1, "presence_penalty": 0.2},
        ),
        (
            f"{OLD}/chat",
            {"temperature": 0.2, "top_p": 0.9, "max_tokens": 100, "frequency_penalty": 0.1, "presence_penalty": 0.2},
        ),
        (f"{GENAI}/chat_max_completion_tokens", {"max_tokens": 55}),
        (f"{OI}/chat_max_completion_tokens", {"max_tokens": 55}),
        (f"{OI}/responses_reasoning", {"reasoning": {"effort": "low", "summary": "auto"}}),
        (f"{OI}/using_attributes/responses", {"temperature": 0.2, "max_tokens": 100}),
    ],
)
def test_parameters_go_by_the_names_of_the_chat_api(capture: str, parameters: dict[str, object]):
    said = operation(capture).parameters or {}
    assert {name: said.get(name) for name in parameters} == parameters


def test_who_asked_and_what_belongs_to_one_call_are_no_parameters():
    asked = operation(f"{OI}/using_attributes/responses")
    assert asked.user == "user-1"
    assert asked.parameters is not None
    assert asked.parameters.keys().isdisjoint({"model", "user", "metadata", "stream"})
    assert asked.metadata == {"a": "b", "k": "v", "n": 1}
    assert operation(f"{NEW}/chat").user == "user-77"
    assert operation(f"{OI}/responses_list_input").metadata == {"previous_response_id": "resp_prev1"}


@pytest.mark.parametrize(
    "capture",
    [f"{NEW}/chat_tool_result", f"{OLD}/chat_tool_result", f"{GENAI}/chat_tool_result", f"{OI}/chat_tool_result"],
)
def test_a_tool_call_and_its_result_are_told_alike_by_all(capture: str):
    assert operation(capture).messages == (
        Message(role="user", parts=(Text(text="Weather in Paris?"),)),
        Message(role="assistant", parts=(PARIS,)),
        Message(role="tool", parts=(ToolResult(text='{"temp": 18}', id="call_abc123"),)),
    )
    [tool] = operation(capture).tools or ()
    assert (tool.name, tool.description) == ("get_weather", "Get current weather for a city")
    assert tool.parameters is not None
    assert tool.parameters["required"] == ["city"]


@pytest.mark.parametrize(
    ("capture", "reason"), [(f"{OLD}/chat_tools_parallel", "tool_calls"), (f"{OI}/chat_tools_parallel", "tool_calls")]
)
def test_parallel_tool_calls_are_parts_of_one_message(capture: str, reason: str):
    answered = operation(capture)
    assert answered.output_messages == (Message(role="assistant", parts=(PARIS, ROME), finish_reason=reason),)
    assert answered.finish_reasons == (reason,)


@pytest.mark.parametrize("capture", [f"{NEW}/chat_tools", f"{GENAI}/chat_tools"])
def test_a_tool_call_written_as_an_object_has_its_arguments_as_text(capture: str):
    [message] = operation(capture).output_messages or ()
    assert message.parts == (PARIS,)


@pytest.mark.parametrize("capture", [f"{NEW}/chat_multi_choice", f"{OLD}/chat_multi_choice", f"{OI}/chat_multi_choice"])
def test_every_choice_is_a_message_with_its_reason(capture: str):
    answered = operation(capture)
    assert [message.parts for message in answered.output_messages or ()] == [
        (Text(text=ANSWER),),
        (Text(text=f"Variant 1: {ANSWER}"),),
        (Text(text=f"Variant 2: {ANSWER}"),),
    ]
    assert answered.finish_reasons == ("stop", "stop", "stop")
    assert {message.finish_reason for message in answered.output_messages or ()} == {"stop"}


@pytest.mark.parametrize("capture", [f"{NEW}/chat_image_url", f"{GENAI}/chat_image_url", f"{OI}/chat_image_url"])
def test_an_image_is_media_by_its_address(capture: str):
    [message] = operation(capture).messages or ()
    text, image = message.parts
    assert text == Text(text="What is this?")
    assert isinstance(image, Media)
    assert (image.modality, image.url) == ("image", "https://example.com/cat.png")


@pytest.mark.parametrize(
    "capture", [f"{NEW}/responses_list_input", f"{GENAI}/responses_list_input", f"{OI}/responses_list_input"]
)
def test_an_image_in_the_request_is_media_whether_written_as_uri_or_as_blob(capture: str):
    system, user = operation(capture).messages or ()
    assert system == SYSTEM
    image = user.parts[1]
    assert isinstance(image, Media)
    assert image.url is not None
    assert image.url.startswith("data:image/png;base64,iVBORw0KGgo")


def test_a_message_whose_image_was_not_written_still_stands():
    assert operation(f"{OLD}/chat_image_b64").messages == (Message(role="user"),)
    assert operation(f"{NEW}/chat_image_b64").messages is None


def test_the_items_of_a_response_are_one_choice_with_reasoning_first():
    assert operation(f"{OI}/responses_reasoning").output_messages == (
        Message(role="assistant", parts=(Reasoning(text="Thinking about the greeting."), Text(text=ANSWER))),
    )


@pytest.mark.parametrize(
    ("capture", "endpoint"),
    [(f"{NEW}/completion", "complete"), (f"{OI}/completion", "complete"), (f"{OLD}/nocontent/completion", "complete")],
)
def test_a_completion_is_no_chat(capture: str, endpoint: str):
    completion = operation(capture)
    assert completion.endpoint == endpoint
    assert completion.request_model == "gpt-3.5-turbo-instruct"
    if "nocontent" not in capture:
        assert completion.messages == (Message(role="user", parts=(Text(text="Once upon a time"),)),)
        assert completion.output_messages == (
            Message(role="assistant", parts=(Text(text=" there was a fox."),), finish_reason="stop"),
        )


@pytest.mark.parametrize("capture", [f"{NEW}/embeddings", f"{OI}/genai_semconv/embeddings"])
def test_an_embedding_has_its_texts_as_input(capture: str):
    embedding = operation(capture)
    assert embedding.kind is Kind.EMBEDDING
    assert embedding.inputs == {"input": ["first doc", "second doc"]}
    assert embedding.messages is None


def test_an_embedding_has_its_vectors_as_output():
    vectors = operation(f"{OI}/genai_semconv/embeddings").output
    assert [len(vector) for vector in vectors] == [4, 4]


@pytest.mark.parametrize(
    ("capture", "error"),
    [
        (f"{NEW}/responses_err429", "openai.RateLimitError: Error code: 429 - Rate limit reached"),
        (f"{NEW}/chat_err400", "openai.BadRequestError: Error code: 400 - Unsupported value"),
        (f"{OI}/chat_err429", "openai.RateLimitError: Error code: 429 - Rate limit reached"),
        (f"{GENAI}/chat_err429", "openai.RateLimitError: Error code: 429 - Rate limit reached"),
        (f"{OLD}/chat_err400", "Error code: 400 - "),
    ],
)
def test_a_failed_call_says_what_was_raised(capture: str, error: str):
    failed = operation(capture)
    assert failed.error is not None
    assert failed.error.startswith(error)
    assert failed.request_model == "gpt-4o"


def test_an_abandoned_stream_has_what_came_of_it():
    assert operation(f"{NEW}/chat_stream_abandoned").finish_reasons is None
    assert operation(f"{GENAI}/chat_stream_abandoned").error == "_OTHER: abandoned stream"


@pytest.mark.parametrize(
    ("capture", "streaming"),
    [
        (f"{NEW}/chat_stream", True),
        (f"{NEW}/chat", False),
        (f"{OLD}/chat_stream", True),
        (f"{OI}/chat_stream", True),
        (f"{OI}/chat_tools", None),
        (f"{GENAI}/chat_stream", True),
    ],
)
def test_a_stream_is_known_as_one(capture: str, streaming: bool | None):
    assert operation(capture).streaming is streaming


@pytest.mark.parametrize("capture", [f"{OI}/chat_stream", f"{GENAI}/chat_stream"])
def test_the_first_token_took_less_than_the_whole_stream(capture: str):
    [span] = captures.spans(capture)
    assert span.end_ns is not None
    first = read(span).operation.time_to_first_token
    assert first is not None
    assert 0 < first < (span.end_ns - span.start_ns) / 1e9


def test_a_schema_the_answer_must_follow_is_a_parameter():
    asked = operation(f"{NEW}/chat_json_schema").parameters or {}
    assert asked["response_format"]["type"] == "json_schema"
    assert asked["response_format"]["json_schema"]["schema"]["required"] == ["name", "age"]


def test_messages_cut_off_by_a_limit_are_kept_as_text():
    asked = operation(f"{GENAI}/limit_value_length_500").messages or ()
    [text] = [part for message in asked for part in message.parts]
    assert isinstance(text, Text)
    assert len(text.text) == 500
    assert text.text.startswith('[{"role":"user","parts":[{"content":"msg 0"')


def test_messages_a_limit_left_keep_their_order_where_their_first_are_gone():
    asked = operation(f"{OI}/limit_101_messages").messages or ()
    assert [message.parts[0] for message in asked] == [Text(text=f"msg {number}") for number in range(43, 101)]


def test_a_span_that_speaks_twice_is_heard_once():
    """OpenInference's double emission: one conversation, and the model asked for, not the one that answered."""
    [span] = captures.spans(f"{OI}/genai_semconv/chat_tools")
    reading = read(span)
    assert reading.conventions == ("otel_genai", "openinference")
    assert reading.operation.request_model == "gpt-4o"
    assert reading.operation.output_messages == (Message(role="assistant", parts=(PARIS,), finish_reason="tool_call"),)
    assert reading.operation.usage == Usage(
        prompt_tokens=1117,
        output_tokens=46,
        cache_read_tokens=1024,
        reasoning_tokens=32,
        audio_prompt_tokens=0,
        audio_output_tokens=0,
        total_tokens=1163,
    )
    assert reading.sources["usage"].convention == "otel_genai"
    assert reading.sources["usage.reasoning_tokens"].key == "llm.token_count.completion_details.reasoning"
    assert not [key for key in span.attributes if key.startswith("llm.output_messages") and key not in reading.taken]


def test_hidden_content_is_not_taken_for_content():
    hidden = operation(f"{OI}/nocontent/chat_tools")
    assert (hidden.messages, hidden.output_messages, hidden.inputs, hidden.output) == (None, None, None, None)
    assert hidden.finish_reasons == ("tool_calls",)
    assert operation(f"{NEW}/nocontent/chat").messages is None


@pytest.mark.parametrize("capture", [f"{OI}/using_attributes/responses", "traceloop-sdk-0.62.4/workflow_prompt"])
def test_a_template_and_its_variables_are_found_beside_the_messages(capture: str):
    [span] = [span for span in captures.spans(capture) if read(span).operation.kind is Kind.MODEL]
    asked = read(span).operation
    assert asked.inputs == {"name": "Zoë"}
    assert asked.template is not None
    assert asked.template.text in ("Hi {{name}}", "Hello {{name}}")
    assert asked.template.version in ("v1", "4")


def test_using_attributes_gives_session_user_and_tags():
    asked = operation(f"{OI}/using_attributes/responses")
    assert (asked.conversation, asked.user, asked.tags) == ("sess-1", "user-1", ("t1", "t2"))


def test_the_decorators_of_traceloop_tell_kind_arguments_and_result():
    flow = "traceloop-sdk-0.62.4/workflow"
    tool = operation(flow, "lookup_tool.tool")
    assert (tool.kind, tool.name) == (Kind.TOOL, "lookup_tool")
    assert tool.inputs == {"args": ["What is OTel?"], "k": 2}
    assert tool.output == {"docs": ["doc about What is OTel?", "doc about What is OTel?"]}
    agent = operation(flow, "researcher.agent")
    assert (agent.kind, agent.name, agent.output) == (Kind.AGENT, "researcher", ANSWER)
    assert operation(flow, "summarise.task").kind is Kind.CHAIN
    root = operation(flow, "qa_flow.workflow")
    assert (root.kind, root.name) == (Kind.CHAIN, "qa_flow")
    assert root.inputs == {"args": ["What is OTel?"], "opts": {"lang": "fr", "obj": "object"}}


def test_association_properties_tell_user_and_conversation_on_every_span():
    for span in captures.spans("traceloop-sdk-0.62.4/workflow"):
        said = read(span).operation
        assert (said.user, said.conversation) == ("user-1", "sess-1")
        assert said.metadata == {"chat_id": "chat-9", "plan": "pro"}
    for span in captures.spans("traceloop-sdk-0.62.4/workflow_conversation"):
        assert read(span).operation.conversation == "conv-123"


def test_an_error_that_was_caught_stays_with_the_step_it_was_raised_in():
    flow = "traceloop-sdk-0.62.4/workflow_task_error"
    assert operation(flow, "boom.task").error == "ValueError: boom x"
    caught = operation(flow, "tool_err_flow.workflow")
    assert (caught.error, caught.output) == (None, "recovered")


def test_the_tool_of_an_agent_is_read_with_what_it_was_given():
    spans = captures.spans("openinference-langchain-0.1.80/agent_tool")
    [tool] = [read(span).operation for span in spans if read(span).operation.kind is Kind.TOOL]
    assert (tool.name, tool.description) == ("get_weather", "Get weather for a city")
    assert tool.inputs == {"input": "Paris"}
    assert tool.output == "18C in Paris"


def test_annotations_are_heard_first():
    [moderator] = [
        read(span).operation
        for span in captures.spans("annotate/chain")
        if span.attributes.get("humanloop.project") == "sessions_example_moderator"
    ]
    assert moderator.kind is Kind.MODEL
    assert (moderator.session, moderator.user, moderator.environment) == ("guide-session", "user-7", "production")
    assert moderator.inputs == {"user_request": "Which country won Eurovision 2023?"}
    assert moderator.metadata == {"tier": "pro", "attempt": 1}
    assert moderator.template is not None
    assert moderator.template.messages is not None
    assert moderator.template.messages[1] == Message(role="user", parts=(Text(text="{{user_request}}"),))


def test_a_tool_of_the_genai_convention_has_its_arguments_and_result():
    tool = operation("annotate/chain", "execute_tool Google Search")
    assert (tool.kind, tool.name, tool.project) == (Kind.TOOL, "Google Search", "sessions_example_google")
    assert tool.inputs == {"q": "Which country won Eurovision 2023?"}
    assert tool.output == "Sweden"


def test_the_conversation_in_events_of_its_own_is_read():
    old = operation("mixed-app/manual_genai", "old style events")
    assert old.messages == (Message(role="user", parts=(Text(text="hi"),)),)
    assert old.output_messages == (Message(role="assistant", parts=(Text(text="yo"),)),)


def test_everything_read_can_be_written_as_json():
    for path in captures.files():
        json.dumps(captures.understood(captures.name_of(path)), allow_nan=False)

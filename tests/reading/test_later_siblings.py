"""What spans of further siblings are read as: where one of them differs from what its convention leads one to expect.

Their programs asked, and the model server answered, as those of `test_siblings`.
"""

from __future__ import annotations

from typing import Any

import pytest
from captured import PARIS, SUNNY, answered, asked_for, call, operations
from corpus import captures
from spoken import operation

from otel_humanloop.operation import Kind, Media, Reasoning, Text, ToolResult

PDF = "data:application/pdf;base64,JVBERi0="


@pytest.mark.parametrize("name", ["openlit-1.45.0/messages", "openlit-1.45.0/tools", "traceloop-js-0.27.0/tools"])
def test_anthropics_own_counts_leave_cached_tokens_out_and_so_does_their_total(name: str) -> None:
    usage = call(name).usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.cache_read_tokens, usage.cache_write_tokens) == (93 + 924 + 100, 924, 100)
    assert (usage.output_tokens, usage.total_tokens) == (46, 1163)


def test_openlits_counts_of_openai_are_openais() -> None:
    usage = call("openlit-1.45.0/chat_system").usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.cache_read_tokens, usage.output_tokens) == (1117, 1024, 46)


def test_instructions_that_are_told_twice_are_said_once() -> None:
    one = call("openlit-1.45.0/chat_system")
    assert [message.role for message in one.messages or ()] == ["system", "user"]
    assert one.user == "user-77"


def test_a_tool_that_a_model_asked_for_is_no_input_of_the_model() -> None:
    one = call("openlit-1.45.0/tools")
    assert (one.inputs, asked_for(one)) == (None, [PARIS])


def test_a_bound_that_was_not_set_and_a_price_that_is_not_known_are_not_told() -> None:
    one = operation(
        {"gen_ai.operation.name": "chat", "gen_ai.request.max_tokens": -1, "gen_ai.usage.cost": 0}, scope="openlit"
    )
    assert (one.parameters, one.cost) == (None, None)
    assert operation({"gen_ai.usage.cost": 0.25}, scope="openlit").cost is not None


def test_openlit_tells_the_time_to_the_first_token_of_answers_that_were_streamed() -> None:
    streamed, whole = call("openlit-1.45.0/chat_stream"), call("openlit-1.45.0/chat_system")
    assert (streamed.streaming, whole.streaming, whole.time_to_first_token) == (True, False, None)
    assert streamed.time_to_first_token is not None
    assert 0 < streamed.time_to_first_token < 60


@pytest.mark.parametrize("name", ["openlit-langchain-1.45.0/agent_tool", "openinference-js-langchain-4.1.1/agent_tool"])
def test_what_a_tool_gave_is_told_without_the_message_around_it(name: str) -> None:
    [tool] = operations(name, Kind.TOOL)
    assert (tool.name, tool.output) == ("get_weather", "18C")


@pytest.mark.parametrize(
    ("written", "output"),
    [
        ("content='18C' name='w' tool_call_id='c'", "18C"),
        ('content="it\'s \\"18C\\"" name=\'w\'', 'it\'s "18C"'),
        ("content='18C'", "18C"),
        ("content of a file", "content of a file"),
        ("content='18C", "content='18C"),
    ],
)
def test_only_a_message_is_taken_apart(written: str, output: str) -> None:
    told = operation({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.result": written}, scope="openlit")
    assert told.output == output


def test_messages_of_which_the_spans_tell_a_role_alone_are_read_in_the_whole_request() -> None:
    first, second = operations("openinference-js-langchain-4.1.1/agent_tool", Kind.MODEL)
    assert (first.messages or ())[0].parts == (Text(text="You are helpful."),)
    assert [message.role for message in second.messages or ()] == ["system", "user", "assistant", "tool"]
    assert answered(second) == SUNNY
    asked = call("openinference-portkey-0.1.22/chat_tools")
    assert asked_for(asked) == [PARIS]
    assert [tool.name for tool in asked.tools or ()] == ["get_weather"]
    assert asked.parameters is None


@pytest.mark.parametrize(
    ("scenario", "media"),
    [
        ("chat_file", [Media(modality="file", url=PDF)]),
        ("chat_audio", [Media(modality="audio", url="data:audio/wav;base64,UklGRg==", mime_type="audio/wav")]),
        (
            "responses_media",
            [
                Media(modality="image", url="https://example.com/a.png", detail="low"),
                Media(modality="file", url=PDF),
            ],
        ),
    ],
)
def test_files_and_sound_that_openinferences_messages_leave_out_are_read_in_the_whole_request(
    scenario: str, media: list[Media]
) -> None:
    said = call(f"openinference-openai-0.1.66/{scenario}").messages
    assert said is not None
    assert said[0].parts == (Text(text="What is this?"), *media)


def test_what_is_a_data_url_already_is_not_made_one_again() -> None:
    said = call("logfire-openai-5.2.0/responses_media").messages
    assert said is not None
    assert [part.url for part in said[0].parts if isinstance(part, Media)] == ["https://example.com/a.png", PDF]


def test_the_prompt_of_a_completion_may_stand_in_the_whole_input_alone() -> None:
    one = call("openinference-js-openai-4.2.7/completion")
    assert [message.parts for message in one.messages or ()] == [(Text(text="Once upon a time"),)]


def test_what_went_wrong_is_no_answer() -> None:
    failed = {"openinference.span.kind": "LLM", "llm.model_name": "m", "output.value": "It broke."}
    assert operation(failed).output_messages is not None
    assert operation(failed, failed=True).output_messages is None


def test_autogens_results_of_tools_stand_beside_their_message() -> None:
    first, second = operations("openinference-autogen-0.1.22/agent_tool", Kind.MODEL)
    [request] = [part for message in second.messages or () for part in message.parts if isinstance(part, ToolResult)]
    assert (request.text, request.id) == ("18C", _asked_id(first))
    assert (first.finish_reasons, second.finish_reasons) == (("function_calls",), ("stop",))


def _asked_id(one: Any) -> str | None:
    return next(part.id for message in one.output_messages for part in message.parts)


def test_an_agents_transcript_ends_with_its_answer() -> None:
    [agent] = operations("agent-framework-1.23.0/agent_tool", Kind.AGENT)
    assert [message.role for message in agent.messages or ()] == ["system", "user", "assistant", "tool"]
    assert answered(agent) == SUNNY


def test_a_search_in_a_store_of_vectors_is_a_retrieval_of_what_it_found() -> None:
    [search] = operations("traceloop-chromadb-0.62.4/query", Kind.RETRIEVAL)
    assert search.inputs == {"limit": 2, "filter": {"city": "Paris"}}
    assert search.output == ["Paris is sunny.", "Zoë lives in Paris 👋"]
    assert search.documents is not None
    assert [(one["id"], one["content"], one["metadata"]) for one in search.documents] == [
        ("a", "Paris is sunny.", {"city": "Paris"}),
        ("c", "Zoë lives in Paris 👋", {"city": "Paris"}),
    ]
    [failed] = operations("traceloop-chromadb-0.62.4/query_error", Kind.RETRIEVAL)
    assert failed.error is not None
    assert failed.error.startswith("chromadb.errors.InvalidArgumentError: ")
    [of_qdrant] = operations("traceloop-qdrant-0.62.4/query", Kind.RETRIEVAL)
    assert of_qdrant.inputs == {"limit": 2, "collection": "docs"}


def test_laminars_steps_are_told_by_its_own_keys() -> None:
    [tool] = operations("laminar-0.7.16/workflow", Kind.TOOL)
    [flow] = operations("laminar-0.7.16/workflow", Kind.CHAIN)
    assert (tool.inputs, tool.output, tool.tags) == ({"q": "Paris"}, {"temp": "18C"}, ("a",))
    assert (flow.inputs, flow.conversation, flow.user) == ({"q": "Paris"}, "sess-1", "user-1")


def test_laminar_and_genkit_write_text_as_json() -> None:
    [flow] = operations("laminar-0.7.16/workflow", Kind.CHAIN)
    assert flow.output == "Hello! How can I help you today?"
    [tool] = operations("genkit-1.42.0/agent_tool", Kind.TOOL)
    assert (tool.inputs, tool.output) == ({"city": "Paris"}, "18C")
    flow = next(one for one in operations("genkit-1.42.0/agent_tool") if one.name == "weatherFlow")
    assert (flow.inputs, flow.output) == ({"input": "Weather in Paris?"}, SUNNY)


def test_genkits_calls_tell_messages_and_tools() -> None:
    first, second = operations("genkit-1.42.0/agent_tool", Kind.MODEL)
    assert asked_for(first) == [PARIS]
    assert [message.role for message in second.messages or ()] == ["system", "user", "model", "tool"]
    assert answered(second) == SUNNY
    assert first.usage is not None
    assert (first.usage.prompt_tokens, first.usage.output_tokens) == (1117, 46)


def test_haystack_names_the_tool_that_was_asked_for_and_the_call_that_was_answered() -> None:
    first, second = operations("haystack-2.22.0/agent_tool", Kind.MODEL)
    assert asked_for(first) == [PARIS]
    [result] = [part for message in second.messages or () for part in message.parts if isinstance(part, ToolResult)]
    assert (result.text, result.id) == ("18C", _asked_id(first))
    [found] = operations("haystack-2.22.0/rag", Kind.RETRIEVAL)
    assert [one["content"] for one in found.documents or ()] == ["Paris is sunny"]


def test_langfuse_in_javascript_says_at_its_level_that_a_call_failed() -> None:
    assert call("langfuse-js-5.11.1/chat_err429").error == "Error: 429 Rate limit reached for gpt-4o"
    level = {"langfuse.observation.type": "span", "langfuse.observation.level": "ERROR"}
    assert operation(level).error == "Error"
    assert operation({**level, "langfuse.observation.level": "WARNING"}).error is None


def test_instructions_that_langfuse_keeps_beside_the_conversation_are_said_in_it() -> None:
    said = call("langfuse-js-5.11.1/responses").messages
    assert said is not None
    assert [message.role for message in said] == ["system", "user"]


def test_what_an_agent_says_in_several_messages_is_one_answer() -> None:
    [agent] = operations("openinference-claude-agent-0.1.22/query", Kind.AGENT)
    assert agent.output_messages is not None
    assert [part.text for part in agent.output_messages[0].parts if isinstance(part, (Reasoning, Text))] == [
        "I think of a greeting.",
        "Hello! How can I help you today?",
    ]


def test_vercels_outer_span_of_many_embeddings_says_of_what() -> None:
    [outer] = operations("vercel-ai-6.0.326/embedMany", Kind.CHAIN)
    assert outer.inputs == {"input": ["a", "b"]}
    assert len(outer.output) == 2


def test_mastras_steps_are_around_calls_and_their_tools_and_pieces_of_answers_are_no_logs() -> None:
    calls = operations("mastra-1.4.0/agent_tool", Kind.MODEL)
    assert [one.finish_reasons for one in calls] == [("tool-calls",), ("stop",)]
    assert [(one.provider, one.user, one.conversation) for one in calls] == [("openai", "user-1", "sess-1")] * 2
    assert [one.usage.prompt_tokens for one in calls if one.usage is not None] == [1117, 1117]
    [tool] = operations("mastra-1.4.0/agent_tool", Kind.TOOL)
    assert (tool.name, tool.inputs, tool.output) == ("get_weather", {"city": "Paris"}, {"temp": "18C"})
    logs = [log for wave in captures.sent("mastra-1.4.0/agent_tool") for log in wave]
    names = [log["config"].get("name") for log in logs]
    assert sorted(name for name in names if name is not None) == [
        "agent_step weather_agent",
        "agent_step weather_agent",
        "get_weather",
        "model_generation gpt-4o",
        "weather_agent",
    ]


def test_mastras_generation_before_version_1_is_the_call_for_it_has_no_other_span() -> None:
    [one] = operations("mastra-0.3.3/agent_tool", Kind.MODEL)
    assert [message.role for message in one.messages or ()] == ["system", "user"]
    assert answered(one) == SUNNY


def test_a_call_whose_span_in_javascript_ends_before_that_of_its_client_is_one_log() -> None:
    [[log]] = captures.sent("openinference-js-anthropic-0.2.8/tools")
    assert log["metadata"]["otel"]["scope"] == "@arizeai/openinference-instrumentation-anthropic"

"""What spans of sibling instrumentations are read as, each asserted by hand from what its program said.

Every program asked for the weather in Paris or said hello; the model server counts 1117 tokens in (1024 of them from a
cache, of Anthropic's and Bedrock's 924 with 100 written to it) and 46 out.
"""

from __future__ import annotations

from typing import Any

import pytest
from captured import PARIS, SUNNY, answered, asked_for, call, operations
from spoken import operation

from otel_humanloop.operation import Kind, ToolResult


@pytest.mark.parametrize("scenario", ["chat_system", "chat_tools", "chat_tool_result"])
@pytest.mark.parametrize("instrumentation", ["traceloop-bedrock-0.62.4", "botocore-bedrock-0.66b2"])
def test_bedrock_counts_cached_tokens_beside_the_prompts(instrumentation: str, scenario: str) -> None:
    usage = call(f"{instrumentation}/{scenario}").usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.cache_read_tokens, usage.cache_write_tokens) == (93 + 924 + 100, 924, 100)
    assert usage.output_tokens == 46


def test_bedrocks_result_of_a_tool_that_is_told_twice_is_said_once() -> None:
    told = call("botocore-bedrock-0.66b2/chat_tool_result").messages
    assert told is not None
    assert [message.role for message in told] == ["user", "assistant", "tool"]
    assert told[2].parts == (ToolResult(text="18C", id="t1"),)


@pytest.mark.parametrize("scenario", ["anthropic_generate", "anthropic_stream"])
def test_vercels_counts_of_anthropic_before_version_6_leave_cached_tokens_out(scenario: str) -> None:
    usage = call(f"vercel-ai-5.0.277/{scenario}").usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.cache_read_tokens, usage.cache_write_tokens) == (1117, 924, 100)


@pytest.mark.parametrize(
    ("model", "prompt"),
    [("gpt-4o", 1117), ("us.anthropic.claude-sonnet-4-20250514-v1:0", 2141), ("amazon.nova-pro-v1:0", 2141)],
)
def test_strands_counts_as_whoever_serves_the_model(model: str, prompt: int) -> None:
    counted = {"gen_ai.usage.input_tokens": 1117, "gen_ai.usage.cache_read_input_tokens": 1024}
    usage = operation(
        {"gen_ai.operation.name": "chat", "gen_ai.request.model": model, **counted}, scope="strands.telemetry.tracer"
    ).usage
    assert usage is not None
    assert usage.prompt_tokens == prompt


@pytest.mark.parametrize("mode", ["default", "latest"])
def test_strands_tells_calls_and_tools_in_events_of_either_kind(mode: str) -> None:
    name = f"strands-1.62.0/{mode}/agent_tool"
    first, second = operations(name, Kind.MODEL)
    assert asked_for(first) == [PARIS]
    assert first.messages is not None
    assert [message.role for message in first.messages] == ["system", "user"]
    assert answered(second) == SUNNY
    [tool] = operations(name, Kind.TOOL)
    assert (tool.inputs, tool.output, tool.messages, tool.output_messages) == ({"city": "Paris"}, "18C", None, None)
    assert {one.user for one in operations(name)} == {"user-1"}


@pytest.mark.parametrize("scenario", ["agent_tool", "agent_chat_completions"])
def test_logfires_agents_keep_question_and_answer_apart(scenario: str) -> None:
    name = f"logfire-agents-5.2.0/{scenario}"
    first, second = operations(name, Kind.MODEL)
    assert [message.role for message in first.messages or ()] == ["system", "user"]
    assert asked_for(first) == [PARIS]
    assert [message.role for message in second.messages or ()] == ["system", "user", "assistant", "tool"]
    assert answered(second) == SUNNY
    [tool] = operations(name, Kind.TOOL)
    assert (tool.name, tool.inputs, tool.output) == ("get_weather", {"city": "Paris"}, "18C")
    [agent] = operations(name, Kind.AGENT)
    assert agent.name == ("weather_agent" if scenario == "agent_tool" else "chat_agent")


def test_a_group_that_was_not_given_is_no_conversation() -> None:
    given, not_given = (
        {one.conversation for one in operations(f"logfire-agents-5.2.0/{scenario}")}
        for scenario in ("agent_tool", "agent_chat_completions")
    )
    assert (given, not_given) == ({None, "thread-8"}, {None})


@pytest.mark.parametrize(
    "name",
    [
        "openinference-bedrock-0.1.61/chat_tools",
        "openinference-mistralai-2.2.2/chat_tools",
        "traceloop-google-0.62.4/chat_tools",
        "google-adk-1.14.1/agent_tool",
        "openinference-google-1.4.14/chat_tools",
    ],
)
def test_tools_are_offered_one_by_one_whichever_way_a_vendor_writes_them(name: str) -> None:
    first = operations(name, Kind.MODEL)[0]
    assert first.tools is not None
    [tool] = first.tools
    assert tool.name == "get_weather"
    assert tool.parameters is not None
    assert "city" in str(tool.parameters)
    assert asked_for(first) == [PARIS]


def test_googles_agents_and_invocations_are_known_by_their_names() -> None:
    kinds = [(one.kind, one.name) for one in operations("google-adk-1.14.1/agent_tool")]
    assert kinds[-2:] == [(Kind.AGENT, "weather_agent"), (Kind.CHAIN, None)]


def test_langsmith_tells_messages_as_langchain_serialises_them() -> None:
    first, second = operations("langsmith-0.15.0/agent_tool", Kind.MODEL)
    assert [(message.role, answered_by(message)) for message in first.messages or ()] == [
        ("system", "You are helpful."),
        ("user", "Weather in Paris?"),
    ]
    assert asked_for(first) == [PARIS]
    assert first.finish_reasons == ("tool_calls",)
    assert [message.role for message in second.messages or ()] == ["system", "user", "assistant", "tool"]
    assert answered(second) == SUNNY
    assert first.usage is not None
    assert (first.usage.prompt_tokens, first.usage.cache_read_tokens, first.usage.reasoning_tokens) == (1117, 1024, 32)
    [tool] = operations("langsmith-0.15.0/agent_tool", Kind.TOOL)
    assert (tool.inputs, tool.output) == ({"city": "Paris"}, "18C")


def answered_by(message: Any) -> str:
    return "".join(part.text for part in message.parts)


@pytest.mark.parametrize(
    "name",
    ["langsmith-0.15.0", "openinference-langgraph-0.1.80", "traceloop-langgraph-0.62.4", "genai-langchain-1.3b0"],
)
def test_what_a_tool_of_langgraph_gave_is_told_without_the_message_around_it(name: str) -> None:
    [tool] = operations(f"{name}/agent_tool", Kind.TOOL)
    assert tool.output == "18C"


def test_langfuse_keeps_in_json_what_has_no_key_of_its_own() -> None:
    greeting, streamed = call("langfuse-5.0.4/chat_system"), call("langfuse-5.0.4/chat_stream")
    assert (greeting.conversation, greeting.user) == ("sess-1", "user-1")
    assert greeting.parameters is not None
    assert greeting.parameters["temperature"] == 0.5
    assert "max_tokens" not in greeting.parameters
    assert streamed.finish_reasons == ("stop",)
    assert streamed.time_to_first_token is not None
    assert 0 < streamed.time_to_first_token < 60
    tools = call("langfuse-5.0.4/chat_tools").tools
    assert tools is not None
    assert [tool.name for tool in tools] == ["get_weather"]


def test_semantic_kernels_reasons_are_the_members_values() -> None:
    reasons = [one.finish_reasons for one in operations("semantic-kernel-1.45.0/agent_tool", Kind.MODEL)]
    assert reasons == [("tool_calls",), ("stop",)]


def test_what_was_ranked_is_told_beside_the_query() -> None:
    [ranked] = operations("traceloop-cohere-0.62.4/rerank")
    assert (ranked.kind, ranked.messages) == (Kind.RERANKER, None)
    assert ranked.inputs == {"query": "sunny", "documents": ["Paris is sunny", "Rome"]}


def test_the_name_of_a_stream_is_no_answer() -> None:
    streamed = call("openinference-groq-0.1.33/chat_stream")
    assert (streamed.output_messages, streamed.output) == (None, None)


@pytest.mark.parametrize(("scenario", "city"), [("tool", "Paris"), ("tool_error", "Nowhere")])
def test_a_tool_called_over_mcp_is_told_by_its_own_arguments(scenario: str, city: str) -> None:
    [tool] = operations(f"traceloop-mcp-0.62.4/{scenario}", Kind.TOOL)
    assert (tool.name, tool.inputs) == ("get_weather", {"city": city})
    assert (tool.error is None) is (scenario == "tool")


def test_logfire_states_what_a_call_cost() -> None:
    cost = call("logfire-openai-5.2.0/chat_system").cost
    assert cost is not None
    assert cost.total == pytest.approx(0.0019725)


def test_an_agent_of_logfires_that_failed_says_why() -> None:
    [agent] = operations("logfire-agents-5.2.0/agent_error", Kind.AGENT)
    [one] = operations("logfire-agents-5.2.0/agent_error", Kind.MODEL)
    assert agent.error == "Error in agent run: Error code: 429 - Rate limit reached for gpt-4o"
    assert one.error == "openai.RateLimitError: Error code: 429 - Rate limit reached for gpt-4o"


def test_strands_tells_the_time_to_the_first_token_in_milliseconds() -> None:
    first, _ = operations("strands-1.62.0/latest/agent_tool", Kind.MODEL)
    assert first.time_to_first_token == 0.7


def test_mlflow_counts_as_the_vendor_whose_api_it_names() -> None:
    one = call("mlflow-3.17.2/chat_system")
    assert (one.request_model, one.response_model) == ("gpt-4o", "gpt-4o-2024-08-06")
    assert (one.parameters, one.finish_reasons) == ({"temperature": 0.5}, ("stop",))
    assert one.usage is not None
    assert (one.usage.prompt_tokens, one.usage.cache_read_tokens) == (1117, 1024)
    counted = {"input_tokens": 93, "cache_read_input_tokens": 924, "cache_creation_input_tokens": 100}
    usage = operation(
        {
            "mlflow.spanType": '"CHAT_MODEL"',
            "mlflow.message.format": '"anthropic"',
            "mlflow.chat.tokenUsage": counted,
        }
    ).usage
    assert usage is not None
    assert usage.prompt_tokens == 1117


def test_mlflows_steps_gave_what_their_json_says() -> None:
    [tool] = operations("mlflow-3.17.2/workflow", Kind.TOOL)
    [flow] = operations("mlflow-3.17.2/workflow", Kind.CHAIN)
    assert (tool.inputs, tool.output) == ({"q": "Paris"}, {"temp": "18C"})
    assert flow.output == "Hello! How can I help you today?"

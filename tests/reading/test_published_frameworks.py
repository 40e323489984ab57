"""Frameworks without a capture, held to the keys they publish."""

from __future__ import annotations

import json

import pytest
from spoken import PARIS, operation, said

from otel_humanloop.operation import (
    Kind,
    Text,
    ToolCall,
    Usage,
)
from otel_humanloop.spans import Event


@pytest.mark.parametrize("pii", ["", "pii."])
def test_livekit_answers_and_tools(pii: str):
    context = {"items": [{"type": "message", "role": "user", "content": ["Weather?"]}]}
    call = operation(
        {
            f"lk.{pii}chat_ctx": context,
            f"lk.{pii}response.text": "One moment",
            f"lk.{pii}response.function_calls": [json.dumps({"name": "w", "call_id": "c", "arguments": PARIS})],
            "lk.response.ttft": 0.25,
        },
        scope="livekit-agents",
    )
    assert call.kind is Kind.MODEL
    assert call.messages == (said("user", Text(text="Weather?")),)
    assert call.output_messages == (
        said("assistant", Text(text="One moment"), ToolCall(name="w", id="c", arguments=PARIS)),
    )
    assert call.time_to_first_token == 0.25
    tool = operation(
        {
            "lk.function_tool.name": "w",
            "lk.function_tool.id": "c",
            f"lk.{pii}function_tool.arguments": PARIS,
            f"lk.{pii}function_tool.output": "18C",
        },
        scope="livekit-agents",
    )
    assert (tool.kind, tool.name, tool.tool_call_id) == (Kind.TOOL, "w", "c")
    assert (tool.inputs, tool.output) == ({"city": "Paris"}, "18C")


def test_haystack_components():
    call = operation(
        {
            "haystack.component.name": "llm",
            "haystack.component.type": "OpenAIChatGenerator",
            "haystack.component.input": {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]},
            "haystack.component.output": {
                "replies": [
                    {
                        "role": "assistant",
                        "content": [{"text": "Hello"}],
                        "meta": {
                            "model": "gpt-4o-2024-08-06",
                            "finish_reason": "stop",
                            "usage": {"prompt_tokens": 5, "completion_tokens": 2},
                        },
                    }
                ]
            },
        }
    )
    assert (call.kind, call.name, call.response_model) == (Kind.MODEL, "llm", "gpt-4o-2024-08-06")
    assert call.messages == (said("user", Text(text="Hi")),)
    assert call.output_messages == (said("assistant", Text(text="Hello")),)
    assert (call.usage, call.finish_reasons) == (Usage(prompt_tokens=5, output_tokens=2), ("stop",))
    found = operation({"haystack.component.type": "InMemoryBM25Retriever", "haystack.component.input": {"query": "q"}})
    assert (found.kind, found.inputs) == (Kind.RETRIEVAL, {"query": "q"})


def test_semantic_kernel_has_older_names():
    call = operation(
        {
            "gen_ai.operation.name": "chat.completions",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.prompt_tokens": 5,
            "gen_ai.response.completion_tokens": 2,
            "gen_ai.response.finish_reason": "stop",
        },
        scope="Microsoft.SemanticKernel.Diagnostics",
        events=(
            Event(name="gen_ai.user.message", attributes={"gen_ai.event.content": '{"role":"user","content":"Hi"}'}),
        ),
    )
    assert (call.kind, call.request_model) == (Kind.MODEL, "gpt-4o")
    assert call.usage == Usage(prompt_tokens=5, output_tokens=2)
    assert call.messages == (said("user", Text(text="Hi")),)
    assert call.finish_reasons == ("stop",)


def test_strands_writes_bedrocks_parts_in_events_and_counts_cached_tokens_apart():
    call = operation(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "claude",
            "gen_ai.usage.input_tokens": 93,
            "gen_ai.usage.output_tokens": 46,
            "gen_ai.usage.cache_read_input_tokens": 924,
            "gen_ai.usage.cache_write_input_tokens": 100,
        },
        scope="strands.telemetry.tracer",
        events=(
            Event(name="gen_ai.user.message", attributes={"content": '[{"text":"Weather?"}]'}),
            Event(
                name="gen_ai.choice",
                attributes={
                    "finish_reason": "tool_use",
                    "message": '[{"toolUse":{"name":"w","toolUseId":"c","input":{"city":"Paris"}}}]',
                },
            ),
        ),
    )
    assert call.messages == (said("user", Text(text="Weather?")),)
    assert call.output_messages == (
        said("assistant", ToolCall(name="w", id="c", arguments=PARIS), finish_reason="tool_use"),
    )
    assert call.usage == Usage(prompt_tokens=1117, output_tokens=46, cache_read_tokens=924, cache_write_tokens=100)
    tool = operation(
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "w", "gen_ai.tool.call.id": "c"},
        scope="strands.telemetry.tracer",
        events=(
            Event(name="gen_ai.tool.message", attributes={"role": "tool", "content": PARIS, "id": "c"}),
            Event(name="gen_ai.choice", attributes={"message": '[{"toolResult":{"toolUseId":"c","content":"18C"}}]'}),
        ),
    )
    assert (tool.kind, tool.inputs, tool.output) == (Kind.TOOL, {"city": "Paris"}, "18C")


def test_smolagents_agents():
    agent = operation(
        {"openinference.span.kind": "AGENT", "smolagents.task": "Find it", "smolagents.max_steps": 6},
        scope="openinference.instrumentation.smolagents",
    )
    assert (agent.kind, agent.inputs, agent.parameters) == (Kind.AGENT, {"task": "Find it"}, {"max_steps": 6})


def test_claude_code_counts_cached_tokens_apart():
    call = operation(
        {
            "span.type": "llm_request",
            "model": "claude-opus-5",
            "gen_ai.system": "anthropic",
            "session.id": "s",
            "input_tokens": 2,
            "output_tokens": 1200,
            "cache_read_tokens": 84562,
            "cache_creation_tokens": 7096,
            "stop_reason": "tool_use",
            "ttft_ms": 1500,
        },
        scope="com.anthropic.claude_code.tracing",
        name="claude_code.llm_request",
    )
    assert (call.kind, call.request_model, call.provider) == (Kind.MODEL, "claude-opus-5", "anthropic")
    assert call.usage == Usage(
        prompt_tokens=91660, output_tokens=1200, cache_read_tokens=84562, cache_write_tokens=7096
    )
    assert (call.finish_reasons, call.conversation, call.time_to_first_token) == (("tool_use",), "s", 1.5)
    tool = operation(
        {"span.type": "tool", "tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_use_id": "t"},
        scope="com.anthropic.claude_code.tracing",
    )
    assert (tool.kind, tool.name, tool.inputs, tool.tool_call_id) == (Kind.TOOL, "Bash", {"command": "ls"}, "t")


def test_langchain_tools_and_users():
    tool = operation(
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "w",
            "gen_ai.tool.call.arguments": {"input_str": "{'city': 'Paris'}", "tags": []},
        },
        scope="opentelemetry.instrumentation.langchain",
    )
    assert tool.inputs == {"city": "Paris"}
    chain = operation(
        {"openinference.span.kind": "CHAIN", "metadata": {"user_id": "u"}},
        scope="openinference.instrumentation.langchain",
    )
    assert chain.user == "u"


def test_llama_index_around_and_before_a_call_is_no_call():
    scope = "openinference.instrumentation.llama_index"
    outer = operation({"openinference.span.kind": "LLM", "input.value": "Hi"}, scope=scope, name="OpenAI.predict")
    inner = operation({"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o"}, scope=scope, name="OpenAI.chat")
    assert (outer.kind, inner.kind) == (Kind.CHAIN, Kind.MODEL)


def test_bare_keys_claim_nothing_and_are_heard_where_nobody_claims():
    step = operation({"input": "a", "output": {"b": 1}})
    assert (step.kind, step.inputs, step.output) == (Kind.STEP, {"input": "a"}, {"b": 1})
    claimed = operation({"gen_ai.operation.name": "chat", "input": "a", "output": "b"})
    assert (claimed.inputs, claimed.output) == (None, None)

"""Products without a capture, held to the keys they publish."""

from __future__ import annotations

from spoken import PARIS, operation, said

from otel_humanloop.operation import (
    Cost,
    Kind,
    Media,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    Usage,
)


def test_langfuse_counts_are_disjoint_and_its_prompt_is_a_template():
    call = operation(
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.input": [{"role": "user", "content": "Hi"}],
            "langfuse.observation.output": {"role": "assistant", "content": "Hello"},
            "langfuse.observation.model.name": "gpt-4o",
            "langfuse.observation.model.parameters": {"temperature": 0.2},
            "langfuse.observation.usage_details": {
                "input": 93,
                "input_cached_tokens": 1024,
                "output": 14,
                "output_reasoning_tokens": 32,
                "total": 1163,
            },
            "langfuse.observation.cost_details": {"input": 0.5, "output": 0.25, "total": 0.75},
            "langfuse.observation.prompt.name": "greeter",
            "langfuse.observation.prompt.version": 3,
            "langfuse.observation.metadata.team": "blue",
            "session.id": "s",
            "user.id": "u",
            "langfuse.trace.tags": ["a", "b"],
        }
    )
    assert (call.kind, call.request_model, call.parameters) == (Kind.MODEL, "gpt-4o", {"temperature": 0.2})
    assert call.messages == (said("user", Text(text="Hi")),)
    assert call.output_messages == (said("assistant", Text(text="Hello")),)
    assert call.usage == Usage(
        prompt_tokens=1117, output_tokens=46, cache_read_tokens=1024, reasoning_tokens=32, total_tokens=1163
    )
    assert call.cost == Cost(prompt=0.5, output=0.25, total=0.75)
    assert call.template is not None
    assert (call.template.name, call.template.version) == ("greeter", "3")
    assert (call.conversation, call.user, call.tags) == ("s", "u", ("a", "b"))
    assert call.metadata == {"team": "blue"}


def test_langfuse_counts_in_a_vendors_names_are_the_vendors():
    usage = {"prompt_tokens": 1117, "completion_tokens": 46, "prompt_tokens_details": {"cached_tokens": 1024}}
    call = operation({"langfuse.observation.type": "generation", "langfuse.observation.usage_details": usage})
    assert call.usage == Usage(prompt_tokens=1117, output_tokens=46, cache_read_tokens=1024)


def test_langfuse_anything_else_has_inputs_and_an_output():
    tool = operation(
        {
            "langfuse.observation.type": "tool",
            "langfuse.observation.input": {"city": "Paris"},
            "langfuse.observation.output": "18C",
        }
    )
    assert (tool.kind, tool.inputs, tool.output) == (Kind.TOOL, {"city": "Paris"}, "18C")


def test_langsmith_runs():
    call = operation(
        {
            "langsmith.span.kind": "llm",
            "gen_ai.prompt": {"messages": [[{"type": "human", "content": "Hi"}]]},
            "gen_ai.completion": {"generations": [[{"text": "Hello", "message": {"role": "ai", "content": "Hello"}}]]},
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 5,
            "gen_ai.usage.output_tokens": 2,
            "langsmith.metadata.thread_id": "t-1",
            "langsmith.metadata.team": "blue",
            "langsmith.span.tags": "a, b",
        }
    )
    assert call.kind is Kind.MODEL
    assert call.messages is not None
    assert call.messages[0].parts == (Text(text="Hi"),)
    assert call.output_messages is not None
    assert call.output_messages[0].parts == (Text(text="Hello"),)
    assert (call.conversation, call.tags, call.metadata) == ("t-1", ("a", "b"), {"team": "blue"})
    assert call.usage == Usage(prompt_tokens=5, output_tokens=2)


def test_mlflow_writes_even_names_as_json():
    call = operation(
        {
            "mlflow.spanType": '"CHAT_MODEL"',
            "mlflow.spanInputs": {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]},
            "mlflow.spanOutputs": {
                "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "Yo"}}]
            },
            "mlflow.chat.tokenUsage": {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7},
            "mlflow.llm.cost": {"input_cost": 1.0, "output_cost": 2.0, "total_cost": 3.0},
        }
    )
    assert call.kind is Kind.MODEL
    assert call.messages == (said("user", Text(text="Hi")),)
    assert call.output_messages == (said("assistant", Text(text="Yo"), finish_reason="stop"),)
    assert call.usage == Usage(prompt_tokens=5, output_tokens=2, total_tokens=7)
    assert call.cost == Cost(prompt=1.0, output=2.0, total=3.0)


def test_laminar_spans_hold_what_went_in_and_out():
    step = operation(
        {
            "lmnr.span.type": "TOOL",
            "lmnr.span.input": {"city": "Paris"},
            "lmnr.span.output": "18C",
            "lmnr.association.properties.session_id": "s",
            "lmnr.association.properties.user_id": "u",
        }
    )
    assert (step.kind, step.inputs, step.output) == (Kind.TOOL, {"city": "Paris"}, "18C")
    assert (step.conversation, step.user) == ("s", "u")


def test_google_adk_keeps_geminis_request_and_answer():
    call = operation(
        {
            "gen_ai.system": "gcp.vertex.agent",
            "gen_ai.request.model": "gemini-2.5-flash",
            "gcp.vertex.agent.session_id": "s",
            "gcp.vertex.agent.llm_request": {
                "model": "gemini-2.5-flash",
                "config": {"system_instruction": "Be kind.", "temperature": 0.1, "tools": []},
                "contents": [
                    {"role": "user", "parts": [{"text": "Weather?"}]},
                    {
                        "role": "model",
                        "parts": [{"function_call": {"name": "w", "args": {"city": "Paris"}, "id": "c"}}],
                    },
                    {"role": "user", "parts": [{"function_response": {"name": "w", "response": {"t": 18}, "id": "c"}}]},
                ],
            },
            "gcp.vertex.agent.llm_response": {
                "content": {"role": "model", "parts": [{"text": "Think", "thought": True}, {"text": "18C"}]},
                "finish_reason": "STOP",
                "usage_metadata": {
                    "prompt_token_count": 1117,
                    "candidates_token_count": 14,
                    "thoughts_token_count": 32,
                    "cached_content_token_count": 1024,
                    "total_token_count": 1163,
                },
            },
        },
        scope="gcp.vertex.agent",
        name="call_llm",
    )
    assert call.kind is Kind.MODEL
    assert call.messages == (
        said("system", Text(text="Be kind.")),
        said("user", Text(text="Weather?")),
        said("model", ToolCall(name="w", id="c", arguments=PARIS)),
        said("user", ToolResult(text='{"t":18}', id="c")),
    )
    assert call.output_messages == (said("model", Reasoning(text="Think"), Text(text="18C")),)
    assert call.usage == Usage(
        prompt_tokens=1117, output_tokens=46, cache_read_tokens=1024, reasoning_tokens=32, total_tokens=1163
    )
    assert (call.parameters, call.finish_reasons, call.conversation) == ({"temperature": 0.1}, ("STOP",), "s")


def test_google_adk_tools():
    tool = operation(
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "weather",
            "gcp.vertex.agent.tool_call_args": {"city": "Paris"},
            "gcp.vertex.agent.tool_response": {"t": 18},
        }
    )
    assert (tool.kind, tool.name, tool.inputs, tool.output) == (Kind.TOOL, "weather", {"city": "Paris"}, {"t": 18})


def test_genkit_models():
    call = operation(
        {
            "genkit:type": "action",
            "genkit:metadata:subtype": "model",
            "genkit:name": "googleai/gemini-2.5-flash",
            "genkit:sessionId": "s",
            "genkit:input": {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"text": "See?"},
                            {"media": {"url": "https://x/i.png", "contentType": "image/png"}},
                        ],
                    }
                ],
                "config": {"temperature": 0.1, "maxOutputTokens": 9},
                "tools": [{"name": "w", "description": "d", "inputSchema": {"type": "object"}}],
            },
            "genkit:output": {
                "message": {
                    "role": "model",
                    "content": [{"toolRequest": {"name": "w", "ref": "c", "input": {"city": "Paris"}}}],
                },
                "finishReason": "stop",
                "usage": {"inputTokens": 42, "outputTokens": 17, "thoughtsTokens": 3, "totalTokens": 62},
            },
        },
        scope="genkit-tracer",
    )
    assert (call.kind, call.provider, call.request_model) == (Kind.MODEL, "googleai", "gemini-2.5-flash")
    assert call.messages == (
        said("user", Text(text="See?"), Media(modality="image", url="https://x/i.png", mime_type="image/png")),
    )
    assert call.output_messages == (said("model", ToolCall(name="w", id="c", arguments=PARIS)),)
    assert call.usage == Usage(prompt_tokens=42, output_tokens=20, reasoning_tokens=3, total_tokens=62)
    assert call.tools is not None
    assert call.tools[0].name == "w"
    assert (call.finish_reasons, call.conversation) == (("stop",), "s")


def test_genkit_flows_and_tools():
    flow = operation({"genkit:type": "flow", "genkit:name": "qa", "genkit:input": '"hi"', "genkit:output": {"a": 1}})
    assert (flow.kind, flow.name, flow.inputs, flow.output) == (Kind.CHAIN, "qa", {"input": "hi"}, {"a": 1})

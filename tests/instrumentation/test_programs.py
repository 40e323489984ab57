"""Real programs, each in an environment of its own with current packages: one session with the right tree."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic_model import anthropic_model
from humanloop import Humanloop
from instrumentation_model import ANSWER, QUESTION

pytestmark = pytest.mark.instrumentation

MODEL = "gpt-4o"


def tree(humanloop: Humanloop) -> list[tuple[int, str, str]]:
    """The only session's logs, in the order they started: how deep, of what kind, called what."""
    logs = humanloop.logs(humanloop.session())
    assert humanloop.broken == []
    by_id = {log["id"]: log for log in logs}

    def depth(log: dict[str, Any]) -> int:
        parent = by_id.get(log.get("parent_id"))
        return 0 if parent is None else 1 + depth(parent)

    return [(depth(log), kind(log), log["config"].get("model") or log["config"]["name"]) for log in logs]


def kind(log: dict[str, Any]) -> str:
    config = log["config"]
    return "model" if config["type"] == "model" else config["other"]["kind"]


def calls(humanloop: Humanloop) -> list[dict[str, Any]]:
    return [log for log in humanloop.logs() if kind(log) == "model"]


def asked(log: dict[str, Any]) -> str:
    """The user's words, whether they are one text or a list of one part."""
    content = next(message["content"] for message in log["messages"] if message["role"] == "user")
    return content if isinstance(content, str) else content[0]["text"]


def holds_the_conversation(first: dict[str, Any], second: dict[str, Any]) -> None:
    """A call that asks for the weather, and one that tells it."""
    assert asked(first) == asked(second) == QUESTION
    [call] = first["output_message"]["tool_calls"]
    assert call["function"]["name"] == "get_weather"
    assert '"city"' in call["function"]["arguments"]
    assert "tool" in [message["role"] for message in second["messages"]]
    assert second["output"] == ANSWER
    for log in (first, second):
        assert (log["prompt_tokens"], log["output_tokens"]) == (1117, 46)
        assert log["error"] is None if "error" in log else True


@pytest.mark.parametrize(
    ("instrumentor", "packages", "variables"),
    [
        pytest.param(
            "opentelemetry.instrumentation.openai:OpenAIInstrumentor",
            ["openai", "opentelemetry-instrumentation-openai"],
            {},
            id="openllmetry",
        ),
        pytest.param(
            "openinference.instrumentation.openai:OpenAIInstrumentor",
            ["openai", "openinference-instrumentation-openai"],
            {},
            id="openinference",
        ),
        pytest.param(
            "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
            ["openai", "opentelemetry-instrumentation-genai-openai"],
            {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"},
            id="genai",
        ),
        pytest.param(
            "opentelemetry.instrumentation.openai_v2:OpenAIInstrumentor",
            ["openai<3", "opentelemetry-instrumentation-openai-v2==2.4b0", "opentelemetry-util-genai==0.4b0"],
            {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true", "WITH_LOGS": "1"},
            id="v2, with its content in log records",
        ),
        pytest.param(
            "opentelemetry.instrumentation.openai_v2:OpenAIInstrumentor",
            ["openai<3", "opentelemetry-instrumentation-openai-v2==2.4b0", "opentelemetry-util-genai==0.4b0"],
            {
                "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
                "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "EVENT_ONLY",
                "WITH_LOGS": "1",
            },
            id="v2, with its content in one event",
        ),
    ],
)
def test_openai(
    humanloop: Humanloop, run: Any, instrumentor: str, packages: list[str], variables: dict[str, str]
) -> None:
    run("openai_conversation.py", *packages, INSTRUMENTOR=instrumentor, **variables)
    assert tree(humanloop) == [(0, "step", "conversation"), (1, "model", MODEL), (1, "model", MODEL)]
    first, second = calls(humanloop)
    holds_the_conversation(first, second)
    assert first["config"]["temperature"] == 0.2


def test_pydantic_ai(humanloop: Humanloop, run: Any) -> None:
    run("pydantic_agent.py", "pydantic-ai-slim[openai]")
    assert tree(humanloop) == [
        (0, "agent", "weather_agent"),
        (1, "model", MODEL),
        (1, "tool", "get_weather"),
        (1, "model", MODEL),
    ]
    holds_the_conversation(*calls(humanloop))
    agent = humanloop.logs()[0]
    assert agent["output"] == ANSWER
    assert agent.get("prompt_tokens") is None


def test_langchain(humanloop: Humanloop, run: Any) -> None:
    run("langchain_agent.py", "langchain", "langchain-openai", "openinference-instrumentation-langchain")
    shown = tree(humanloop)
    assert shown[0][0] == 0
    assert [name for _, kind, name in shown if kind == "model"] == [MODEL, MODEL]
    assert [name for _, kind, name in shown if kind == "tool"] == ["get_weather"]
    assert max(depth for depth, _, _ in shown) >= 2
    holds_the_conversation(*calls(humanloop))
    assert {log["metadata"].get("conversation") for log in humanloop.logs()} == {"s-1"}


def test_openai_agents(humanloop: Humanloop, run: Any) -> None:
    run("openai_agents.py", "openai-agents", "openinference-instrumentation-openai-agents")
    shown = tree(humanloop)
    assert [(kind, name) for _, kind, name in shown if kind in ("model", "tool")] == [
        ("model", MODEL),
        ("tool", "get_weather"),
        ("model", MODEL),
    ]
    assert "weather_agent" in [name for _, kind, name in shown if kind == "agent"]
    holds_the_conversation(*calls(humanloop))


def test_litellm(humanloop: Humanloop, run: Any) -> None:
    run("litellm_call.py", "litellm")
    assert tree(humanloop) == [(0, "model", MODEL)]
    [call] = calls(humanloop)
    assert asked(call) == QUESTION
    assert call["output"] == ANSWER
    assert (call["prompt_tokens"], call["output_tokens"]) == (1117, 46)


def test_llama_index(humanloop: Humanloop, run: Any) -> None:
    run(
        "llama_index_chat.py",
        "llama-index-core",
        "llama-index-llms-openai",
        "openinference-instrumentation-llama-index",
    )
    [call] = calls(humanloop)
    assert asked(call) == QUESTION
    assert call["output"] == ANSWER
    assert call["prompt_tokens"] == 1117


@pytest.mark.parametrize(
    ("instrumentor", "package"),
    [
        ("opentelemetry.instrumentation.anthropic:AnthropicInstrumentor", "opentelemetry-instrumentation-anthropic"),
        ("openinference.instrumentation.anthropic:AnthropicInstrumentor", "openinference-instrumentation-anthropic"),
    ],
    ids=["openllmetry", "openinference"],
)
def test_anthropic_whose_sdk_sees_the_call_too(humanloop: Humanloop, run: Any, instrumentor: str, package: str) -> None:
    with anthropic_model() as url:
        run("anthropic_call.py", "anthropic", package, INSTRUMENTOR=instrumentor, ANTHROPIC_BASE_URL=url)
    assert tree(humanloop) == [(0, "model", "claude-sonnet-4-20250514")]
    [call] = calls(humanloop)
    assert asked(call) == QUESTION
    assert call["output"] == ANSWER
    assert (call["prompt_tokens"], call["output_tokens"]) == (1117, 46)
    assert call["metadata"]["usage"]["cache_read_tokens"] == 924


def test_logfire(humanloop: Humanloop, run: Any) -> None:
    run("logfire_calls.py", "logfire", "openai", KIND="conversation")
    assert tree(humanloop) == [(0, "step", "conversation"), (1, "model", MODEL), (1, "model", MODEL)]
    holds_the_conversation(*calls(humanloop))


def test_logfires_agents(humanloop: Humanloop, run: Any) -> None:
    run("logfire_calls.py", "logfire", "openai-agents", KIND="agent")
    shown = tree(humanloop)
    assert shown[0] == (0, "chain", "Weather flow")
    assert [(kind, name) for _, kind, name in shown if kind in ("model", "tool", "agent")] == [
        ("agent", "weather_agent"),
        ("model", MODEL),
        ("tool", "get_weather"),
        ("model", MODEL),
    ]
    holds_the_conversation(*calls(humanloop))
    [tool] = [log for log in humanloop.logs() if kind(log) == "tool"]
    assert (tool["inputs"], tool["output"]) == ({"city": "Paris"}, "sunny in Paris")
    assert humanloop.logs()[0]["metadata"]["conversation"] == "thread-8"


@pytest.mark.parametrize(
    ("instrumentor", "package"),
    [
        ("openinference.instrumentation.langchain:LangChainInstrumentor", "openinference-instrumentation-langchain"),
        ("opentelemetry.instrumentation.langchain:LangchainInstrumentor", "opentelemetry-instrumentation-langchain"),
    ],
    ids=["openinference", "openllmetry"],
)
def test_langgraph(humanloop: Humanloop, run: Any, instrumentor: str, package: str) -> None:
    run("langgraph_graph.py", "langgraph", "langchain", "langchain-openai", package, INSTRUMENTOR=instrumentor)
    shown = tree(humanloop)
    assert (shown[0][0], shown[0][2]) == (0, "weather_graph")
    assert [(kind, name) for _, kind, name in shown if kind in ("model", "tool")] == [
        ("model", MODEL),
        ("tool", "get_weather"),
        ("model", MODEL),
    ]
    holds_the_conversation(*calls(humanloop))
    [tool] = [log for log in humanloop.logs() if kind(log) == "tool"]
    assert tool["output"] == "sunny in Paris"
    assert "t-1" in {log["metadata"].get("conversation") for log in humanloop.logs()}


@pytest.mark.parametrize(
    ("instrumentor", "package", "tools"),
    [
        ("openinference.instrumentation.mcp:MCPInstrumentor", "openinference-instrumentation-mcp", []),
        ("opentelemetry.instrumentation.mcp:McpInstrumentor", "opentelemetry-instrumentation-mcp", ["get_weather"]),
    ],
    ids=["openinference", "openllmetry"],
)
def test_what_an_mcp_server_does_hangs_below_its_client(
    humanloop: Humanloop, run: Any, instrumentor: str, package: str, tools: list[str]
) -> None:
    packages = ["mcp<2", "openai", "openinference-instrumentation-openai", package]
    run("mcp_client.py", *packages, INSTRUMENTOR=instrumentor)
    logs = humanloop.logs(humanloop.session())
    [application] = [log for log in logs if log["config"]["name"] == "application"]
    above = {log["id"]: log.get("parent_id") for log in logs}
    beneath = [log for log in logs if application["id"] in ancestors(log, above)]
    assert [asked(log) for log in beneath if kind(log) == "model"] == ["Which tool?", QUESTION]
    called = [(log["config"]["name"], log["inputs"]) for log in beneath if kind(log) == "tool"]
    assert {name for name, _ in called} == set(tools)
    assert all(inputs == {"city": "Paris"} for _, inputs in called)


def ancestors(log: dict[str, Any], above: dict[str, str | None]) -> list[str]:
    found: list[str] = []
    parent = above[log["id"]]
    while parent is not None:
        found.append(parent)
        parent = above[parent]
    return found

"""What the programs asked whose calls of models are in the corpus, and what the model server answered: by hand."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

ANSWER = "Hello! How can I help you today?"
HELLO = ("You are helpful.", "Say hello to Zoë 👋")
WEATHER = "Weather in Paris?"
SUNNY = "It is 18°C and sunny in Paris."
ADA = '"Ada Lovelace"'
CHECK = "Let me check the weather."
PARIS = ("get_weather", "Paris")
ROME = ("get_weather", "Rome")


ERRORS = ("Rate limit reached", "Unsupported", "The server had an error", "abandoned stream")


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a model as its program made it and the model server answered it.

    Attributes:
        asked: Words that were sent, one text for each message that has some.
        answer: The words that came back.
        calls: The tools it asked for, each by its name and a word of its arguments.
        number: Which of its scenario's calls it is, in the order they ended; None for all of them.
    """

    asked: tuple[str, ...] = ()
    answer: str | None = ANSWER
    calls: tuple[tuple[str, str], ...] = ()
    number: int | None = None


def failed(*asked: str) -> tuple[Call, ...]:
    """A call the model server refused."""
    return (Call(asked=asked, answer=None),)


MESSAGES_101 = tuple(f"msg {number}" for number in range(101))

SCENARIOS: Mapping[str, tuple[Call, ...]] = {
    **dict.fromkeys(
        ("chat", "chat_system", "chat_stream", "chat_stream_usage", "async_chat", "async_chat_stream"),
        (Call(asked=HELLO),),
    ),
    **dict.fromkeys(("responses", "chat_with_raw_response", "chat_multi_choice"), (Call(asked=HELLO),)),
    **dict.fromkeys(("responses_stream", "async_responses_stream"), (Call(asked=("Say hello",)),)),
    "responses_reasoning": (Call(asked=("Say hello",)),),
    "chat_stream_abandoned": (Call(asked=HELLO, answer=None),),
    **dict.fromkeys(("chat_json_schema", "chat_parse_pydantic"), (Call(asked=HELLO, answer=ADA),)),
    **dict.fromkeys(
        ("chat_image_b64", "chat_image_url", "chat_file", "chat_audio", "responses_media"),
        (Call(asked=("What is this?",)),),
    ),
    "responses_list_input": (Call(asked=("You are helpful.", "What is this?")),),
    "limit_big_b64_image": (Call(asked=("what",)),),
    "chat_long_input": (Call(asked=("x" * 40_000,)),),
    "chat_max_completion_tokens": (Call(asked=("Be terse.", "hi")),),
    "chat_truncated": (Call(asked=("TRUNC",)),),
    **dict.fromkeys(
        ("chat_tools", "chat_tools_stream", "responses_tools", "responses_tools_stream"),
        (Call(asked=(WEATHER,), answer=None, calls=(PARIS,)),),
    ),
    "chat_tools_parallel": (Call(asked=("Weather in BOTH cities?",), answer=None, calls=(PARIS, ROME)),),
    **dict.fromkeys(("chat_tool_result", "responses_tool_result"), (Call(asked=(WEATHER, '"temp"'), answer=SUNNY),)),
    "completion": (Call(asked=("Once upon a time",), answer="there was a fox."),),
    **dict.fromkeys(("limit_101_messages", "limit_value_length_500"), (Call(asked=MESSAGES_101),)),
    **dict.fromkeys(
        ("chat_err429", "responses_err429", "retry_429", "chat_err", "err429", "error429", "fastapi_llm_error"),
        failed("ERR429"),
    ),
    "chat_err400": failed("ERR400"),
    **dict.fromkeys(("chat_err500", "chat_err_stream"), failed("ERR500")),
    **dict.fromkeys(("messages", "messages_system_blocks"), (Call(asked=("You are helpful.", "Say hello to Zoë")),)),
    **dict.fromkeys(
        ("async_messages", "messages_stream_create", "messages_stream_helper", "thinking"),
        (Call(asked=("Say hello to Zoë",)),),
    ),
    "image_b64": (Call(asked=("What?",)),),
    "tool_result": (Call(asked=(WEATHER, "Let me check.", "18C"), answer=SUNNY),),
    **dict.fromkeys(("tools", "tools_stream"), (Call(asked=(WEATHER,), answer=CHECK, calls=(PARIS,)),)),
    "agent_plain": (Call(asked=("Be nice.", "hello")),),
    "agent_error": failed("ERR429"),
    **dict.fromkeys(
        ("agent_tool", "agent_chat_completions", "generateText_tools", "streamText_tools"),
        (
            Call(asked=(WEATHER,), answer=None, calls=(PARIS,), number=0),
            Call(asked=(WEATHER, "18"), answer=SUNNY, number=1),
        ),
    ),
    "anthropic_tools": (
        Call(asked=(WEATHER,), answer=CHECK, calls=(PARIS,), number=0),
        Call(asked=(WEATHER, "18"), answer=SUNNY, number=1),
    ),
    **dict.fromkeys(("anthropic_generate", "anthropic_stream", "prompt"), (Call(asked=("Say hello to Zoë",)),)),
    **dict.fromkeys(("invoke_model", "chain_prompt"), (Call(asked=("You are helpful.", "Say hello to Zoë")),)),
    **dict.fromkeys(("langgraph_stream", "guardrail", "lm"), (Call(asked=("hi",)),)),
    "rag": (Call(asked=("You are helpful.", "Say hello Paris is sunny")),),
    "structured": (Call(asked=("Ada",), answer=ADA),),
    "generateText_chat": (Call(asked=("You are helpful.", "Say hello to Zoë")),),
    **dict.fromkeys(("generateText_responses", "workflow_stream"), (Call(),)),
    "streamText_chat": (Call(asked=("hi",)),),
    **dict.fromkeys(("generateText_image", "generateText_file"), (Call(asked=("What is this?",)),)),
    "generateText_reasoning": (Call(asked=("think hi",)),),
    "streamText_error": failed("ERR429"),
    "generateText_tools_parallel": (
        Call(asked=("Weather in BOTH cities?",), answer=None, calls=(PARIS, ROME), number=0),
        Call(asked=("Weather in BOTH cities?", "18"), answer=SUNNY, number=1),
    ),
    "generateText_tool_error": (
        Call(asked=(WEATHER,), answer=None, calls=(PARIS,), number=0),
        Call(asked=(WEATHER, "no such city"), answer=SUNNY, number=1),
    ),
    "streamObject": (Call(asked=("Ada",), answer=ADA),),
    "generateObject": (Call(asked=("Ada",), answer=ADA),),
    "chat_bare": (Call(asked=("hi",)),),
    "langgraph_graph": (Call(),),
    "llm_outside_workflow": (Call(asked=("bare",)),),
    "workflow": (
        Call(asked=("Summarise: What is OTel?",), number=0),
        Call(asked=("Follow up",), number=1),
    ),
    "workflow_async": (Call(asked=("q ",)),),
    "workflow_conversation": (Call(asked=("hi",)),),
    "workflow_prompt": (Call(asked=("Hello Zoë",)),),
    **dict.fromkeys(("workflow_error", "workflow_task_error"), failed("ERR429")),
    "under_parent_span": (Call(asked=("hi",)),),
    "under_parent_span_kept_open": (Call(asked=("hi",)),),
    "stream_consumed_after_parent_ended": (Call(asked=("hi",)),),
}

# What differs from its scenario in one instrumentation's capture, because its program asked something else.
ASKED_OTHERWISE: Mapping[tuple[str, str], tuple[Call, ...]] = {
    ("litellm", "chat"): (Call(asked=("You are helpful.", "hi")),),
    ("litellm", "tools"): (Call(asked=("Weather?",), answer=None, calls=(PARIS,)),),
    **dict.fromkeys(
        (("laminar", "workflow"), ("laminar", "responses"), ("langfuse-js", "workflow"), ("langfuse-js", "responses")),
        (Call(asked=HELLO),),
    ),
    ("azure-ai-inference", "chat_tool_result"): (Call(asked=(WEATHER, "18C"), answer=SUNNY),),
    ("openlit", "messages"): (Call(asked=HELLO),),
    ("mastra", "agent_tool"): (
        Call(asked=(WEATHER,), answer=None, calls=(PARIS,), number=0),
        Call(asked=(WEATHER,), answer=SUNNY, number=1),
    ),
    ("openinference-js-openai", "completion"): (Call(asked=("Once upon a time",)),),
    **dict.fromkeys(
        (("openinference-js-openai", "chat_tool_result"), ("traceloop-js", "chat_tool_result")),
        (Call(asked=(WEATHER, "18C"), answer=SUNNY),),
    ),
}

WITHOUT_CALLS = {
    *("embeddings", "embed", "workflow_big_io", "rerank", "retrieval", "tool", "tool_error"),
    *("query", "query_error", "embedMany"),
}
"""Scenarios in which no model is called."""

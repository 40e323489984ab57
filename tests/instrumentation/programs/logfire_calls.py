"""An OpenAI conversation with one call of a tool, or an agent that holds it, under Logfire (KIND)."""

from __future__ import annotations

import os

import logfire
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_humanloop import HumanloopSpanExporter

logfire.configure(
    send_to_logfire=False,
    console=False,
    additional_span_processors=[BatchSpanProcessor(HumanloopSpanExporter())],
)

QUESTION = "What is the weather in Paris?"


def conversation() -> None:
    from openai import OpenAI

    logfire.instrument_openai()
    client = OpenAI()
    tools = [
        {
            "type": "function",
            "function": {
                "name": "get_weather",
                "description": "The weather in a city",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
            },
        }
    ]
    messages: list = [{"role": "user", "content": QUESTION}]
    with logfire.span("conversation"):
        asked = client.chat.completions.create(model="gpt-4o", messages=messages, tools=tools)
        call = asked.choices[0].message.tool_calls[0]
        messages += [asked.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
        for _ in client.chat.completions.create(
            model="gpt-4o", messages=messages, tools=tools, stream=True, stream_options={"include_usage": True}
        ):
            pass


def agent() -> None:
    from agents import Agent, RunConfig, Runner, function_tool

    logfire.instrument_openai_agents()

    @function_tool
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"sunny in {city}"

    weather = Agent(name="weather_agent", instructions="You know the weather.", model="gpt-4o", tools=[get_weather])
    Runner.run_sync(weather, QUESTION, run_config=RunConfig(workflow_name="Weather flow", group_id="thread-8"))


{"conversation": conversation, "agent": agent}[os.environ["KIND"]]()
logfire.shutdown()

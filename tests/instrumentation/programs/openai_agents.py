"""An agent of OpenAI's Agents SDK with a tool, under OpenInference."""

from __future__ import annotations

from agents import Agent, Runner, function_tool
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor
from provider import provide

OpenAIAgentsInstrumentor().instrument(tracer_provider=provide())


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


agent = Agent(name="weather_agent", instructions="You know the weather.", model="gpt-4o", tools=[get_weather])
Runner.run_sync(agent, "What is the weather in Paris?")

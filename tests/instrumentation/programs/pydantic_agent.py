"""A Pydantic AI agent with a tool."""

from __future__ import annotations

from provider import provide
from pydantic_ai import Agent
from pydantic_ai.models.instrumented import InstrumentationSettings

provider = provide()
Agent.instrument_all(InstrumentationSettings(tracer_provider=provider))
agent = Agent("openai-chat:gpt-4o", name="weather_agent", system_prompt="You know the weather.")


@agent.tool_plain
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


agent.run_sync("What is the weather in Paris?")

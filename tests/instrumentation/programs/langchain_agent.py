"""A LangChain agent with a tool, under OpenInference."""

from __future__ import annotations

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from openinference.instrumentation.langchain import LangChainInstrumentor
from provider import provide

LangChainInstrumentor().instrument(tracer_provider=provide())


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


agent = create_agent(ChatOpenAI(model="gpt-4o"), tools=[get_weather], name="weather_agent")
agent.invoke(
    {"messages": [{"role": "user", "content": "What is the weather in Paris?"}]},
    config={"metadata": {"session_id": "s-1", "user_id": "u-1"}},
)

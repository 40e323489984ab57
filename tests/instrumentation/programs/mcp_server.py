"""A server of one tool over MCP, which asks a model before it answers."""

from __future__ import annotations

import importlib
import os

from openai import OpenAI
from openinference.instrumentation.openai import OpenAIInstrumentor
from provider import provide

provider = provide()
module, _, name = os.environ["INSTRUMENTOR"].partition(":")
getattr(importlib.import_module(module), name)().instrument(tracer_provider=provider)
OpenAIInstrumentor().instrument(tracer_provider=provider)

from mcp.server.fastmcp import FastMCP  # noqa: E402 - what was imported before it was instrumented is not seen

server = FastMCP("weather")


@server.tool()
def get_weather(city: str) -> str:
    """The weather in a city."""
    OpenAI().chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "What is the weather in Paris?"}]
    )
    return f"sunny in {city}"


server.run()

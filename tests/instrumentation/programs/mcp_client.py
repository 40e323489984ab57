"""A model is asked, then a tool of an MCP server in another process, under the instrumentation INSTRUMENTOR names."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from pathlib import Path

from openai import OpenAI
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry import trace
from provider import provide

provider = provide()
module, _, name = os.environ["INSTRUMENTOR"].partition(":")
getattr(importlib.import_module(module), name)().instrument(tracer_provider=provider)
OpenAIInstrumentor().instrument(tracer_provider=provider)


async def main() -> None:
    # Of what was imported before it was instrumented nothing is seen.
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    server = StdioServerParameters(
        command=sys.executable, args=[str(Path(__file__).with_name("mcp_server.py"))], env=dict(os.environ)
    )
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()
        with trace.get_tracer("app").start_as_current_span("application"):
            OpenAI().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Which tool?"}])
            answer = await session.call_tool("get_weather", {"city": "Paris"})
    assert answer.content[0].text == "sunny in Paris"


asyncio.run(main())

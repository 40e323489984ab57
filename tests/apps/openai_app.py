"""A program with the OpenAI client and OpenTelemetry in it, and nothing of Humanloop."""

from __future__ import annotations

import asyncio
import contextlib

import openai
from opentelemetry import trace

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def main() -> None:
    client = openai.OpenAI(max_retries=0)
    with trace.get_tracer("app").start_as_current_span("app"):
        client.chat.completions.create(
            model="gpt-chat", messages=[{"role": "user", "content": "Say hello"}], temperature=0.5, max_tokens=20
        )
        stream = client.chat.completions.create(
            model="gpt-stream",
            messages=[{"role": "user", "content": "Count"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        for _ in stream:
            pass
        client.chat.completions.create(
            model="gpt-tools", messages=[{"role": "user", "content": "Weather in Paris?"}], tools=[WEATHER]
        )
        client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
        with trace.get_tracer("app").start_as_current_span("answer"):
            client.responses.create(model="gpt-responses", instructions="Be brief.", input="Say goodbye")
        with contextlib.suppress(openai.RateLimitError):
            client.chat.completions.create(model="gpt-error", messages=[{"role": "user", "content": "Break"}])
        asyncio.run(ask())


async def ask() -> None:
    client = openai.AsyncOpenAI(max_retries=0)
    await client.chat.completions.create(model="gpt-async", messages=[{"role": "user", "content": "Later"}])


if __name__ == "__main__":
    main()

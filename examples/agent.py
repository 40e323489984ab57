"""An agent that calls a tool twice, and takes its time: what a long-running program looks like in Humanloop.

    export OPENAI_API_KEY=... HUMANLOOP_BASE_URL=http://127.0.0.1:8484/v4
    python examples/agent.py

The spans are nested as the work is: the agent > a turn > the model's answer and the tools it asked for > a step of a
tool. Each forecast takes AGENT_PAUSE seconds (6 by default). The agent is therefore still at work when HUMANLOOP_HOLD
(10 seconds by default) is over, and is then logged as it stands; its output and duration follow when it has ended.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

from openai import OpenAI
from opentelemetry import trace
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider

from otel_humanloop import HumanloopSpanProcessor

MODEL = os.environ.get("OPENAI_MODEL") or "gpt-4o-mini"
PAUSE = float(os.environ.get("AGENT_PAUSE") or 6)
QUESTION = "Is it warmer in Malmö or in Liverpool?"

PLACES = {"Malmö": (55.6, 13.0), "Liverpool": (53.4, -3.0)}

FORECAST: dict[str, Any] = {
    "name": "forecast",
    "description": "Today's temperature in a city, in degrees Celsius.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "enum": list(PLACES)}},
        "required": ["city"],
        "additionalProperties": False,
    },
}

tracer = trace.get_tracer("otel_humanloop.examples.agent")


def set_up() -> None:
    """Traces the OpenAI client to Humanloop, unless somebody else has set tracing up already."""
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        provider = TracerProvider()
        provider.add_span_processor(HumanloopSpanProcessor())
        trace.set_tracer_provider(provider)
    if not OpenAIInstrumentor().is_instrumented_by_opentelemetry:
        OpenAIInstrumentor().instrument()


def forecast(city: str) -> dict[str, float]:
    """The forecast for a city, from a service that is slow. The further north, the colder."""
    with tracer.start_as_current_span("locate", attributes={"city": city}) as span:
        latitude, longitude = PLACES[city]
        span.set_attributes({"latitude": latitude, "longitude": longitude})
    time.sleep(PAUSE)
    return {"celsius": round(70 - latitude, 1)}


def use_tool(call: Any) -> dict[str, Any]:
    """Does what the model asked for, and gives the message that tells it what came out."""
    described = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": call.function.name,
        "gen_ai.tool.description": FORECAST["description"],
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": call.id,
        "gen_ai.tool.call.arguments": call.function.arguments,
    }
    with tracer.start_as_current_span(f"execute_tool {call.function.name}", attributes=described) as span:
        result = json.dumps(forecast(**json.loads(call.function.arguments)))
        span.set_attribute("gen_ai.tool.call.result", result)
    return {"role": "tool", "tool_call_id": call.id, "content": result}


def take_turn(client: OpenAI, messages: list[Any], number: int) -> str | None:
    """One turn of the agent: asks the model, and does what it wants. Gives the answer when there is one."""
    with tracer.start_as_current_span(f"turn {number}"):
        tools: Any = [{"type": "function", "function": FORECAST}]
        message = client.chat.completions.create(model=MODEL, messages=messages, tools=tools).choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        if not message.tool_calls:
            return message.content or ""
        messages += [use_tool(call) for call in message.tool_calls]
        return None


def run_agent(client: OpenAI, question: str) -> str:
    """Takes turns until the model has an answer."""
    described = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "Weather agent",
        "gen_ai.input.messages": spoken("user", question),
    }
    with tracer.start_as_current_span("invoke_agent Weather agent", attributes=described) as span:
        messages: list[Any] = [{"role": "user", "content": question}]
        for number in range(1, 6):
            answer = take_turn(client, messages, number)
            if answer is not None:
                span.set_attribute("gen_ai.output.messages", spoken("assistant", answer))
                return answer
        raise RuntimeError("The agent came to no answer in five turns.")


def spoken(role: str, text: str) -> str:
    """One message, as OpenTelemetry's convention writes it on a span."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


if __name__ == "__main__":
    set_up()
    print(run_agent(OpenAI(), QUESTION))

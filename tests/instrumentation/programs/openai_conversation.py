"""An OpenAI conversation with one call of a tool, under whichever instrumentation INSTRUMENTOR names."""

from __future__ import annotations

import importlib
import json
import os

from openai import OpenAI
from opentelemetry import trace
from provider import provide

provider = provide()
if os.environ.get("WITH_LOGS"):
    from opentelemetry._logs import set_logger_provider
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor

    from otel_humanloop import HumanloopLogExporter

    loggers = LoggerProvider()
    loggers.add_log_record_processor(SimpleLogRecordProcessor(HumanloopLogExporter()))
    set_logger_provider(loggers)
module, _, name = os.environ["INSTRUMENTOR"].partition(":")
getattr(importlib.import_module(module), name)().instrument(tracer_provider=provider)

client = OpenAI()
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather in a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
messages: list = [{"role": "user", "content": "What is the weather in Paris?"}]
with trace.get_tracer("app").start_as_current_span("conversation"):
    asked = client.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS, temperature=0.2)
    call = asked.choices[0].message.tool_calls[0]
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    messages += [asked.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
    client.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS)

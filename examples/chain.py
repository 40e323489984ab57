"""A chain of three: a moderator, a search tool and an assistant answer one question, in one Humanloop session.

    export OPENAI_API_KEY=... HUMANLOOP_BASE_URL=http://127.0.0.1:8484/v4
    python examples/chain.py

It is the program of Humanloop's guide to sessions. Nothing in it speaks to Humanloop: the OpenAI calls are traced by
opentelemetry-instrumentation-openai, the search by a span of its own, and `annotate` says what no instrumentation can
know. Started by `opentelemetry-instrument`, which sets tracing up itself, it runs just the same.
"""

from __future__ import annotations

import json
import os
import re
import sys
import uuid
from typing import Any

from openai import OpenAI
from opentelemetry import trace
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider

from otel_humanloop import HumanloopSpanProcessor, annotate

MODEL = os.environ.get("OPENAI_MODEL") or "gpt-4o-mini"
QUESTION = "Which country won Eurovision 2023?"

MODERATOR = [
    {"role": "system", "content": "You are a moderator. Is the user's request abusive? Answer with Yes or No."},
    {"role": "user", "content": "{{user_request}}"},
]
ASSISTANT = [
    {"role": "system", "content": "Answer the question in one sentence, from what the search found."},
    {"role": "user", "content": "Question: {{user_request}}\nGoogle result: {{google_answer}}\nAnswer:"},
]

# What the search below finds, so that it needs no key. Put a real one in its place.
INDEX = {
    "the country that won Eurovision in 2021": "Italy",
    "the country that won Eurovision in 2022": "Ukraine",
    "the country that won Eurovision in 2023": "Sweden",
    "the city that held Eurovision in 2023": "Liverpool",
}

tracer = trace.get_tracer("otel_humanloop.examples.chain")


def set_up() -> None:
    """Traces the OpenAI client to Humanloop, unless somebody else has set tracing up already."""
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        provider = TracerProvider()
        provider.add_span_processor(HumanloopSpanProcessor())
        trace.set_tracer_provider(provider)
    if not OpenAIInstrumentor().is_instrumented_by_opentelemetry:
        OpenAIInstrumentor().instrument()


def ask(client: OpenAI, project: str, template: list[dict[str, str]], inputs: dict[str, str], **parameters: Any) -> str:
    """The model's answer to a template with its variables filled in, as a log of a project."""
    messages: Any = [{"role": each["role"], "content": fill(each["content"], inputs)} for each in template]
    with annotate(project=project, inputs=inputs, chat_template=template):
        completion = client.chat.completions.create(model=MODEL, messages=messages, temperature=0, **parameters)
    return completion.choices[0].message.content or ""


def fill(text: str, inputs: dict[str, str]) -> str:
    """A text with a value in place of each `{{name}}`."""
    return re.sub(r"\{\{(\w+)\}\}", lambda variable: inputs[variable[1]], text)


def search(q: str) -> str:
    """What the search tool finds. Its span follows OpenTelemetry's convention for tools."""
    described = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "Google Search",
        "gen_ai.tool.description": "Searches Google for the answer to the user's question.",
        "gen_ai.tool.call.arguments": json.dumps({"q": q}),
    }
    with (
        annotate(project="sessions_example_google"),
        tracer.start_as_current_span("execute_tool Google Search", attributes=described) as span,
    ):
        words = set(q.lower().strip("?").split())
        found = max(INDEX, key=lambda known: len(words & set(known.lower().split())))
        span.set_attribute("gen_ai.tool.call.result", INDEX[found])
        return INDEX[found]


def main() -> None:
    """Answers the question given on the command line, or the guide's."""
    set_up()
    client = OpenAI()
    question = " ".join(sys.argv[1:]) or QUESTION
    with annotate(session=str(uuid.uuid4())):
        if ask(client, "sessions_example_moderator", MODERATOR, {"user_request": question}, max_tokens=1) == "Yes":
            raise ValueError("The request was found to be abusive.")
        found = search(question)
        print(ask(client, "sessions_example_assistant", ASSISTANT, {"user_request": question, "google_answer": found}))


if __name__ == "__main__":
    main()

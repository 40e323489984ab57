"""A chain of three: a moderator, a search tool and an assistant answer one question, in one Humanloop session.

    export OPENAI_API_KEY=... HUMANLOOP_BASE_URL=http://127.0.0.1:8484/v4
    python examples/chain.py

It is the program of Humanloop's guide to sessions. Nothing in it speaks to Humanloop: the OpenAI calls are traced by
opentelemetry-instrumentation-openai, the tool by four attributes, and `annotate` says what no instrumentation can
know. Started by `opentelemetry-instrument`, which sets tracing up itself, it runs just the same.
"""

from __future__ import annotations

import json
import os
import sys
import uuid

from openai import OpenAI
from opentelemetry import trace
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider

from otel_humanloop import HumanloopSpanProcessor, annotate

MODEL = os.environ.get("OPENAI_MODEL") or "gpt-4o-mini"
QUESTION = "Which country won Eurovision 2023?"

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


def moderate(client: OpenAI, user_request: str) -> None:
    """Lets a request pass that means no harm.

    Raises:
        ValueError: The model thinks it does.
    """
    instructions = "You are a moderator. Is the user's request an attempt to abuse the service? Answer Yes or No."
    with annotate(project="sessions_example_moderator", inputs={"user_request": user_request}):
        verdict = client.chat.completions.create(
            model=MODEL,
            temperature=0,
            max_tokens=1,
            messages=[{"role": "system", "content": instructions}, {"role": "user", "content": user_request}],
        )
    if verdict.choices[0].message.content == "Yes":
        raise ValueError("The request was found to be abusive.")


def search(q: str) -> str:
    """What the search tool finds. Its span follows OpenTelemetry's convention for tools."""
    described = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "Google Search",
        "gen_ai.tool.description": "Searches Google for the answer to the user's question.",
        "gen_ai.tool.call.arguments": json.dumps({"q": q}),
    }
    with (
        annotate(project="sessions_example_google", inputs={"q": q}),
        tracer.start_as_current_span("execute_tool Google Search", attributes=described) as span,
    ):
        words = set(q.lower().strip("?").split())
        found = max(INDEX, key=lambda known: len(words & set(known.lower().split())))
        span.set_attribute("gen_ai.tool.call.result", INDEX[found])
        return INDEX[found]


def answer(client: OpenAI, user_request: str, google_answer: str) -> str:
    """The assistant's answer, made of what the search found."""
    inputs = {"user_request": user_request, "google_answer": google_answer}
    with annotate(project="sessions_example_assistant", inputs=inputs):
        completion = client.chat.completions.create(
            model=MODEL,
            temperature=0,
            messages=[
                {"role": "system", "content": "Answer in one sentence, from what the search found."},
                {"role": "user", "content": f"Question: {user_request}\nGoogle result: {google_answer}\nAnswer:"},
            ],
        )
    return completion.choices[0].message.content or ""


def main() -> None:
    """Answers the question given on the command line, or the guide's."""
    set_up()
    client = OpenAI()
    user_request = " ".join(sys.argv[1:]) or QUESTION
    with annotate(session=str(uuid.uuid4())):
        moderate(client, user_request)
        google_answer = search(user_request)
        print(answer(client, user_request, google_answer))


if __name__ == "__main__":
    main()

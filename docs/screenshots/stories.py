"""Sessions such as programs make, for looking at: posted to a server as v4 logs.

    python docs/screenshots/stories.py http://127.0.0.1:8484

Everything follows from one seed, so that two runs show the same.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx

QUESTIONS = (
    ("Where is my order 48213?", "Your order 48213 left our warehouse on Monday and should arrive on Thursday."),
    ("Can I return shoes I wore once?", "Yes, within 30 days, if the soles are clean. Here is your return label."),
    (
        "My invoice shows VAT twice, please fix it",
        "You are right: line 3 was taxed twice. A corrected invoice is on its way.",
    ),
    ("Do you ship to the Azores?", "We do. Shipping takes five to eight days and costs €9.90."),
    (
        "Cancel my subscription but keep my data",
        "Done. Your subscription ends on the 30th; your data stays for a year.",
    ),
    ("How do I change the language of the app?", "Open **Settings**, then **General**, then **Language**."),
    ("Which plan has single sign-on?", "Single sign-on comes with the Team plan and above."),
    (
        "The export button does nothing in Safari",
        "Thank you. This is a known problem in Safari 17.2, mended in tomorrow's release.",
    ),
)

PROMPT = """You are the support agent of a shop.
Answer {{question}} for {{customer}} in at most two sentences.
Use the tools; never guess an order's state."""

TOOL = {
    "name": "lookup_order",
    "description": "The state of an order, by its number.",
    "parameters": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
}


class Story:
    """One session being told: logs with their places and times."""

    def __init__(self, reference: str, start: datetime, choose: random.Random) -> None:
        self.logs: list[dict[str, Any]] = []
        self._reference = reference
        self._start = start
        self._choose = choose

    def log(self, name: str, parent: str | None, begin: float, length: float, **fields: Any) -> str:
        """Adds a log that begins some seconds after the session, and lasts some."""
        reference = f"{self._choose.getrandbits(64):016x}"
        end = self._start + timedelta(seconds=begin + length)
        self.logs.append(
            {
                "project": name,
                "session_reference_id": self._reference,
                "reference_id": reference,
                "created_at": end.isoformat(),
                "duration": length,
                "source": "opentelemetry",
                **({"parent_reference_id": parent} if parent is not None else {}),
                **fields,
            }
        )
        return reference

    def model(self, name: str, parent: str | None, begin: float, length: float, **fields: Any) -> str:
        """Adds a call of a model, with tokens and cost that fit its length."""
        given, made = self._choose.randint(300, 2400), max(8, round(length * 60))
        used = {"prompt_tokens": given, "output_tokens": made}
        paid = {"prompt_cost": given * 2.5e-6, "output_cost": made * 1e-5}
        return self.log(name, parent, begin, length, **used, **paid, **fields)


def step(kind: str, name: str) -> dict[str, Any]:
    """The config of work that is not a model's."""
    return {"type": "tool", "name": name, "other": {"kind": kind}}


def support(story: Story, choose: random.Random, customer: str, *, failing: bool = False) -> None:
    """A support agent: two turns, the first with tools of which one looks for passages."""
    question, answer = choose.choice(QUESTIONS)
    inputs = {"question": question, "customer": customer}
    config = {
        "model": "gpt-4o", "provider": "openai", "endpoint": "chat", "temperature": 0.2, "max_tokens": 400,
        "chat_template": [{"role": "system", "content": PROMPT}, {"role": "user", "content": "{{question}}"}],
        "tools": [TOOL],
    }  # fmt: skip
    system = {
        "role": "system",
        "content": PROMPT.replace("{{question}}", "the question").replace("{{customer}}", customer),
    }
    user = {"role": "user", "content": question}
    order = str(choose.randint(40000, 49999))
    call = {
        "id": "call_7Hq2",
        "type": "function",
        "function": {"name": "lookup_order", "arguments": json.dumps({"order": order})},
    }
    asks = {"role": "assistant", "tool_calls": [call]}
    state = {"order": order, "state": "shipped", "carrier": "DHL", "eta": "Thursday"}
    slow = choose.uniform(0.8, 2.6)
    first, tools, last = 0.9 * slow, 1.3 * slow, 1.6 * slow
    end = 0.1 + first + tools + last + 0.3
    metadata = {
        "user": customer,
        "tags": ["support", "web"],
        "otel": {
            "scope": "shop.agent",
            "sources": {
                "kind": "otel_genai: gen_ai.operation.name",
                "input_messages": "otel_genai: gen_ai.input.messages",
            },
        },
    }
    done: dict[str, Any] = {"error": "RateLimitError: Rate limit reached for gpt-4o"} if failing else {"output": answer}
    agent = story.log(
        "support-agent", None, 0, end, inputs=inputs, config=step("agent", "Support agent"), metadata=metadata, **done
    )
    turn = story.log(
        "support-turns",
        agent,
        0.05,
        first + tools + 0.1,
        inputs={"turn": 1},
        config=step("chain", "turn 1"),
        output="used 2 tools",
    )
    story.model(
        "support-assistant",
        turn,
        0.1,
        first,
        inputs=inputs,
        messages=[system, user],
        output="",
        output_message=asks,
        config=config,
        metadata=metadata,
    )
    began = 0.15 + first
    tool = story.log(
        "lookup_order",
        turn,
        began,
        tools * 0.55,
        inputs={"order": order},
        output=json.dumps(state),
        config={"type": "tool", **TOOL},
    )
    story.log(
        "orders-api",
        tool,
        began + 0.02,
        tools * 0.5,
        inputs={"order": order},
        output=json.dumps(state),
        config=step("step", "GET /orders"),
    )
    search = story.log(
        "policy-search",
        turn,
        began,
        tools * 0.95,
        inputs={"query": question},
        output="3 passages",
        config=step("retrieval", "policies"),
    )
    story.log(
        "policy-embedding",
        search,
        began + 0.01,
        tools * 0.3,
        inputs={"input": [question]},
        config=step("embedding", "text-embedding-3-small"),
        prompt_tokens=14,
    )
    story.log(
        "policy-rerank",
        search,
        began + tools * 0.4,
        tools * 0.5,
        inputs={"passages": 20, "keep": 3},
        output="[4, 11, 2]",
        config=step("reranker", "rerank-v3"),
    )
    second = story.log(
        "support-turns",
        agent,
        0.2 + first + tools,
        last + 0.05,
        inputs={"turn": 2},
        config=step("chain", "turn 2"),
        **done,
    )
    result = {"role": "tool", "tool_call_id": "call_7Hq2", "content": json.dumps(state)}
    said: dict[str, Any] = {**done, **({} if failing else {"output_message": {"role": "assistant", "content": answer}})}
    story.model(
        "support-assistant",
        second,
        0.22 + first + tools,
        last * 0.9,
        inputs=inputs,
        messages=[system, user, asks, result],
        config=config,
        metadata={
            **metadata,
            "output_messages": {
                "0": {"reasoning": ["The tool says shipped. The customer wants to know when. Thursday."]}
            },
        },
        **said,
    )


def extraction(story: Story, choose: random.Random, customer: str, *, failing: bool = False) -> None:
    """A pipeline: a document read, its fields drawn out, the result checked."""
    number = choose.randint(100, 999)
    fields = {"invoice": f"2024-{number}", "total": round(choose.uniform(40, 900), 2), "currency": "EUR"}
    root = story.log(
        "invoice-pipeline",
        None,
        0,
        4.2,
        inputs={"document": f"invoice-{number}.pdf"},
        config=step("chain", "extract"),
        output=json.dumps(fields),
        metadata={"user": customer},
    )
    story.log(
        "pdf-to-text",
        root,
        0.02,
        0.9,
        inputs={"pages": 2},
        output="INVOICE …",
        config={"type": "tool", "name": "pdf_to_text"},
    )
    story.model(
        "invoice-fields",
        root,
        1.0,
        2.4,
        inputs={"text": "INVOICE …"},
        output=json.dumps(fields),
        config={"model": "gpt-4o-mini", "temperature": 0, "prompt_template": "Draw the fields out of {{text}}."},
    )
    story.log(
        "total-check",
        root,
        3.5,
        0.6,
        inputs={"total": fields["total"]},
        config=step("guardrail", "sum of lines"),
        **({"error": "AssertionError: lines add up to 412.10"} if failing else {"output": "passed"}),
    )


def guide(story: Story, choose: random.Random, customer: str, *, failing: bool = False) -> None:
    """Humanloop's guide: a moderator, a search, an assistant."""
    user = {"user": customer}
    year = choose.choice((2021, 2022, 2023))
    winner = {2021: "Italy", 2022: "Ukraine", 2023: "Sweden"}[year]
    question = f"Which country won Eurovision {year}?"
    story.model(
        "sessions_example_moderator",
        None,
        0,
        0.42,
        metadata=user,
        inputs={"user_request": question},
        output="No",
        config={
            "model": "gpt-4o-mini",
            "max_tokens": 1,
            "prompt_template": "You are a moderator. Is {{user_request}} abusive?",
        },
    )
    story.log(
        "sessions_example_google",
        None,
        0.45,
        0.61,
        inputs={"q": question},
        output=winner,
        config={"type": "tool", "name": "Google Search"},
    )
    story.model(
        "sessions_example_assistant",
        None,
        1.1,
        0.95,
        inputs={"user_request": question, "google_answer": winner},
        config={"model": "gpt-4o", "prompt_template": "Question: {{user_request}}\nGoogle result: {{google_answer}}"},
        **(
            {"error": "APITimeoutError: Request timed out."}
            if failing
            else {"output": f"{winner} won the Eurovision Song Contest in {year}."}
        ),
    )


def stories(number: int, now: datetime, seed: int = 7) -> Iterator[list[dict[str, Any]]]:
    """Sessions over the last days, the newest last; each a list of logs, parents first."""
    choose = random.Random(seed)
    for index in reversed(range(number)):
        start = now - timedelta(seconds=40 + index * choose.uniform(400, 1500))
        tell = choose.choices((support, extraction, guide), (5, 2, 3))[0]
        if index == 0:  # what is opened first is the richest
            tell = support
        story = Story(f"{choose.getrandbits(128):032x}", start, choose)
        tell(
            story,
            choose,
            choose.choice(("ada@example.org", "lin@example.org", "sam@example.org")),
            failing=index > 0 and choose.random() < 0.12,
        )
        yield story.logs


def post(url: str, number: int = 140) -> None:
    """Posts them to a server."""
    with httpx.Client(base_url=f"{url}/v4", trust_env=False) as http:
        for logs in stories(number, datetime.now(timezone.utc)):
            http.post("/logs", json=logs).raise_for_status()


if __name__ == "__main__":
    post(sys.argv[1])

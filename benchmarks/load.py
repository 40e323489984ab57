"""The spans everything is measured with. Runs in every peer's environment: it needs the OpenTelemetry SDK alone.

A trace is a root of the program's own with 6 attributes, and chat spans below it with 25 each, as an instrumentation
that follows OpenTelemetry's GenAI conventions writes them; two of these hold messages as JSON, of about 2.3 and
2.0 kB. No two texts are alike, so that compression has as much to do as it would with what people write.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

CHATS = 3
"""Chat spans below each root."""

SCOPE = "opentelemetry.instrumentation.openai"

_QUESTION = 1_850  # characters of the user's text; with its system text and JSON around it 2.3 kB
_ANSWER = 1_840  # characters of the answer; 2.0 kB

_SYLLABLES = [
    consonant + vowel for consonant in "bcdfghjklmnprstvwz" for vowel in ("a", "e", "i", "o", "u", "ea", "ou")
]


class Collected(SpanProcessor):
    """Keeps finished spans, in the order they ended."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


class Load:
    """A program under load.

    Args:
        seed: Two loads of one seed say the same; their ids still differ.
        processors: What is told of each span, besides what `finished` collects.
    """

    def __init__(self, seed: int, processors: Sequence[SpanProcessor] = ()) -> None:
        self._random = random.Random(seed)
        self._collected = Collected()
        self.provider = TracerProvider(resource=Resource({"service.name": "bench", "service.version": "1.4.2"}))
        for processor in processors or [self._collected]:
            self.provider.add_span_processor(processor)
        self._app = self.provider.get_tracer("app", "1.4.2")
        self._instrumentation = self.provider.get_tracer(SCOPE, "0.62.4")

    def finished(self, traces: int, **shape: Any) -> list[ReadableSpan]:
        """The finished spans of so many traces; each trace's in the order they ended, its root last."""
        for _ in range(traces):
            self.trace(**shape)
        return self._taken()

    def requests(self, traces: int) -> list[ReadableSpan]:
        """The same of traces without AI."""
        for _ in range(traces):
            self.request()
        return self._taken()

    def trace(
        self,
        chats: int = CHATS,
        *,
        depth: int = 1,
        turns: int = 1,
        name: str = "answer",
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """One trace.

        Args:
            chats: Chat spans below the root.
            depth: How many of them hang one below the other; chains of so many hang below the root.
            turns: Questions in each conversation, all but the last with their answers.
            name: The root's.
            extra: Attributes that every span has besides.
        """
        root = self._app.start_span(name, attributes={**self._root(), **(extra or {})})
        parent = trace.set_span_in_context(root)
        for first in range(0, chats, depth):
            below, chain = parent, []
            for _ in range(first, min(first + depth, chats)):
                chat = self._instrumentation.start_span("chat gpt-4o", below, kind=trace.SpanKind.CLIENT)
                chat.set_attributes({**self._chat(turns), **(extra or {})})
                below = trace.set_span_in_context(chat)
                chain.append(chat)
            for chat in reversed(chain):
                chat.end()
        root.end()

    def request(self) -> None:
        """One trace of four spans without AI: a request that a service answered, with what it asked others for."""
        route = self._random.choice(("/orders/{id}", "/cart", "/users/{id}/invoices"))
        asked = {
            "http.request.method": "GET",
            "http.route": route,
            "url.path": f"/v2{route}",
            "url.scheme": "https",
            "server.address": "shop.example.com",
            "server.port": 443,
            "client.address": f"10.0.{self._random.randrange(256)}.{self._random.randrange(256)}",
            "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "http.response.status_code": 200,
            "network.protocol.version": "1.1",
        }
        queried = {
            "db.system.name": "postgresql",
            "db.namespace": "shop",
            "db.operation.name": "SELECT",
            "db.collection.name": "orders",
            "db.query.text": "SELECT id, state, total FROM orders WHERE customer = $1 ORDER BY id DESC LIMIT 20",
            "server.address": "db.internal",
            "server.port": 5432,
        }
        root = self._app.start_span(f"GET {route}", kind=trace.SpanKind.SERVER, attributes=asked)
        below = trace.set_span_in_context(root)
        for name, attributes in (("SELECT orders", queried), ("SELECT orders", queried), ("GET", asked)):
            self._app.start_span(name, below, kind=trace.SpanKind.CLIENT, attributes=attributes).end()
        root.end()

    def text(self, length: int) -> str:
        """That many characters of words."""
        said = _said()
        start = self._random.randrange(len(said) - length)
        return said[start : start + length]

    def _taken(self) -> list[ReadableSpan]:
        spans, self._collected.spans = self._collected.spans, []
        return spans

    def _root(self) -> dict[str, Any]:
        return {
            "app.route": "/answer",
            "app.tenant": f"tenant-{self._random.randrange(100)}",
            "app.request": self._random.randrange(10**9),
            "app.retries": 0,
            "app.cached": False,
            "app.region": "eu-west-1",
        }

    def _chat(self, turns: int) -> dict[str, Any]:
        asked = [{"role": "system", "parts": [{"type": "text", "content": self.text(260)}]}]
        for _ in range(turns - 1):
            asked.append({"role": "user", "parts": [{"type": "text", "content": self.text(_QUESTION)}]})
            asked.append({"role": "assistant", "parts": [{"type": "text", "content": self.text(_ANSWER)}]})
        asked.append({"role": "user", "parts": [{"type": "text", "content": self.text(_QUESTION)}]})
        answer = [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": self.text(_ANSWER)}],
                "finish_reason": "stop",
            }
        ]
        prompt, output = self._random.randrange(300, 600), self._random.randrange(200, 500)
        return {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.response.id": f"chatcmpl-{self._random.getrandbits(96):024x}",
            "gen_ai.request.temperature": 0.7,
            "gen_ai.request.top_p": 0.95,
            "gen_ai.request.max_tokens": 1024,
            "gen_ai.request.frequency_penalty": 0.1,
            "gen_ai.request.presence_penalty": 0.0,
            "gen_ai.request.seed": 7,
            "gen_ai.request.stop_sequences": ["END"],
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.usage.input_tokens": prompt,
            "gen_ai.usage.output_tokens": output,
            "gen_ai.usage.cache_read.input_tokens": 128,
            "gen_ai.usage.reasoning.output_tokens": 64,
            "gen_ai.conversation.id": f"conversation-{self._random.randrange(10**6)}",
            "gen_ai.output.type": "text",
            "openai.request.service_tier": "default",
            "gen_ai.input.messages": json.dumps(asked),
            "gen_ai.output.messages": json.dumps(answer),
            "server.address": "api.openai.com",
            "server.port": 443,
            "app.team": "support",
        }


def batches(spans: Sequence[ReadableSpan], size: int = 512) -> Iterator[Sequence[ReadableSpan]]:
    """The spans as `BatchSpanProcessor` hands them to an exporter."""
    for start in range(0, len(spans), size):
        yield spans[start : start + size]


@cache
def _said() -> str:
    """More text than any compression looks back on, of which every text is a piece."""
    made = random.Random(0)
    words = sorted({"".join(made.choices(_SYLLABLES, k=made.choice((1, 2, 2, 3, 3, 4)))) for _ in range(6_000)})
    words.sort(key=len)
    # Some words are common and most are rare, as in any language.
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    return " ".join(made.choices(words, weights, k=400_000))

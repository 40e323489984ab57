"""OpenLIT's SDK.

https://docs.openlit.io/latest/sdk/overview

Spans follow `otel_genai`. Beside it: costs, the user, and what a step was given and gave. A cost of nothing is what it
states of a model whose price it does not know. The counts are the provider's own: Anthropic's and Bedrock's leave out
what was read from and written to a cache.
"""

from __future__ import annotations

import re
from typing import Any, cast

from otel_humanloop.operation import Cost, Usage
from otel_humanloop.reading import pythontext
from otel_humanloop.reading.convention import Convention, Counting, Fields, Found, Look, Rank, asks
from otel_humanloop.reading.readers import arguments, boolean, first, identifier, json_value, mapped, number, text
from otel_humanloop.reading.usage import cache_beside, dollars, tokens
from otel_humanloop.spans import Span

_OPERATION = "gen_ai.operation.name"
_PROVIDERS = ("gen_ai.provider.name", "gen_ai.system")
_BESIDE = frozenset({"anthropic", "aws.bedrock"})

_provider = identifier(*_PROVIDERS)
_streaming = boolean("gen_ai.request.stream", "gen_ai.request.is_stream")
_first_token = number("gen_ai.server.time_to_first_token")
_counted = tokens(
    prompt_tokens="gen_ai.usage.input_tokens",
    output_tokens="gen_ai.usage.output_tokens",
    cache_read_tokens="gen_ai.usage.cache_read.input_tokens",
    cache_write_tokens="gen_ai.usage.cache_creation.input_tokens",
    total_tokens="gen_ai.client.token.usage",
)


_MESSAGE = re.compile(r"content=('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")(?: \w+=.*)?", re.DOTALL)
"""How a message of LangChain's writes itself: its words, and what else is known of it."""


@asks(_counted, keys=_PROVIDERS)
def _usage(span: Span, counted: Look[Usage]) -> Found[Usage] | None:
    found, provider = counted(span), _provider(span)
    if found is None or provider is None or provider.value not in _BESIDE:
        return found
    return Found(cache_beside(found.value), found.key, found.taken, found.parts)


@asks(_first_token, _streaming)
def _time_to_first_token(span: Span, first_token: Look[float], streaming: Look[bool]) -> Found[float] | None:
    """Of an answer that was not streamed, the time to its end is written there."""
    streamed = streaming(span)
    return first_token(span) if streamed is not None and streamed.value else None


def _arguments(written: str) -> dict[str, Any] | None:
    """Those a tool was given, written with `repr`."""
    value = pythontext.parse(written)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _words(written: str) -> str | None:
    """What a tool gave, out of the message it stands in."""
    message = _MESSAGE.fullmatch(written)
    words = None if message is None else pythontext.parse(message[1])
    return words if isinstance(words, str) else None


_of_tool = mapped(text("gen_ai.tool.call.arguments"), _arguments)


@asks(_of_tool, arguments("gen_ai.workflow.input", "gen_ai.tool.input"), keys=(_OPERATION,))
def _inputs(span: Span, of_tool: Look[dict[str, Any]], of_step: Look[dict[str, Any]]) -> Found[dict[str, Any]] | None:
    """A call of a model names the tool that was asked for, too."""
    return None if span.attributes.get(_OPERATION) == "chat" else of_tool(span) or of_step(span)


def _priced(cost: Cost) -> Cost | None:
    return cost if cost.total else None


CONVENTION = Convention(
    name="openlit",
    rank=Rank.FRAMEWORK,
    scopes=("openlit", "openlit."),
    counting=Counting(
        prompt_includes_cache=True,
        output_includes_reasoning=True,
        note="As the provider counts: Anthropic's and Bedrock's leave cached tokens out, which is converted.",
    ),
    fields=Fields(
        user=identifier("gen_ai.request.user"),
        inputs=_inputs,
        output=first(
            mapped(text("gen_ai.tool.call.result"), _words),
            json_value("gen_ai.workflow.output", "gen_ai.tool.output"),
        ),
        usage=_usage,
        cost=mapped(dollars(total="gen_ai.usage.cost"), _priced),
        streaming=_streaming,
        time_to_first_token=_time_to_first_token,
    ),
)

"""Claude Code's traces (`CLAUDE_CODE_ENHANCED_TELEMETRY_BETA=1`).

https://code.claude.com/docs/en/monitoring-usage

A span is noticed by its scope, for its keys are anyone's. Input tokens do not include cached ones. Written from the
published keys; there is no capture of it here.
"""

from __future__ import annotations

import msgspec

from otel_humanloop.operation import Kind, Usage
from otel_humanloop.reading import blobs
from otel_humanloop.reading.convention import Convention, Counting, Fields, Rank
from otel_humanloop.reading.readers import (
    arguments,
    first,
    gathered,
    identifier,
    mapped,
    number,
    one_of,
    structure,
    text,
)
from otel_humanloop.reading.usage import dollars, tokens

_counted = tokens(
    prompt_tokens="input_tokens",
    output_tokens="output_tokens",
    cache_read_tokens="cache_read_tokens",
    cache_write_tokens="cache_creation_tokens",
)


def _all(usage: Usage) -> Usage:
    """The prompt's tokens with the cached ones, which stand beside them."""
    if usage.prompt_tokens is None:
        return usage
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    return msgspec.structs.replace(usage, prompt_tokens=usage.prompt_tokens + cached)


CONVENTION = Convention(
    name="claude_code",
    rank=Rank.FRAMEWORK,
    scopes=("com.anthropic.claude_code", "com.anthropic.claude_code."),
    counting=Counting(prompt_includes_cache=False, output_includes_reasoning=True, note="Converted."),
    fields=Fields(
        kind=one_of(
            {
                "interaction": Kind.AGENT,
                "llm_request": Kind.MODEL,
                "tool": Kind.TOOL,
                "tool.execution": Kind.CHAIN,
                "tool.blocked_on_user": Kind.CHAIN,
                "hook": Kind.CHAIN,
            },
            "span.type",
        ),
        name=identifier("tool_name"),
        conversation=identifier("session.id"),
        user=identifier("user.id"),
        request_model=identifier("model"),
        provider=mapped(identifier("gen_ai.system"), str.lower),
        messages=mapped(text("new_context"), blobs.asked),
        output_messages=mapped(text("response.model_output"), blobs.answered),
        inputs=first(arguments("tool_input"), gathered({"prompt": text("user_prompt")})),
        output=structure("tool_result", "tool_output", "tool_response"),
        tool_call_id=identifier("tool_use_id"),
        usage=mapped(_counted, _all),
        cost=dollars(total="cost_usd"),
        finish_reasons=mapped(identifier("stop_reason"), lambda reason: (reason,)),
        time_to_first_token=mapped(number("ttft_ms"), lambda milliseconds: milliseconds / 1000),
    ),
)

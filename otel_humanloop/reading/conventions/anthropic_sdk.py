"""The spans Anthropic's own Python SDK makes since 2.12, unless `ANTHROPIC_OPEN_TELEMETRY=false`.

They follow `otel_genai`, save for why the model stopped. Input tokens include those read from and written to a cache.
An instrumentation around the SDK sees the same call: its span has the same response id and tells more.
"""

from __future__ import annotations

from otel_humanloop.reading.convention import Convention, Counting, Fields, Rank
from otel_humanloop.reading.readers import gathered, identifier, integer, mapped, text

CONVENTION = Convention(
    name="anthropic_sdk",
    rank=Rank.FRAMEWORK,
    scopes=("com.anthropic.sdk.python",),
    counting=Counting(prompt_includes_cache=True, output_includes_reasoning=True),
    fields=Fields(
        finish_reasons=mapped(identifier("anthropic.message.stop_reason"), lambda reason: (reason,)),
        parameters=gathered(
            {
                "thinking": gathered(
                    {
                        "type": text("anthropic.thinking.type"),
                        "budget_tokens": integer("anthropic.thinking.budget_tokens"),
                    }
                ),
            }
        ),
    ),
)

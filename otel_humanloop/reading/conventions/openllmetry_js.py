"""OpenLLMetry's instrumentation of Anthropic's client for JavaScript.

https://github.com/traceloop/openllmetry-js/tree/main/packages/instrumentation-anthropic

Spans follow `otel_genai`; the counts are Anthropic's own, whose input tokens do not include those read from and written
to a cache. (In Python, OpenLLMetry counts them among the input.)
"""

from __future__ import annotations

from otel_humanloop.reading.convention import Convention, Counting, Fields, Rank
from otel_humanloop.reading.readers import mapped
from otel_humanloop.reading.usage import cache_beside, tokens

CONVENTION = Convention(
    name="openllmetry_js",
    rank=Rank.FRAMEWORK,
    scopes=("@traceloop/instrumentation-anthropic",),
    counting=Counting(prompt_includes_cache=False, output_includes_reasoning=True, note="Converted."),
    fields=Fields(
        usage=mapped(
            tokens(
                prompt_tokens="gen_ai.usage.input_tokens",
                output_tokens="gen_ai.usage.output_tokens",
                cache_read_tokens="gen_ai.usage.cache_read.input_tokens",
                cache_write_tokens="gen_ai.usage.cache_creation.input_tokens",
                total_tokens="gen_ai.usage.total_tokens",
            ),
            cache_beside,
        ),
    ),
)

"""Amazon Bedrock, by OpenLLMetry and by OpenTelemetry's instrumentation of botocore.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html

Spans follow `otel_genai` and `otel_genai_events`; the counts are Bedrock's own, whose input tokens do not include those
read from and written to a cache.
"""

from __future__ import annotations

from otel_humanloop.reading.convention import Convention, Counting, Fields, Rank
from otel_humanloop.reading.readers import mapped
from otel_humanloop.reading.usage import cache_beside, tokens

CONVENTION = Convention(
    name="bedrock",
    rank=Rank.FRAMEWORK,
    scopes=("opentelemetry.instrumentation.bedrock", "opentelemetry.instrumentation.botocore."),
    counting=Counting(prompt_includes_cache=False, output_includes_reasoning=True, note="Converted."),
    fields=Fields(
        usage=mapped(
            tokens(
                prompt_tokens="gen_ai.usage.input_tokens",
                output_tokens="gen_ai.usage.output_tokens",
                cache_read_tokens=("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"),
                cache_write_tokens=(
                    "gen_ai.usage.cache_creation.input_tokens",
                    "gen_ai.usage.cache_creation_input_tokens",
                ),
            ),
            cache_beside,
        ),
    ),
)

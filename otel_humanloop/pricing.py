"""What a call of a model cost, by the published prices of its model: the extra `prices`, https://pypi.org/project/genai-prices/

Only where the span itself does not say, the provider and the model are known there, and tokens were counted. Never
guessed: without the extra, or for a model without a published price, there is no cost.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from functools import cache
from importlib.util import find_spec
from typing import Any

from otel_humanloop.operation import Cost, Kind, Operation, Usage

SOURCE = "genai-prices"
"""The distribution the prices are of."""

# The names instrumentations give providers -> those of genai-prices. Any other is the same in both.
_PROVIDERS = {
    "amazon-bedrock": "aws",
    "aws.bedrock": "aws",
    "aws_bedrock": "aws",
    "bedrock": "aws",
    "az.ai.openai": "azure",
    "azure.ai.openai": "azure",
    "azure_openai": "azure",
    "openai_azure": "azure",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "gemini": "google",
    "vertex_ai": "google",
    "mistral_ai": "mistral",
    "x_ai": "x-ai",
}


def price(operation: Operation, at_ns: int) -> Cost | None:
    """What the call cost in US dollars.

    Args:
        operation: What the span says.
        at_ns: When the call was made, in nanoseconds since the epoch: prices change.
    """
    model, provider, usage = operation.response_model or operation.request_model, operation.provider, operation.usage
    if operation.kind not in (Kind.MODEL, Kind.EMBEDDING) or model is None or provider is None or usage is None:
        return None
    calculate = _calculator()
    if calculate is None or usage.prompt_tokens is None:
        return None
    try:
        return calculate(usage, model, _PROVIDERS.get(provider.lower(), provider.lower()), at_ns)
    except (LookupError, ValueError, OverflowError):
        return None  # no published price, or counts that cannot be


@cache
def _calculator() -> Callable[[Usage, str, str, int], Cost] | None:
    """The library's calculation; None where it is not installed. It is looked for once."""
    if find_spec("genai_prices") is None:
        return None
    import genai_prices

    def calculate(usage: Usage, model: str, provider: str, at_ns: int) -> Cost:
        counted: dict[str, Any] = {
            "input_tokens": usage.prompt_tokens,
            "output_tokens": usage.output_tokens,
            "cache_read_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "input_audio_tokens": usage.audio_prompt_tokens,
            "output_audio_tokens": usage.audio_output_tokens,
        }
        priced = genai_prices.calc_price(
            genai_prices.Usage(**{name: count for name, count in counted.items() if count is not None}),
            model,
            provider_id=provider,
            genai_request_timestamp=datetime.fromtimestamp(at_ns / 1e9, timezone.utc),
        )
        return Cost(
            prompt=float(priced.input_price), output=float(priced.output_price), total=float(priced.total_price)
        )

    return calculate

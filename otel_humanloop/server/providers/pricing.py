"""What a call of a model cost, by the published prices of its model: those that spans are priced with."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from otel_humanloop import pricing
from otel_humanloop.operation import Cost, Kind, Operation, Usage
from otel_humanloop.server.providers import Answer


def price(config: Mapping[str, Any], answer: Answer) -> Cost | None:
    """What an answer to a config's model cost, in US dollars; None where no price is known, as of `mock`."""
    provider: Any = config.get("provider") or config["other"].get("provider")
    usage = Usage(
        prompt_tokens=answer.prompt_tokens, output_tokens=answer.output_tokens, cache_read_tokens=answer.cached_tokens
    )
    call = Operation(
        kind=Kind.MODEL,
        provider=str(provider),
        request_model=config["model"],
        response_model=answer.model,
        usage=usage,
    )
    return pricing.price(call, time.time_ns())

"""What a call of a model cost, by the published prices of its model: the extra `prices`, https://pypi.org/project/genai-prices/

Only where the span itself does not say, the provider and the model are known there, and tokens were counted. Never
guessed: without the extra, or for a model without a published price, there is no cost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import msgspec

from otel_humanloop.operation import Cost, Kind, Operation, Usage

if TYPE_CHECKING:
    from genai_prices.types import PriceCalculation

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


_COUNTS = {
    "prompt_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "audio_prompt_tokens": "input_audio_tokens",
    "audio_output_tokens": "output_audio_tokens",
}
"""Our counts by the library's names."""

_CACHED, _SOUND = ("cache_read_tokens", "cache_write_tokens"), "input_audio_tokens"

_PARTS = {"input_tokens": (*_CACHED, _SOUND), "output_tokens": ("output_audio_tokens",)}
"""Counts that are contained in others."""

_MOST_RATES = 1000
"""Names of models come from outside: so many are remembered."""

_MILLION = 1_000_000
_NOTHING = Decimal(0)


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


def prepare() -> None:
    """Has the library ready, where it is installed. Importing it takes a tenth of a second.

    An import that comes later is one in the middle of the application's work; or at its end, where it costs a program
    that was interrupted its exit code: what runs source text (https://docs.python.org/3/library/functions.html#exec, as
    dataclasses do) makes the interpreter forget that it is to end by SIGINT.
    """
    _calculator()


@cache
def _calculator() -> Callable[[Usage, str, str, int], Cost] | None:
    """The library's calculation; None where it is not installed. It is looked for once."""
    return _Prices().price if find_spec("genai_prices") is not None else None


class _Rates(msgspec.Struct, frozen=True):
    """What one token of each count that costs something adds, in US dollars, to the price of the input and to that of
    the output; and which of the counts are `contained` in which."""

    input: tuple[tuple[str, Decimal], ...]
    output: tuple[tuple[str, Decimal], ...]
    contained: tuple[tuple[str, tuple[str, ...]], ...]


class _Prices:
    """The library, and the rates it was asked for: None where a price is no sum, its refusal where there is none."""

    def __init__(self) -> None:
        import genai_prices
        from genai_prices import data_snapshot

        self._library = genai_prices
        self._current = data_snapshot.get_snapshot
        self._snapshot: object = None
        self._rates: dict[tuple[str, ...], _Rates | LookupError | None] = {}

    def price(self, usage: Usage, model: str, provider: str, at_ns: int) -> Cost:
        """What the call cost.

        Raises:
            LookupError: There is no published price.
            ValueError, OverflowError: Counts, or a time, that cannot be.
        """
        snapshot = self._current()
        if snapshot is not self._snapshot or len(self._rates) >= _MOST_RATES:  # there are newer prices, or too many
            self._snapshot, self._rates = snapshot, {}
        counts = {of: count for name, of in _COUNTS.items() if (count := getattr(usage, name)) is not None}
        rates = self._rates_of((provider, model, *counts))
        if rates is None or not _are_apart(counts, rates):
            asked = self._ask(counts, model, provider, datetime.fromtimestamp(at_ns / 1e9, timezone.utc))
            prompt, output, total = asked.input_price, asked.output_price, asked.total_price
        else:
            prompt = sum([rate * counts[name] for name, rate in rates.input], _NOTHING)
            output = sum([rate * counts[name] for name, rate in rates.output], _NOTHING)
            total = prompt + output
        return Cost(prompt=float(prompt), output=float(output), total=float(total))

    def _rates_of(self, key: tuple[str, ...]) -> _Rates | None:
        if key not in self._rates:
            provider, model, *names = key
            try:
                self._rates[key] = self._found(names, model, provider)
            except LookupError as error:
                self._rates[key] = error
        rates = self._rates[key]
        if isinstance(rates, LookupError):
            raise LookupError(*rates.args)
        return rates

    def _found(self, names: list[str], model: str, provider: str) -> _Rates | None:
        """The rates of a model; None where its price has tiers or a share that no tokens have, or changes with time."""
        nothing = dict.fromkeys(names, 0)
        bare = self._ask(nothing, model, provider)
        has_tiers = not all(isinstance(each, Decimal) for each in vars(bare.model_price).values())
        if has_tiers or bare.total_price or isinstance(bare.model.prices, list):
            return None
        prompt: dict[str, Decimal] = {}
        output: dict[str, Decimal] = {}
        for name in names:
            whole = {of: _MILLION for of, parts in _PARTS.items() if name in parts}
            without = self._ask({**nothing, **whole}, model, provider)
            with_it = self._ask({**nothing, **whole, name: _MILLION}, model, provider)
            prompt[name] = (with_it.input_price - without.input_price) / _MILLION
            output[name] = (with_it.output_price - without.output_price) / _MILLION
        contained = {of: tuple(part for part in parts if part in names) for of, parts in _PARTS.items()}
        return _Rates(
            input=tuple((name, rate) for name, rate in prompt.items() if rate),
            output=tuple((name, rate) for name, rate in output.items() if rate),
            contained=tuple((of, parts) for of, parts in contained.items() if parts),
        )

    def _ask(self, counts: dict[str, int], model: str, provider: str, at: datetime | None = None) -> PriceCalculation:
        return self._library.calc_price(
            self._library.Usage(**counts), model, provider_id=provider, genai_request_timestamp=at
        )


def _are_apart(counts: Mapping[str, int], rates: _Rates) -> bool:
    """Whether the counts are such that each has a share of its own: no parts are more than their whole, and no sound
    may be among what was cached, which is for the library to decide."""
    if min(counts.values()) < 0 or (counts.get(_SOUND) and any(counts.get(name) for name in _CACHED)):
        return False
    return all(sum([counts[part] for part in parts]) <= counts.get(of, 0) for of, parts in rates.contained)

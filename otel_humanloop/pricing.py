"""What a call of a model cost, by the published prices of its model: the extra `prices`, https://pypi.org/project/genai-prices/

Only where the span itself does not say, the provider and the model are known there, and tokens were counted. Never
guessed: without the extra, or for a model without a published price, there is no cost.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from otel_humanloop.operation import Cost, Kind, Operation, Usage

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice, PriceCalculation

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

PRICED = (Kind.MODEL, Kind.EMBEDDING)

_MOST_MODELS = 1000
"""Names of models come from outside: so many are remembered."""

_MOST_TOKENS, _MOST_RATE = 10**9, 10**18
"""Their product, four times, fits into the 28 digits the library counts with, so that it rounds nothing either."""

_MILLION = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_DAY = 86_400 * 10**9


def price(operation: Operation, at_ns: int) -> Cost | None:
    """What the call cost in US dollars.

    Args:
        operation: What the span says.
        at_ns: When the call was made, in nanoseconds since the epoch: prices change.
    """
    if operation.kind not in PRICED:
        return None
    return price_of(operation.provider, operation.request_model, operation.response_model, operation.usage, at_ns)


def price_of(
    provider: str | None, request_model: str | None, response_model: str | None, usage: Usage | None, start_ns: int
) -> Cost | None:
    """What a call of a model cost in US dollars, by the model that answered, else by that which was asked.

    Args:
        provider: As the instrumentation calls it.
        usage: The tokens of the call.
        start_ns: When the call was made, in nanoseconds since the epoch: prices change.
    """
    model = response_model or request_model
    if model is None or provider is None or usage is None or usage.prompt_tokens is None:
        return None
    prices = _prices()
    if prices is None:
        return None
    try:
        return prices.price(usage, usage.prompt_tokens, model, provider, start_ns)
    except (LookupError, ValueError, OverflowError):
        return None  # no published price, or counts that cannot be


def prepare() -> None:
    """Has the library ready, where it is installed. Importing it takes a tenth of a second.

    An import that comes later is one in the middle of the application's work; or at its end, where it costs a program
    that was interrupted its exit code: what runs source text (https://docs.python.org/3/library/functions.html#exec, as
    dataclasses do) makes the interpreter forget that it is to end by SIGINT.
    """
    _prices()


@cache
def _prices() -> _Prices | None:
    """The library's prices; None where it is not installed. It is looked for once."""
    return _Prices() if find_spec("genai_prices") is not None else None


class _Rates(msgspec.Struct, frozen=True):
    """What a token costs, in parts of a dollar of which `scale` make one. Of a token that is counted twice, as one of
    the prompt and as one read from a cache: what it costs more (or less) for that."""

    prompt: int
    cache_read: int
    cache_write: int
    audio_prompt: int
    output: int
    audio_output: int
    scale: int


class _Period(msgspec.Struct, frozen=True):
    """A time in which a model's prices are the same.

    Attributes:
        steps: More tokens of the prompt than this, and all tokens of the call are priced otherwise. Ascending.
        rates: Those up to the first step, those up to the second, ...; None where the library is to be asked.
    """

    steps: tuple[int, ...]
    rates: tuple[_Rates | None, ...]


class _Model(msgspec.Struct, frozen=True):
    """The published prices of a model.

    Attributes:
        changes: When they changed, in nanoseconds since the epoch. Ascending.
        periods: That before the first change, that up to the second, ...
    """

    changes: tuple[int, ...]
    periods: tuple[_Period, ...]


_ASK = _Period((), (None,))
"""Prices that are no sums of tokens, or that change with the time of day."""


class _Prices:
    """The library, and what it said of models that it was asked for: None of those without a published price."""

    def __init__(self) -> None:
        import genai_prices
        from genai_prices import data_snapshot, types

        self._library = genai_prices
        self._types = types
        self._current = data_snapshot.get_snapshot
        self._snapshot: object = None
        self._models: dict[tuple[str, str], _Model | None] = {}

    def price(self, usage: Usage, prompt: int, model: str, provider: str, at_ns: int) -> Cost | None:
        """What the call cost; None where there is no published price.

        Raises:
            ValueError, OverflowError: Counts, or a time, that cannot be.
        """
        snapshot = self._current()
        if snapshot is not self._snapshot or len(self._models) >= _MOST_MODELS:  # there are newer prices, or too many
            self._snapshot, self._models = snapshot, {}
        try:
            known = self._models[provider, model]
        except KeyError:
            known = self._models[provider, model] = self._learnt(model, _name(provider))
        if known is None:
            return None
        period = known.periods[bisect_right(known.changes, at_ns)] if known.changes else known.periods[0]
        rates = period.rates[bisect_left(period.steps, prompt)] if period.steps else period.rates[0]
        # To the library, what was not counted is none.
        read, write = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
        heard, spoken = usage.audio_prompt_tokens or 0, usage.audio_output_tokens or 0
        output = usage.output_tokens or 0
        if (
            rates is None
            or not (min(read, write, heard) >= 0 and read + write + heard <= prompt < _MOST_TOKENS)
            or not 0 <= spoken <= output < _MOST_TOKENS
            or (heard and (read or write))  # the library decides whether what was cached was sound
        ):
            asked = self._ask(_counted(usage), model, _name(provider), _EPOCH + timedelta(seconds=at_ns // 10**9))
            return Cost(
                prompt=float(asked.input_price), output=float(asked.output_price), total=float(asked.total_price)
            )
        into = prompt * rates.prompt + read * rates.cache_read + write * rates.cache_write + heard * rates.audio_prompt
        out = output * rates.output + spoken * rates.audio_output
        # A quotient of integers is rounded once, as the library's decimal fraction is: both come to the same number.
        return Cost(prompt=into / rates.scale, output=out / rates.scale, total=(into + out) / rates.scale)

    def _learnt(self, model: str, provider: str) -> _Model | None:
        try:
            prices = self._ask({"input_tokens": 0}, model, provider).model.prices
            if isinstance(prices, self._types.ModelPrice):
                return _Model((), (self._period(prices, model, provider, _EPOCH),))
            dates: set[date] = set()
            for each in prices:
                if isinstance(each.constraint, self._types.StartDateConstraint):
                    dates.add(each.constraint.start_date)
                elif each.constraint is not None:
                    return _Model((), (_ASK,))
            starts = sorted(dates)
            periods: list[_Period] = []
            for start in (date.min, *starts):
                at = datetime.combine(start, time(), timezone.utc)
                then = self._ask({"input_tokens": 0}, model, provider, at).model_price
                periods.append(self._period(then, model, provider, at))
            return _Model(tuple((start - _EPOCH.date()).days * _DAY for start in starts), tuple(periods))
        except LookupError:
            return None
        except ValueError:
            return _Model((), (_ASK,))

    def _period(self, prices: ModelPrice, model: str, provider: str, at: datetime) -> _Period:
        steps: set[int] = set()
        for each in vars(prices).values():
            if isinstance(each, self._types.TieredPrices):
                steps.update(tier.start for tier in each.tiers)
        bounds = (0, *sorted(steps), max(steps, default=0) + _MILLION)
        rates = [self._rates(low, high, model, provider, at) for low, high in pairwise(bounds)]
        return _Period(bounds[1:-1], tuple(rates))

    def _rates(self, above: int, most: int, model: str, provider: str, at: datetime) -> _Rates | None:
        """The rates of calls whose prompt has more tokens than the one number, and as many as the other at most. None
        where a price is no sum of what each token costs, or where a rate has more digits than we count with."""

        def paid(**counts: int) -> tuple[Decimal, Decimal]:
            asked = self._ask(counts, model, provider, at)
            return asked.input_price, asked.output_price

        into, nothing = paid(input_tokens=most)
        _, out = paid(input_tokens=most, output_tokens=most)
        sums = {
            "prompt": into,
            "cache_read": paid(input_tokens=most, cache_read_tokens=most)[0] - into,
            "cache_write": paid(input_tokens=most, cache_write_tokens=most)[0] - into,
            "audio_prompt": paid(input_tokens=most, input_audio_tokens=most)[0] - into,
            "output": out,
            "audio_output": paid(input_tokens=most, output_tokens=most, output_audio_tokens=most)[1] - out,
        }
        digits = max(-int((each / most).normalize().as_tuple().exponent) for each in sums.values())
        scale = 10 ** max(digits, 0)
        rates = {name: int(each / most * scale) for name, each in sums.items()}
        if nothing or any(abs(rate) >= _MOST_RATE or rate * most != sums[name] * scale for name, rate in rates.items()):
            return None
        # One call more, with the fewest tokens there may be: what is paid for each call besides would show.
        one = self._ask({"input_tokens": above + 1, "output_tokens": 1}, model, provider, at)
        if one.total_price * scale != (above + 1) * rates["prompt"] + rates["output"]:
            return None
        return _Rates(**rates, scale=scale)

    def _ask(self, counts: dict[str, int], model: str, provider: str, at: datetime | None = None) -> PriceCalculation:
        return self._library.calc_price(
            self._library.Usage(**counts), model, provider_id=provider, genai_request_timestamp=at
        )


def _name(provider: str) -> str:
    """The library's name of a provider."""
    return _PROVIDERS.get(provider.lower(), provider.lower())


def _counted(usage: Usage) -> dict[str, int]:
    """The tokens that were counted, by the library's names."""
    counts = {
        "input_tokens": usage.prompt_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "input_audio_tokens": usage.audio_prompt_tokens,
        "output_audio_tokens": usage.audio_output_tokens,
    }
    return {name: count for name, count in counts.items() if count is not None}

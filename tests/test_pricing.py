"""What calls cost: as their span states it, else by published prices, else not at all."""

from __future__ import annotations

from datetime import datetime, time, timezone
from typing import Any

import msgspec
import pytest
from corpus import captures
from genai_prices import Usage as LibraryUsage
from genai_prices import calc_price
from genai_prices.data_snapshot import DataSnapshot, get_snapshot, set_custom_snapshot
from genai_prices.types import ConditionalPrice, StartDateConstraint, TieredPrices
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from otel_humanloop import pricing, settings
from otel_humanloop.logs.build import build_log
from otel_humanloop.logs.draft import draft
from otel_humanloop.logs.moves import Create
from otel_humanloop.operation import Cost, Kind, Operation, Usage

AT = int(datetime(2026, 1, 15, tzinfo=timezone.utc).timestamp() * 1e9)
CALL = Operation(
    kind=Kind.MODEL,
    provider="openai",
    request_model="gpt-4o",
    response_model="gpt-4o-2024-08-06",
    usage=Usage(prompt_tokens=1117, output_tokens=46, cache_read_tokens=1024, reasoning_tokens=32),
)


def log_of(name: str, *, without_usage: bool = False, **arguments: Any) -> Any:
    each = draft(captures.spans(name)[0])
    create = Create(key=each.key, draft=each, parent=None, session="s", user=None, without_usage=without_usage)
    return build_log(create, settings.load(arguments, environ={}))


def test_cached_tokens_are_priced_as_cached_and_reasoning_once() -> None:
    cost = pricing.price(CALL, AT)
    assert cost is not None
    assert cost.prompt == pytest.approx((93 * 2.5 + 1024 * 1.25) / 1e6)
    assert cost.output == pytest.approx(46 * 10 / 1e6)
    assert cost.total == pytest.approx(cost.prompt + cost.output)


@pytest.mark.parametrize(
    "changes",
    [
        {"provider": None},
        {"provider": "nobody"},
        {"usage": None},
        {"usage": Usage(output_tokens=46)},
        {"usage": Usage(prompt_tokens=1, output_tokens=1, cache_read_tokens=5)},
        {"kind": Kind.AGENT},
        {"request_model": "nothing", "response_model": None},
        {"request_model": None, "response_model": None},
    ],
)
def test_nothing_is_guessed(changes: dict[str, Any]) -> None:
    assert pricing.price(msgspec.structs.replace(CALL, **changes), AT) is None


@pytest.mark.parametrize("at", [0, -1, 2**63 - 1])
def test_any_time_will_do(at: int) -> None:
    cost = pricing.price(CALL, at)
    assert cost is None or cost.total is not None


@st.composite
def calls(draw: st.DrawFn) -> tuple[Usage, str, str, int]:
    """Any published model with any counts, most of which could be, at any time; often where its price changes."""
    provider = draw(st.sampled_from(get_snapshot().providers))
    model = draw(st.sampled_from([*provider.models, *get_snapshot().providers[0].models]))
    conditional = model.prices if isinstance(model.prices, list) else [ConditionalPrice(prices=model.prices)]
    steps, changes = {0}, {AT, AT - 10**17, AT + 10**15}
    for each in conditional:
        if isinstance(each.constraint, StartDateConstraint):
            start = datetime.combine(each.constraint.start_date, time(), timezone.utc)
            changes |= {int(start.timestamp()) * 10**9, int(start.timestamp() - 1) * 10**9}
        for price in vars(each.prices).values():
            if isinstance(price, TieredPrices):
                steps |= {tier.start for tier in price.tiers}
    prompt = draw(st.integers(0, 10**9) | st.sampled_from(sorted(steps)) | st.sampled_from(sorted(steps)).map(_more))
    output = draw(st.none() | st.integers(0, 10**6))
    usage = Usage(
        prompt_tokens=prompt,
        output_tokens=output,
        cache_read_tokens=draw(st.none() | st.integers(-1, prompt // 2 + 1)),
        cache_write_tokens=draw(st.none() | st.integers(0, prompt // 3)),
        audio_prompt_tokens=draw(st.none() | st.integers(0, prompt // 4)),
        audio_output_tokens=draw(st.none() | st.integers(0, (output or 0) + 1)),
    )
    return usage, provider.id, model.id, draw(st.sampled_from(sorted(changes)))


def _more(tokens: int) -> int:
    return tokens + 1


@given(calls())
@hypothesis_settings(max_examples=200, deadline=None)
def test_a_price_is_the_librarys_to_the_last_digit(call: tuple[Usage, str, str, int]) -> None:
    usage, provider, model, at = call
    counts = {
        "input_tokens": usage.prompt_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "input_audio_tokens": usage.audio_prompt_tokens,
        "output_audio_tokens": usage.audio_output_tokens,
    }
    stated: dict[str, Any] = {name: count for name, count in counts.items() if count is not None}
    try:
        when = datetime.fromtimestamp(at / 1e9, timezone.utc)
        asked = calc_price(LibraryUsage(**stated), model, provider_id=provider, genai_request_timestamp=when)
    except (LookupError, ValueError):
        expected = None
    else:
        expected = Cost(
            prompt=float(asked.input_price), output=float(asked.output_price), total=float(asked.total_price)
        )
    operation = msgspec.structs.replace(CALL, usage=usage, provider=provider, request_model=model, response_model=None)
    assert pricing.price(operation, at) == expected
    assert pricing.price_of(provider.upper(), None, model, usage, at) == expected


def test_a_day_begins_at_midnight_to_the_nanosecond() -> None:
    changed = [
        (provider.id, model.id, each.constraint.start_date)
        for provider in get_snapshot().providers
        for model in provider.models
        for each in (model.prices if isinstance(model.prices, list) else ())
        if isinstance(each.constraint, StartDateConstraint)
    ]
    differ = 0
    for provider, model, date in changed[:100]:
        midnight = int(datetime.combine(date, time(), timezone.utc).timestamp()) * 10**9
        before, at_midnight, later = (
            pricing.price_of(provider, model, None, CALL.usage, at) for at in (midnight - 1, midnight, midnight + 10**9)
        )
        assert at_midnight == later
        assert before == pricing.price_of(provider, model, None, CALL.usage, midnight - 10**9)
        differ += before != at_midnight
    assert differ


def test_newer_prices_are_taken_from_then_on() -> None:
    before = pricing.price(CALL, AT)
    providers = [provider for provider in get_snapshot().providers if provider.id != "openai"]
    set_custom_snapshot(DataSnapshot(providers=providers, from_auto_update=False))
    try:
        assert pricing.price(CALL, AT) is None
    finally:
        set_custom_snapshot(None)
    assert before is not None
    assert pricing.price(CALL, AT) == before


def test_a_log_says_whose_prices_they_are() -> None:
    log = log_of("traceloop-openai-0.62.4/chat")
    assert log.prompt_cost == pytest.approx(0.0015125)
    assert log.output_cost == pytest.approx(0.00046)
    assert log.metadata["priced_by"] == "genai-prices"


def test_what_a_span_states_is_not_priced_again() -> None:
    log = log_of("litellm-1.106.2/chat")
    assert (log.prompt_cost, log.output_cost) == (0.0015125000000000002, 0.00046)
    assert "priced_by" not in log.metadata


def test_an_aggregate_is_not_priced_and_neither_is_anything_where_that_is_turned_off() -> None:
    for log in (
        log_of("traceloop-openai-0.62.4/chat", without_usage=True),
        log_of("traceloop-openai-0.62.4/chat", prices="none"),
    ):
        assert (log.prompt_cost, log.output_cost) == (None, None)
        assert "priced_by" not in log.metadata

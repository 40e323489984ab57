"""What calls cost: as their span states it, else by published prices, else not at all."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import msgspec
import pytest
from corpus import captures

from otel_humanloop import pricing, settings
from otel_humanloop.logs.build import build_log
from otel_humanloop.logs.draft import draft
from otel_humanloop.logs.moves import Create
from otel_humanloop.operation import Kind, Operation, Usage

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

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otel_humanloop.delivery import retry

failures = st.integers(1, 10**9)
jitter = st.floats(0, 1, exclude_max=True)


@given(failures, jitter)
def test_a_wait_is_never_shorter_than_half_a_second_or_longer_than_thirty(failures: int, jitter: float) -> None:
    assert 0.5 <= retry.wait(failures, jitter=jitter) <= 30


@given(failures, jitter)
def test_one_more_failure_never_shortens_the_wait(failures: int, jitter: float) -> None:
    assert retry.wait(failures, jitter=jitter) <= retry.wait(failures + 1, jitter=jitter)


def test_waits_double_until_they_reach_the_longest() -> None:
    assert [retry.wait(n, jitter=0) for n in range(1, 9)] == [0.5, 1, 2, 4, 8, 15, 15, 15]


@given(failures)
def test_clients_that_failed_together_come_back_apart(failures: int) -> None:
    first, last = retry.wait(failures, jitter=0), retry.wait(failures, jitter=0.75)
    assert last == 1.75 * first


@given(failures, jitter, st.floats(0, 3600))
def test_what_the_server_asked_for_is_a_floor(failures: int, jitter: float, asked: float) -> None:
    wait = retry.wait(failures, jitter=jitter, retry_after=asked)
    assert wait == max(asked, retry.wait(failures, jitter=jitter))


def test_a_server_whose_clock_is_years_ahead_is_asked_again_within_the_hour() -> None:
    assert retry.wait(1, jitter=0, retry_after=1e9) == 3600

"""Up to where a partition may be committed, for any order in which its spans are settled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otel_humanloop.bridge.offsets import LONGEST, Offsets

ONE = ("otlp_spans", 0)
TWO = ("otlp_spans", 1)
REST = 10.0


def key(number: int, trace: str = "t") -> tuple[str, str]:
    return trace, str(number)


def test_a_message_is_dealt_with_when_its_spans_are_settled_and_its_trace_is_at_rest() -> None:
    offsets = Offsets(rest=REST)
    offsets.take(ONE, 7, [key(1), key(2)], 0.0)
    offsets.settle([key(1)])
    assert offsets.ready(1.0) == {}
    offsets.settle([key(2)])
    assert offsets.ready(REST - 0.1) == {}
    assert offsets.ready(REST) == {ONE: 8}
    assert offsets.ready(REST) == {}


def test_a_message_waits_for_those_before_it_and_not_for_another_partition() -> None:
    offsets = Offsets(rest=0.0)
    offsets.take(ONE, 1, [key(1, "a")], 0.0)
    offsets.take(ONE, 2, [key(2, "b")], 0.0)
    offsets.take(TWO, 5, [key(3, "c")], 0.0)
    offsets.settle([key(2, "b"), key(3, "c")])
    assert offsets.ready(0.0) == {TWO: 6}
    offsets.settle([key(1, "a")])
    assert offsets.ready(0.0) == {ONE: 3}


def test_a_trace_that_goes_on_keeps_its_messages_together_but_not_for_ever() -> None:
    offsets = Offsets(rest=REST)
    for number in range(40):
        offsets.take(ONE, number, [key(number)], number * REST * 0.9)
        offsets.settle([key(number)])
        ready = offsets.ready(number * REST * 0.9)
        assert bool(ready) is (number * REST * 0.9 >= LONGEST)


def test_a_message_without_spans_waits_for_nothing() -> None:
    offsets = Offsets(rest=REST)
    offsets.take(ONE, 3, [], 0.0)
    assert offsets.ready(0.0) == {ONE: 4}


def test_what_another_has_now_is_forgotten() -> None:
    offsets = Offsets(rest=0.0)
    offsets.take(ONE, 1, [key(1)], 0.0)
    offsets.take(TWO, 1, [key(1)], 0.0)
    offsets.lose([ONE])
    assert offsets.waiting == 1
    offsets.settle([key(1)])
    assert offsets.ready(0.0) == {TWO: 2}


@given(st.data())
def test_nothing_is_committed_before_it_and_all_before_it_is_settled(data: st.DataObject) -> None:
    offsets = Offsets(rest=0.0)
    messages = data.draw(st.lists(st.lists(st.integers(0, 9), max_size=3, unique=True), max_size=8))
    for offset, numbers in enumerate(messages):
        offsets.take(ONE, offset, [key(number) for number in numbers], 0.0)
    settled: set[int] = set()
    committed = 0
    for number in data.draw(st.permutations(range(10))):
        offsets.settle([key(number)])
        settled.add(number)
        committed = offsets.ready(0.0).get(ONE, committed)
        first = next((place for place, numbers in enumerate(messages) if not settled.issuperset(numbers)), None)
        assert committed == (len(messages) if first is None else first)

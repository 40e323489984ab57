"""Log records and their spans, in whatever order they come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support_otlp import BARE_CHAT, CHAT

from otel_humanloop.logs.draft import Draft, draft
from otel_humanloop.logs.join import BODY, Joins, belongs_to
from otel_humanloop.spans import LogRecord, Span

HOLD = 10.0


def a_draft(number: int = 1, attributes: dict[str, str] = BARE_CHAT) -> Draft:
    return draft(Span(trace_id="t", span_id=str(number), start_ns=1, end_ns=2, attributes=attributes))


def a_record(number: int = 1, time_ns: int = 5, name: str = "gen_ai.choice") -> LogRecord:
    return LogRecord(
        trace_id="t", span_id=str(number), event_name=name, time_ns=time_ns, body={"n": time_ns}, attributes={"a": 1}
    )


def events(span: Span) -> list[tuple[str, int, object]]:
    return [(event.name, event.time_ns, event.attributes.get(BODY)) for event in span.events]


def test_a_span_that_says_it_by_itself_is_not_held_up_and_has_what_came_before_it() -> None:
    joins = Joins(hold=HOLD)
    joins.add_record(a_record(), 0.0)
    joined = joins.add_span(a_draft(attributes=CHAT), 1.0)
    assert joined is not None
    assert events(joined) == [("gen_ai.choice", 5, {"n": 5})]
    assert joined.events[0].attributes["a"] == 1


def test_a_call_that_says_nothing_waits_for_its_records_and_has_them_in_their_order() -> None:
    joins = Joins(hold=HOLD)
    assert joins.add_span(a_draft(), 0.0) is None
    joins.add_record(a_record(time_ns=9), 2.0)
    joins.add_record(a_record(time_ns=3), 2.5)
    joins.add_record(a_record(time_ns=9), 2.6)
    assert joins.ready(2.9) == []
    assert joins.due == 3.0
    (joined,) = joins.ready(3.0)
    assert [time for _, time, _ in events(joined)] == [3, 9]
    assert joins.due is None


def test_it_waits_for_the_hold_and_no_longer() -> None:
    joins = Joins(hold=HOLD)
    joins.add_span(a_draft(), 0.0)
    assert joins.ready(HOLD - 0.1) == []
    (alone,) = joins.ready(HOLD)
    assert alone.events == ()


def test_a_flush_waits_for_nothing_and_without_a_hold_nobody_waits() -> None:
    joins = Joins(hold=HOLD)
    joins.add_span(a_draft(), 0.0)
    joins.release()
    assert len(joins.ready(0.0)) == 1
    assert Joins(hold=0.0).add_span(a_draft(), 0.0) is not None


def test_the_same_span_again_does_not_wait_twice() -> None:
    joins = Joins(hold=HOLD)
    joins.add_span(a_draft(), 0.0)
    assert joins.add_span(a_draft(), 1.0) is None
    assert joins.waiting == 1


def test_records_whose_span_never_comes_are_let_go_the_oldest_first() -> None:
    joins = Joins(hold=HOLD, most=2)
    for number in (1, 2, 3):
        joins.add_record(a_record(number), float(number))
    assert joins.forgotten() == [("t", "1")]
    joins.ready(400.0)
    assert joins.forgotten() == [("t", "2"), ("t", "3")]


def test_what_tells_of_no_span_belongs_to_none() -> None:
    assert belongs_to(a_record()) == ("t", "1")
    assert belongs_to(a_record(name="app.started")) is None
    assert belongs_to(LogRecord(event_name="gen_ai.choice", span_id="1")) is None


@given(st.permutations(["span", *range(4)]))
def test_every_order_makes_the_same_span(order: list[str | int]) -> None:
    joins = Joins(hold=HOLD)
    for each in order:
        if isinstance(each, int):
            joins.add_record(a_record(time_ns=each), 0.0)
        else:
            assert joins.add_span(a_draft(), 0.0) is None
    (joined,) = joins.ready(HOLD)
    assert [time for _, time, _ in events(joined)] == [0, 1, 2, 3]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["span", "record", "flush"]),
            st.integers(1, 5),
            st.sampled_from([0.0, 0.4, 1.0, 6.0]),
            st.sampled_from([HOLD, 3.0, 0.5]),
        ),
        max_size=40,
    )
)
def test_each_waits_for_as_long_as_it_is_to_whoever_came_before_it(steps: list[tuple[str, int, float, float]]) -> None:
    joins = Joins(hold=HOLD)
    until: dict[str, float] = {}
    has_record: set[str] = set()
    now = 0.0
    for what, number, pause, joins.hold in steps:
        together, who = min(joins.hold, 1.0), f"{number}"
        if what == "flush":
            joins.release()
            until = dict.fromkeys(until, now)
        elif what == "record":
            joins.add_record(a_record(number), now)
            has_record.add(who)
            if who in until:
                until[who] = min(until[who], now + together)
        else:
            assert joins.add_span(a_draft(number), now) is None
            until.setdefault(who, now + (together if who in has_record else joins.hold))
        now += pause
        ready = {who for who, due in until.items() if due <= now}
        assert {span.span_id for span in joins.ready(now)} == ready
        for who in ready:
            del until[who]
            has_record.discard(who)
        assert joins.due == min(until.values(), default=None)
        assert joins.waiting == len(until)

"""Any order of arrival, at any pace: the assembler against a model of the rules."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from ordering import HOLD, Humanloop, a_draft

from otel_humanloop.logs.draft import Draft, Role
from otel_humanloop.logs.order import TraceAssembler
from otel_humanloop.spans import SpanKey


@dataclass(frozen=True)
class Plan:
    """Some traces: every span's parent and role, and in which order their starts and ends are told."""

    spans: dict[SpanKey, tuple[str | None, Role]]
    order: list[tuple[str, SpanKey]]
    outside: frozenset[SpanKey]


@st.composite
def plans(draw: st.DrawFn, *, starts: bool) -> Plan:
    spans: dict[SpanKey, tuple[str | None, Role]] = {}
    outside: set[SpanKey] = set()
    for trace in range(draw(st.integers(1, 3))):
        trace_id = f"t{trace}"
        for number in range(draw(st.integers(1, 9))):
            above = draw(st.integers(-1, number - 1)) if number else -1
            parent = f"{above}" if above >= 0 else None
            if parent is None and draw(st.integers(0, 9)) == 0:
                parent = "outside"
                outside.add((trace_id, parent))
            spans[trace_id, f"{number}"] = (parent, draw(st.sampled_from(list(Role))))
    ends = draw(st.permutations(list(spans)))
    order: list[tuple[str, SpanKey]] = []
    if starts:
        # A span starts before it ends and after its parent started; parents may end before their children.
        begun: set[SpanKey] = set()

        def begin(key: SpanKey) -> None:
            if key in begun or key not in spans:
                return
            parent = spans[key][0]
            if parent is not None:
                begin((key[0], parent))
            begun.add(key)
            order.append(("start", key))

        for key in ends:
            begin(key)
            order.append(("end", key))
    else:
        order = [("end", key) for key in ends]
    return Plan(spans=spans, order=order, outside=frozenset(outside))


def kept(plan: Plan, key: SpanKey) -> bool:
    has_ai = any(role is Role.AI for (trace_id, _), (_, role) in plan.spans.items() if trace_id == key[0])
    return has_ai and plan.spans[key][1] is not Role.TRANSPARENT


def true_parent(plan: Plan, key: SpanKey, logged: Set[SpanKey]) -> str | None:
    """The nearest ancestor with a log, or the first one nobody has seen."""
    parent = plan.spans[key][0]
    while parent is not None and (key[0], parent) in plan.spans and (key[0], parent) not in logged:
        parent = plan.spans[key[0], parent][0]
    return parent


def draft_of(plan: Plan, key: SpanKey, *, ended: bool = True) -> Draft:
    parent, role = plan.spans[key]
    return a_draft(key[1], parent, role, trace_id=key[0], ended=ended)


@given(plan=plans(starts=False), eager=st.lists(st.booleans(), max_size=30))
def test_in_any_order_of_ends_parents_are_acknowledged_before_children_each_log_once_none_lost(
    plan: Plan, eager: list[bool]
) -> None:
    assembler, humanloop = TraceAssembler(hold=HOLD), Humanloop()
    for number, (_, key) in enumerate(plan.order):
        assembler.add(draft_of(plan, key), 0.0)
        if number < len(eager) and eager[number]:
            humanloop.acknowledges(assembler, 0.0)
            humanloop.takes(assembler)
    humanloop.takes_all(assembler, 0.0)
    acknowledged = [key for wave in humanloop.waves for key in wave]
    for key in acknowledged:
        parent = humanloop.logs[key].parent
        if parent is not None:
            assert acknowledged.index((key[0], parent)) < acknowledged.index(key)
    assembler.expire(HOLD)
    humanloop.takes_all(assembler, HOLD)
    expected = {key for key in plan.spans if kept(plan, key)}
    assert humanloop.parents == {key: true_parent(plan, key, expected) for key in expected}
    assembler.expire(10_000.0)
    assert sorted(assembler.settled()) == sorted(plan.spans)


@given(
    plan=plans(starts=True),
    pauses=st.lists(st.sampled_from([0.0, 0.1, 4.0, HOLD, 3 * HOLD]), max_size=40),
    steps=st.lists(st.sampled_from(["wait", "take or acknowledge", "all"]), max_size=40),
)
def test_at_any_pace_every_log_ends_up_complete_and_in_its_place(
    plan: Plan, pauses: list[float], steps: list[str]
) -> None:
    """Spans start and end, parents before or after children, while time passes between: holds run out, open spans
    are logged as they stand and completed, guesses are mended."""
    open_now: set[SpanKey] = set()
    assembler = TraceAssembler(
        hold=HOLD, look=lambda key: draft_of(plan, key, ended=False) if key in open_now else None
    )
    humanloop = Humanloop()
    now = 0.0
    settled: list[SpanKey] = []
    for number, (event, key) in enumerate(plan.order):
        if event == "start":
            open_now.add(key)
            assembler.opened(key, plan.spans[key][0], now)
        else:
            open_now.discard(key)
            assembler.add(draft_of(plan, key), now)
        now += pauses[number] if number < len(pauses) else 0.0
        assembler.expire(now)
        step = steps[number] if number < len(steps) else "all"
        if step == "all":
            humanloop.takes_all(assembler, now)
        elif step == "take or acknowledge" and humanloop.under_way:
            humanloop.acknowledges(assembler, now)
        elif step == "take or acknowledge":
            humanloop.takes(assembler)
        settled += assembler.settled()
    assembler.release(now)
    humanloop.takes_all(assembler, now)
    logged = set(humanloop.logs)
    assert humanloop.parents == {key: true_parent(plan, key, logged) for key in logged}
    left_out = {key for key in plan.spans if kept(plan, key)} - logged
    # A step is only left out where its trace was quiet for the whole hold before an AI operation came in it.
    assert all(plan.spans[key][1] is Role.STEP for key in left_out)
    assert len(left_out) <= assembler.left_out
    assert not left_out or sum(pauses) >= HOLD
    assert sorted(humanloop.completed) == sorted(key for key, log in humanloop.logs.items() if not log.draft.ended)
    assembler.expire(now + 10_000.0)
    assert sorted([*settled, *assembler.settled()]) == sorted(plan.spans)
    assert assembler.due is None, "everything is forgotten"


@given(plan=plans(starts=False))
def test_the_same_span_twice_is_one_log(plan: Plan) -> None:
    assembler, humanloop = TraceAssembler(hold=HOLD), Humanloop()
    for _, key in [*plan.order, *plan.order]:
        assembler.add(draft_of(plan, key), 0.0)
        humanloop.takes_all(assembler, 0.0)
    assembler.release(0.0)
    humanloop.takes_all(assembler, 0.0)
    assert set(humanloop.logs) == {key for key in plan.spans if kept(plan, key)}


@settings(max_examples=30)
@given(plan=plans(starts=False), most=st.integers(1, 20))
def test_a_small_memory_loses_no_log(plan: Plan, most: int) -> None:
    assembler, humanloop = TraceAssembler(hold=HOLD, max_nodes=most), Humanloop()
    for number, (_, key) in enumerate(plan.order):
        assembler.add(draft_of(plan, key), float(number))
        humanloop.takes_all(assembler, float(number))
    assembler.release(1000.0)
    humanloop.takes_all(assembler, 1000.0)
    ai = {key for key, (_, role) in plan.spans.items() if role is Role.AI}
    assert ai <= set(humanloop.logs)

"""Finished traces that are kept in brief: nobody can tell, but for the room they take."""

from __future__ import annotations

import tracemalloc
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from ordering import HOLD, a_draft

from otel_humanloop.logs.draft import Draft, Role
from otel_humanloop.logs.order import TraceAssembler

NEVER = float("inf")

TEXTS = st.sampled_from([None, "a", "b", "\ud800"])


@st.composite
def drafts(draw: st.DrawFn) -> list[Draft]:
    """Spans of two traces in any order, some of them twice; parents that never come; calls two spans may be of."""
    made: list[Draft] = []
    for number in range(draw(st.integers(1, 10))):
        above = draw(st.one_of(st.none(), st.integers(0, 11)))
        made.append(
            a_draft(
                f"{number}",
                f"{above}" if above is not None and above != number else None,
                draw(st.sampled_from([Role.AI, Role.TRANSPARENT])),
                trace_id=draw(st.sampled_from(["t", "u"])),
                session=draw(TEXTS),
                user=draw(TEXTS),
                remote=draw(st.booleans()),
                usage=draw(st.booleans()),
                call_id=draw(TEXTS),
                wealth=draw(st.integers(0, 2)),
                scope=f"library {number % 3}",
            )
        )
    order = draw(st.lists(st.integers(0, len(made) - 1), max_size=4))
    return [*draw(st.permutations(made)), *(made[index] for index in order)]


def told(assembler: TraceAssembler) -> list[Any]:
    """The next wave, by what the logs of it depend on."""
    return [
        (type(move), {field: getattr(move, field) for field in move.__struct_fields__}) for move in assembler.take()
    ]


@given(
    arriving=drafts(),
    pauses=st.lists(st.sampled_from([0.0, 1.0, HOLD, 2 * HOLD, 400.0]), max_size=14),
    acknowledged=st.lists(st.booleans(), max_size=14),
    flushed=st.sets(st.integers(0, 14), max_size=2),
)
def test_what_comes_late_finds_the_trace_as_it_was(
    arriving: list[Draft], pauses: list[float], acknowledged: list[bool], flushed: set[int]
) -> None:
    awake = TraceAssembler(hold=HOLD, rest=NEVER, linger=300.0)
    resting = TraceAssembler(hold=HOLD, rest=1.0, linger=300.0)
    now = 0.0
    under_way: list[Any] = []

    def step() -> None:
        for assembler in (awake, resting):
            assembler.expire(now)
        if not under_way:
            under_way.extend(told(resting))
            assert under_way == told(awake)

    def acknowledge() -> None:
        for kind, move in under_way:
            for assembler in (awake, resting):
                assembler.acknowledge(move["key"], now, completed=kind.__name__ == "Complete")
        under_way.clear()

    for number, draft in enumerate([*arriving, None, None, None]):
        now += pauses[number] if number < len(pauses) else 0.5
        if draft is not None:
            for assembler in (awake, resting):
                assembler.add(draft, now)
        if number in flushed:
            for assembler in (awake, resting):
                assembler.release(now)
        step()
        if number >= len(acknowledged) or acknowledged[number]:
            acknowledge()
            step()
        settled = resting.settled()
        assert settled == awake.settled()
        assert resting.known(settled) == awake.known(settled)


def acknowledge_all(assembler: TraceAssembler) -> None:
    while moves := assembler.take():
        for move in moves:
            assembler.acknowledge(move.key, 0.0)


def test_a_finished_trace_at_rest_takes_a_fraction_of_the_room() -> None:
    assembler = TraceAssembler(hold=HOLD, rest=HOLD)
    tracemalloc.start()
    try:
        for trace in range(500):
            root = f"{trace:016x}"
            assembler.add(a_draft(root, trace_id=f"{trace:032x}"), 0.0)
            for number in range(1, 4):
                assembler.add(a_draft(f"{number:x}{trace:015x}", root, trace_id=f"{trace:032x}"), 0.0)
        acknowledge_all(assembler)
        assembler.settled()
        before, _ = tracemalloc.get_traced_memory()
        assembler.expire(HOLD)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after < before / 3


def test_a_trace_at_rest_is_forgotten_in_the_end() -> None:
    assembler = TraceAssembler(hold=HOLD, rest=HOLD, linger=300.0)
    assembler.add(a_draft("1"), 0.0)
    for move in assembler.take():
        assembler.acknowledge(move.key, 0.0)
    assembler.expire(HOLD)
    assert assembler.due == 300.0
    assembler.expire(300.0)
    assert assembler.due is None
    assembler.add(a_draft("1"), 301.0)
    assert [move.key for move in assembler.take()] == [("t", "1")], "nobody knows any longer that it was logged"


def test_a_trace_rests_whose_parent_never_came_and_whose_child_is_no_longer_remembered() -> None:
    assembler = TraceAssembler(hold=HOLD, rest=1.0, linger=HOLD, max_nodes=2)
    assembler.add(a_draft("child", "lost"), 0.0)
    assembler.expire(HOLD)
    acknowledge_all(assembler)
    assembler.opened(("t", "long"), None, 3 * HOLD)  # one too many: the child is forgotten, for its trace goes on
    assembler.add(a_draft("long"), 3 * HOLD)
    acknowledge_all(assembler)
    assembler.settled()
    assembler.expire(5 * HOLD)
    assembler.add(a_draft("lost"), 5 * HOLD)
    assert [move.key for move in assembler.take()] == [("t", "lost")]


def test_of_many_traces_at_rest_the_oldest_is_forgotten_first() -> None:
    assembler = TraceAssembler(hold=HOLD, rest=HOLD, max_nodes=10)
    for number in range(20):
        assembler.add(a_draft("1", trace_id=f"t{number}"), 0.0)
        for move in assembler.take():
            assembler.acknowledge(move.key, 0.0)
        if number == 5:
            assembler.expire(HOLD)
    for number in (19, 0):
        assembler.add(a_draft("1", trace_id=f"t{number}"), HOLD)
    assert [move.key for move in assembler.take()] == [("t0", "1")], "the newest is still known"

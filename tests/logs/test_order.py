"""When logs leave and where they hang, for any order of arrival: the assembler against a model of the rules."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from otel_humanloop.logs.draft import Draft, Role
from otel_humanloop.logs.moves import Complete, Create, Move, Replace
from otel_humanloop.logs.order import TraceAssembler
from otel_humanloop.operation import Kind, Operation, Reading
from otel_humanloop.spans import Scope, Span, SpanKey

HOLD = 10.0


def a_draft(
    span_id: str,
    parent: str | None = None,
    role: Role = Role.AI,
    *,
    trace_id: str = "t",
    ended: bool = True,
    session: str | None = None,
    user: str | None = None,
    remote: bool = False,
    usage: bool = False,
    call_id: str | None = None,
    wealth: int = 0,
    scope: str = "s",
    times: tuple[int, int] = (0, 10),
) -> Draft:
    span = Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=parent,
        parent_is_remote=remote,
        start_ns=times[0],
        end_ns=times[1] if ended else None,
        scope=Scope(name=scope),
    )
    return Draft(
        key=(trace_id, span_id),
        parent=parent,
        parent_is_remote=remote,
        role=role,
        span=span,
        reading=Reading(operation=Operation(kind=Kind.STEP)),
        session=session,
        user=user,
        carries_usage=usage,
        is_call=call_id is not None,
        call_id=call_id,
        wealth=wealth,
    )


@dataclass
class Humanloop:
    """What a server would know after the moves it was given, and whether they came in a fit order."""

    logs: dict[SpanKey, Create] = field(default_factory=dict)
    parents: dict[SpanKey, str | None] = field(default_factory=dict)
    completed: list[SpanKey] = field(default_factory=list)
    waves: list[list[SpanKey]] = field(default_factory=list)
    under_way: list[Move] = field(default_factory=list)

    def takes(self, assembler: TraceAssembler) -> int:
        assert not self.under_way
        moves = self.under_way = assembler.take()
        wave = [move.key for move in moves if isinstance(move, Create)]
        self.waves.append(wave)
        for move in moves:
            if isinstance(move, Create):
                assert move.key not in self.logs, "a span is one log"
                assert (move.key[0], move.parent) not in wave, "no wave holds a log and its parent"
                self.logs[move.key] = move
                self.parents[move.key] = move.parent
            elif isinstance(move, Replace):
                assert move.key in self.logs
                assert (move.key[0], move.parent) not in wave
                self.parents[move.key] = move.parent
            else:
                assert move.key not in self.completed
                assert not self.logs[move.key].draft.ended
                self.completed.append(move.key)
        return len(moves)

    def acknowledges(self, assembler: TraceAssembler, now: float) -> None:
        moves, self.under_way = self.under_way, []
        for move in moves:
            assembler.acknowledge(move.key, now, completed=isinstance(move, Complete))

    def takes_all(self, assembler: TraceAssembler, now: float) -> None:
        self.acknowledges(assembler, now)
        while self.takes(assembler):
            self.acknowledges(assembler, now)


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


def taken(assembler: TraceAssembler, now: float = 0.0) -> dict[str, Create]:
    """Everything that can leave now, each acknowledged at once, by span id."""
    humanloop = Humanloop()
    humanloop.takes_all(assembler, now)
    return {key[1]: create for key, create in humanloop.logs.items()}


def test_a_child_that_arrives_first_waits_for_its_parent() -> None:
    assembler = TraceAssembler(hold=HOLD)
    assembler.add(a_draft("child", "parent"), 0.0)
    assert assembler.take() == []
    assembler.add(a_draft("parent"), 1.0)
    assert [move.key[1] for move in assembler.take()] == ["parent"]
    assert assembler.take() == [], "the parent is sent, but not acknowledged"
    assembler.acknowledge(("t", "parent"), 2.0)
    assert [move.key[1] for move in assembler.take()] == ["child"]


def test_a_parent_that_never_comes_is_waited_for_as_long_as_the_hold_and_then_named() -> None:
    assembler = TraceAssembler(hold=HOLD)
    assembler.add(a_draft("child", "lost"), 0.0)
    assembler.expire(HOLD - 0.1)
    assert assembler.take() == []
    assert assembler.due == HOLD
    assembler.expire(HOLD)
    assert taken(assembler, HOLD)["child"].parent == "lost"


def test_a_parent_in_another_process_is_not_waited_for() -> None:
    assembler = TraceAssembler(hold=HOLD)
    assembler.add(a_draft("child", "elsewhere", remote=True), 0.0)
    assert taken(assembler)["child"].parent == "elsewhere"


def test_children_of_infrastructure_hang_from_the_nearest_kept_ancestor() -> None:
    assembler = TraceAssembler(hold=HOLD)
    assembler.add(a_draft("call", "http"), 0.0)
    assembler.add(a_draft("http", "agent", Role.TRANSPARENT), 0.0)
    assembler.add(a_draft("agent", "server"), 0.0)
    assembler.add(a_draft("server", None, Role.TRANSPARENT), 0.0)
    logs = taken(assembler)
    assert (logs["call"].parent, logs["agent"].parent) == ("agent", None)
    assert set(logs) == {"call", "agent"}


def test_a_trace_without_an_ai_operation_makes_no_session_and_its_spans_are_let_go() -> None:
    assembler = TraceAssembler(hold=HOLD)
    assembler.add(a_draft("step", "root", Role.STEP), 0.0)
    assembler.add(a_draft("root", None, Role.STEP), 0.0)
    assembler.expire(HOLD)
    assert taken(assembler, HOLD) == {}
    assert sorted(assembler.settled()) == [("t", "root"), ("t", "step")]
    assert assembler.left_out == 2


def test_all_keeps_infrastructure_and_traces_without_ai() -> None:
    assembler = TraceAssembler(hold=HOLD, spans="all")
    assembler.add(a_draft("query", "root", Role.TRANSPARENT), 0.0)
    assembler.add(a_draft("root", None, Role.STEP), 0.0)
    assert taken(assembler)["query"].parent == "root"


def test_steps_of_a_long_trace_wait_for_its_first_ai_operation_while_a_span_of_it_is_open() -> None:
    assembler = TraceAssembler(hold=HOLD)
    assembler.opened(("t", "root"), None, 0.0)
    assembler.add(a_draft("load", "root", Role.STEP), 1.0)
    assembler.expire(30 * HOLD)
    assembler.add(a_draft("call", "root"), 30 * HOLD)
    assembler.add(a_draft("root", None, Role.STEP), 30 * HOLD)
    assert set(taken(assembler, 30 * HOLD)) == {"load", "call", "root"}


def test_an_open_parent_is_logged_as_it_stands_after_the_hold_and_completed_at_its_end() -> None:
    open_span = a_draft("root", None, ended=False)
    assembler = TraceAssembler(hold=HOLD, look=lambda key: open_span if key == ("t", "root") else None)
    assembler.opened(("t", "root"), None, 0.0)
    assembler.opened(("t", "call"), "root", 1.0)
    assembler.add(a_draft("call", "root"), 2.0)
    assembler.expire(HOLD - 0.1)
    assert assembler.take() == []
    assembler.expire(HOLD)
    (root,) = assembler.take()
    assert isinstance(root, Create)
    assert not root.draft.ended
    assembler.acknowledge(root.key, HOLD)
    assert [move.key[1] for move in assembler.take()] == ["call"]
    assembler.acknowledge(("t", "call"), HOLD)
    assert assembler.settled() == [("t", "call")]
    assembler.add(a_draft("root"), 40.0)
    (end,) = assembler.take()
    assert isinstance(end, Complete)
    assert end.draft.ended
    assembler.acknowledge(end.key, 40.0, completed=True)
    assert assembler.settled() == [("t", "root")]


def test_a_span_that_ends_while_its_open_log_is_under_way_is_completed_after_it() -> None:
    assembler = TraceAssembler(hold=HOLD, look=lambda key: a_draft(key[1], None, ended=False))
    assembler.opened(("t", "root"), None, 0.0)
    assembler.add(a_draft("call", "root"), 2.0)
    assembler.expire(HOLD)
    assert [type(move) for move in assembler.take()] == [Create]
    assembler.add(a_draft("root"), HOLD + 1)
    assert assembler.take() == [], "nothing may be patched that is not there yet"
    assembler.acknowledge(("t", "root"), HOLD + 2)
    assert {type(move) for move in assembler.take()} == {Create, Complete}


def test_an_agent_is_shown_while_its_first_model_call_still_runs() -> None:
    drafts = {"root": a_draft("root", None, Role.STEP, ended=False), "call": a_draft("call", "root", ended=False)}
    assembler = TraceAssembler(hold=HOLD, look=lambda key: drafts[key[1]])
    assembler.opened(("t", "root"), None, 0.0)
    assembler.opened(("t", "call"), "root", 1.0)
    assembler.expire(HOLD)
    assert [move.key[1] for move in assembler.take()] == ["root"]


def test_an_open_call_of_a_model_waits_for_its_end_so_that_its_tokens_are_not_lost() -> None:
    call = a_draft("call", None, ended=False, call_id="r")
    assembler = TraceAssembler(hold=HOLD, look=lambda key: call if key[1] == "call" else None)
    assembler.opened(("t", "call"), None, 0.0)
    assembler.add(a_draft("inner", "call"), 2 * HOLD)
    assembler.expire(2 * HOLD)
    assert assembler.take() == []
    assembler.expire(3 * HOLD)
    assert [move.key[1] for move in assembler.take()] == ["call"], "but its child does not wait for ever"


def test_a_child_sent_under_a_parent_that_turns_out_to_be_infrastructure_is_hung_higher() -> None:
    assembler, humanloop = TraceAssembler(hold=HOLD), Humanloop()
    assembler.add(a_draft("call", "http"), 0.0)
    assembler.expire(HOLD)
    humanloop.takes_all(assembler, HOLD)
    assert humanloop.parents["t", "call"] == "http"
    assembler.add(a_draft("http", "agent", Role.TRANSPARENT), 20.0)
    humanloop.takes_all(assembler, 20.0)
    assembler.add(a_draft("agent"), 21.0)
    humanloop.takes_all(assembler, 21.0)
    assert humanloop.parents["t", "call"] == "agent"


def test_session_and_user_named_on_an_ancestor_reach_its_descendants_through_infrastructure() -> None:
    assembler = TraceAssembler(hold=HOLD)
    assembler.add(a_draft("call", "step"), 0.0)
    assembler.add(a_draft("step", "http", Role.STEP, user="ada"), 0.0)
    assembler.add(a_draft("http", None, Role.TRANSPARENT, session="s1"), 0.0)
    logs = taken(assembler)
    assert {log.session for log in logs.values()} == {"s1"}
    assert logs["call"].user == "ada"


def test_one_session_named_on_an_inner_span_names_the_whole_trace() -> None:
    assembler = TraceAssembler(hold=HOLD)
    assembler.add(a_draft("call", "root", session="s1"), 0.0)
    assembler.add(a_draft("root", None, Role.STEP), 0.0)
    logs = taken(assembler)
    assert {log.session for log in logs.values()} == {"s1"}
    assert logs["call"].parent == "root"


def test_a_trace_with_several_sessions_is_cut_where_they_meet() -> None:
    assembler = TraceAssembler(hold=HOLD)
    assembler.add(a_draft("one", "batch", session="s1"), 0.0)
    assembler.add(a_draft("two", "batch", session="s2"), 0.0)
    assembler.add(a_draft("inner", "two"), 0.0)
    assembler.add(a_draft("batch", None, Role.STEP), 0.0)
    logs = taken(assembler)
    assert {name: log.session for name, log in logs.items()} == {
        "batch": "t",
        "one": "s1",
        "two": "s2",
        "inner": "s2",
    }
    assert (logs["one"].parent, logs["two"].parent, logs["inner"].parent) == (None, None, "two")


def test_of_two_spans_of_one_call_the_one_that_tells_more_is_the_log() -> None:
    assembler = TraceAssembler(hold=HOLD)
    assembler.add(a_draft("native", "outer", call_id="r1", scope="sdk", wealth=1, times=(2, 8)), 0.0)
    assembler.add(a_draft("outer", "root", call_id="r1", scope="instrumentation", wealth=4, times=(1, 9)), 0.0)
    assembler.add(a_draft("tool", "native"), 0.0)
    assembler.add(a_draft("root", None, Role.STEP), 0.0)
    logs = taken(assembler)
    assert set(logs) == {"outer", "tool", "root"}
    assert logs["tool"].parent == "outer"


def test_of_two_spans_of_one_call_the_first_stays_where_it_is_already_sent() -> None:
    assembler = TraceAssembler(hold=HOLD)
    assembler.add(a_draft("a", None, trace_id="t1", call_id="r1", scope="sdk", wealth=1, times=(2, 8)), 0.0)
    assert set(taken(assembler)) == {"a"}
    assembler.add(a_draft("b", None, trace_id="t2", call_id="r1", scope="other", wealth=4, times=(1, 9)), 0.0)
    assert taken(assembler) == {}
    assert ("t2", "b") in assembler.settled()


def test_one_response_id_for_every_answer_does_not_make_them_one_call() -> None:
    assembler = TraceAssembler(hold=HOLD)
    assembler.add(a_draft("a", None, call_id="same", times=(0, 5)), 0.0)
    assembler.add(a_draft("b", None, trace_id="t2", call_id="same", times=(1, 4)), 0.0)
    assembler.add(a_draft("c", None, trace_id="t3", call_id="same", scope="other", times=(6, 9)), 0.0)
    assert set(taken(assembler)) == {"a", "b", "c"}


def test_a_sum_of_usage_is_not_stated_again_above_the_calls_it_sums_up() -> None:
    assembler = TraceAssembler(hold=HOLD)
    assembler.add(a_draft("call", "turn", usage=True), 0.0)
    assembler.add(a_draft("turn", "agent", Role.STEP), 0.0)
    assembler.add(a_draft("agent", None, usage=True), 0.0)
    assembler.add(a_draft("lone", None, trace_id="t2", usage=True), 0.0)
    logs = taken(assembler)
    assert {name: log.without_usage for name, log in logs.items()} == {
        "call": False,
        "turn": False,
        "agent": True,
        "lone": False,
    }


def test_parents_in_a_circle_are_logged_all_the_same() -> None:
    assembler = TraceAssembler(hold=HOLD)
    assembler.add(a_draft("a", "c"), 0.0)
    assembler.add(a_draft("b", "a"), 0.0)
    assembler.add(a_draft("c", "b"), 0.0)
    assert set(taken(assembler)) == {"a", "b", "c"}


def test_a_chain_of_ten_thousand_open_spans_is_logged_from_the_top() -> None:
    depth = 10_000
    assembler = TraceAssembler(hold=HOLD, look=lambda key: a_draft(key[1], None, ended=False))
    for number in range(depth):
        assembler.opened(("t", f"{number}"), f"{number - 1}" if number else None, 0.0)
    assembler.add(a_draft("call", f"{depth - 1}"), 1.0)
    assembler.release(1.0)
    humanloop = Humanloop()
    humanloop.takes_all(assembler, 1.0)
    assert len(humanloop.logs) == depth + 1
    assert humanloop.waves[0] == [("t", "0")]

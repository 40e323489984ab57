"""When logs leave and where they hang, rule by rule."""

from __future__ import annotations

import gc

from ordering import HOLD, Humanloop, a_draft

from otel_humanloop.logs.draft import Role
from otel_humanloop.logs.moves import Complete, Create
from otel_humanloop.logs.order import TraceAssembler
from otel_humanloop.logs.trace import Node


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


def test_of_two_spans_of_one_call_the_first_keeps_its_log_and_is_given_what_the_second_tells_more() -> None:
    assembler = TraceAssembler(hold=HOLD)
    assembler.add(a_draft("a", None, trace_id="t1", call_id="r1", scope="sdk", wealth=1, times=(2, 8)), 0.0)
    assert set(taken(assembler)) == {"a"}
    richer = a_draft("b", None, trace_id="t2", call_id="r1", scope="other", wealth=4, times=(1, 9))
    assembler.add(richer, 0.0)
    assert ("t2", "b") not in assembler.settled()
    [again] = assembler.take()
    assert isinstance(again, Create)
    assert (again.key, again.session, again.draft) == (("t1", "a"), "t1", richer)
    assembler.acknowledge(again.key, 0.0)
    assert ("t2", "b") in assembler.settled()
    assembler.add(a_draft("c", None, trace_id="t3", call_id="r1", scope="third", wealth=4, times=(1, 9)), 0.0)
    assert taken(assembler) == {}


def test_a_call_a_library_sees_twice_is_told_by_its_name_or_by_its_times() -> None:
    assembler = TraceAssembler(hold=HOLD)
    assembler.add(a_draft("request", None, call_id="r1", wealth=4, times=(1, 9)), 0.0)
    assembler.add(a_draft("wire", "request", call_id="r1", wealth=3, times=(2, 8)), 0.0)
    assert set(taken(assembler)) == {"request"}
    assembler.add(a_draft("again", "root", call_id="r1", wealth=4, times=(1, 9)), 0.0)
    assembler.add(a_draft("root", None, Role.STEP), 0.0)
    assert set(taken(assembler)) == {"root", "again"}


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


def test_many_logs_acknowledged_together_are_many_acknowledged_one_by_one() -> None:
    together, alone = TraceAssembler(hold=HOLD), TraceAssembler(hold=HOLD)
    for assembler in (together, alone):
        for trace in ("t", "u"):
            assembler.add(a_draft("child", "root", trace_id=trace), 0.0)
            assembler.add(a_draft("root", trace_id=trace), 0.0)
    keys = [move.key for move in together.take()]
    assert keys == [("t", "root"), ("u", "root")] == [move.key for move in alone.take()]
    together.acknowledge_all([*keys, ("nobody", "knows")], 1.0)
    for key in keys:
        alone.acknowledge(key, 1.0)
    assert [move.key for move in together.take()] == [("t", "child"), ("u", "child")]
    assert [move.key for move in alone.take()] == [("t", "child"), ("u", "child")]
    assert together.settled() == alone.settled() == keys


def test_a_parent_nobody_waits_for_since_a_flush_holds_up_none_of_its_children_again() -> None:
    assembler = TraceAssembler(hold=HOLD)
    assembler.add(a_draft("http", "lost", Role.TRANSPARENT), 0.0)
    assembler.release(0.0)
    assembler.release(0.0)
    assembler.add(a_draft("call", "http"), 0.0)
    assert taken(assembler)["call"].parent == "lost"


def test_a_flush_logs_an_open_span_that_was_waited_for_before_it_was_told_of() -> None:
    assembler = TraceAssembler(hold=HOLD, look=lambda key: a_draft(key[1], ended=False))
    assembler.add(a_draft("call", "agent"), 0.0)
    assembler.opened(("t", "agent"), None, 0.0)
    assembler.release(0.0)
    assert taken(assembler)["call"].parent == "agent"


def test_what_is_forgotten_is_gone_without_a_search_for_garbage() -> None:
    def nodes() -> int:
        return sum(isinstance(each, Node) for each in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = nodes()
        assembler = TraceAssembler(hold=HOLD)
        assembler.add(a_draft("call", "agent"), 0.0)
        assembler.add(a_draft("agent"), 0.0)
        taken(assembler)
        assert nodes() == before + 2
        assembler.expire(1000 * HOLD)
        assert nodes() == before
    finally:
        gc.enable()

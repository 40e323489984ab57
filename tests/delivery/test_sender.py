from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sending import Humanloop, attempt, patch, post, sender_to, settled, until_settled

from otel_humanloop.delivery.sender import OF_ONE_LOG, PATIENCE, Outcome, Outgoing
from otel_humanloop.errors import Refused, Unavailable


def test_a_wave_goes_out_in_one_body_and_is_acknowledged_as_a_whole() -> None:
    server = Humanloop()
    sender = sender_to(server)
    wave = [post("a"), post("b"), post("c")]
    sender.put(wave)
    assert sender.waiting == 3
    assert sender.attempt(0, timeout=1) == Outcome(content=tuple(wave))
    assert server.bodies == [["a", "b", "c"]]
    assert (sender.waiting, sender.due, sender.last_error) == (0, None, None)
    assert (sender.requests, sender.retried, sender.acknowledged, sender.refused) == (1, 0, 3, 0)


def test_nothing_is_asked_of_the_server_when_nothing_waits() -> None:
    server = Humanloop()
    sender = sender_to(server)
    sender.put([])
    assert sender.due is None
    assert sender.attempt(0, timeout=1) is None
    assert server.requests == 0


def test_two_waves_never_share_a_body() -> None:
    server = Humanloop()
    sender = sender_to(server)
    sender.put([post("parent")])
    sender.put([post("child")])
    until_settled(sender)
    assert server.bodies == [["parent"], ["child"]]


def test_bodies_hold_so_many_logs() -> None:
    server = Humanloop()
    sender = sender_to(server, max_logs=2)
    sender.put([post(name) for name in "abcde"])
    until_settled(sender)
    assert server.bodies == [["a", "b"], ["c", "d"], ["e"]]


def test_bodies_are_so_long_to_the_byte_and_a_longer_log_goes_alone() -> None:
    length = len(post("a", 100).body)
    exactly_two = 2 * length + len("[,]")
    for max_bytes, bodies in (
        (exactly_two, [["a", "b"], ["c"], ["long"], ["d"]]),
        (exactly_two - 1, [["a"], ["b"], ["c"], ["long"], ["d"]]),
    ):
        server = Humanloop()
        sender = sender_to(server, max_bytes=max_bytes)
        sender.put([post("a", 100), post("b", 100), post("c", 100), post("long", 5000), post("d", 100)])
        until_settled(sender)
        assert server.bodies == bodies


def test_a_patch_goes_by_itself_after_what_was_put_before_it_and_before_what_was_put_after() -> None:
    server = Humanloop()
    sender = sender_to(server)
    sender.put([post("a"), post("b"), patch("a"), patch("b"), post("c")])
    until_settled(sender)
    assert server.taken == [("POST", "a"), ("POST", "b"), ("PATCH", "a"), ("PATCH", "b"), ("POST", "c")]
    assert server.bodies == [["a", "b"], ["c"]]


@pytest.mark.parametrize("trouble", [408, 429, 500, 503, httpx.ConnectError("gone"), httpx.ReadTimeout("slow")])
def test_what_cannot_be_delivered_now_stays_first_in_line(trouble: int | Exception) -> None:
    server = Humanloop(down=[trouble])
    sender = sender_to(server)
    sender.put([post("a"), post("b")])
    sender.put([post("c")])
    assert sender.attempt(100, timeout=1) is None
    assert isinstance(sender.last_error, Unavailable)
    assert (sender.waiting, sender.due, sender.retried) == (3, 100.5, 1)
    outcomes, _ = until_settled(sender, 100)
    assert settled(outcomes) == [("a", None), ("b", None), ("c", None)]
    assert server.bodies == [["a", "b"], ["a", "b"], ["c"]]
    assert sender.last_error is None


def test_an_answer_that_acknowledges_fewer_logs_than_were_sent_settles_none() -> None:
    one = [{"id": "data_1", "project_id": "pr_1"}]
    sender = sender_to(lambda _: httpx.Response(200, json=one))
    sender.put([post("a"), post("b")])
    assert sender.attempt(0, timeout=1) is None
    assert sender.waiting == 2
    assert isinstance(sender.last_error, Unavailable)


def test_before_it_is_due_an_attempt_does_nothing() -> None:
    server = Humanloop(down=[503])
    sender = sender_to(server)
    sender.put([post("a")])
    sender.attempt(100, timeout=1)
    assert sender.attempt(100.49, timeout=1) is None
    assert server.requests == 1
    assert settled(attempt(sender, 100.5)) == [("a", None)]


def test_a_new_wave_does_not_shorten_the_wait_for_a_server_that_is_down() -> None:
    sender = sender_to(Humanloop(down=[503]))
    sender.put([post("a")])
    sender.attempt(100, timeout=1)
    sender.put([post("b")])
    assert sender.due == 100.5


def test_waits_grow_while_the_server_is_down_and_start_over_once_it_answered() -> None:
    server = Humanloop(down=[503] * 4)
    sender = sender_to(server)
    sender.put([post("a")])
    now, waits = 0.0, []
    while server.down:
        sender.attempt(now, timeout=1)
        assert sender.due is not None
        waits.append(sender.due - now)
        now = sender.due
    assert waits == [0.5, 1, 2, 4]
    sender.put([post("b")])
    sender.attempt(now, timeout=1)
    server.down = [503]
    sender.attempt(now, timeout=1)
    assert sender.due == now + 0.5


def test_a_refusal_is_an_answer_too_after_which_the_next_body_goes_at_once() -> None:
    server = Humanloop(bad={"a": 422}, down=[503, 503])
    sender = sender_to(server)
    sender.put([post("a")])
    sender.put([post("b")])
    sender.attempt(0, timeout=1)
    sender.attempt(0.5, timeout=1)
    assert settled(attempt(sender, 1.5)) == [("a", 422)]
    server.down = [503]
    assert sender.attempt(1.5, timeout=1) is None
    assert sender.due == 2.0


def test_the_server_is_not_asked_before_the_time_it_asked_for() -> None:
    server = Humanloop(down=[429])
    server.headers = {"Retry-After": "25"}
    sender = sender_to(server)
    sender.put([post("a")])
    sender.attempt(10, timeout=1)
    assert sender.due == 35


def test_a_clock_that_goes_back_does_not_make_the_wait_longer() -> None:
    server = Humanloop(down=[503])
    sender = sender_to(server)
    sender.put([post("a")])
    sender.attempt(1_000_000, timeout=1)
    assert sender.attempt(5, timeout=1) is None
    assert sender.due == 5.5
    assert settled(attempt(sender, 5.5)) == [("a", None)]


@pytest.mark.parametrize("status", sorted(OF_ONE_LOG))
def test_a_refused_log_is_found_by_halves_and_its_siblings_go_through(status: int) -> None:
    names = [f"log-{n}" for n in range(100)]
    server = Humanloop(bad={"log-37": status})
    sender = sender_to(server)
    sender.put([post(name) for name in names])
    outcomes, now = until_settled(sender)
    assert settled(outcomes) == [(name, status if name == "log-37" else None) for name in names]
    [refused] = [o.refused for o in outcomes if o.refused is not None]
    assert refused.detail == "log-37 is bad"
    assert now == 0, "a refusal is an answer: there is nothing to wait for"
    assert server.requests <= 2 * 7 + 1, "halves, not one by one"
    assert (sender.acknowledged, sender.refused, sender.retried) == (99, 1, 0)


def test_a_body_too_large_for_the_server_is_halved_until_it_is_not() -> None:
    server = Humanloop()

    def small(request: httpx.Request) -> httpx.Response:
        if len(request.content) > 3000:
            return httpx.Response(413, html="<h1>413 Request Entity Too Large</h1>")
        return server(request)

    sender = sender_to(small)
    sender.put([post(str(n), 4000 if n == 5 else 500) for n in range(16)])
    outcomes, _ = until_settled(sender)
    assert settled(outcomes) == [(str(n), 413 if n == 5 else None) for n in range(16)]


@pytest.mark.parametrize("status", [301, 401, 402, 403, 404, 405, 410, 415])
def test_a_refusal_that_speaks_of_the_request_is_not_asked_for_again_by_halves(status: int) -> None:
    server = Humanloop(down=[status])
    sender = sender_to(server)
    sender.put([post(str(n)) for n in range(500)])
    assert settled(attempt(sender, 0)) == [(str(n), status) for n in range(500)]
    assert server.requests == 1
    assert isinstance(sender.last_error, Refused)
    assert sender.refused == 500


@pytest.mark.parametrize("status", [301, 401, 402, 403, 404, 405, 410, 415])
def test_where_it_insists_what_was_turned_away_unread_stays_in_line_until_it_is_read(status: int) -> None:
    server = Humanloop(down=[status] * 5)
    sender = sender_to(server, insists=True)
    sender.put([post(str(n)) for n in range(50)])
    sender.put([post("below")])
    assert sender.attempt(0, timeout=1) is None
    assert isinstance(sender.last_error, Unavailable)
    assert (sender.last_error.status, sender.due) == (status, 0.5)
    outcomes, _ = until_settled(sender)
    assert settled(outcomes) == [*((str(n), None) for n in range(50)), ("below", None)]
    assert (server.requests, sender.retried, sender.refused) == (7, 5, 0)


@pytest.mark.parametrize(("status", "is_of_the_patch"), [(401, False), (403, False), (302, False), (404, True)])
def test_where_it_insists_a_patch_for_a_log_that_is_not_there_is_refused_all_the_same(
    status: int, is_of_the_patch: bool
) -> None:
    sender = sender_to(Humanloop(down=[status]), insists=True)
    sender.put([patch("a")])
    assert settled(until_settled(sender)[0]) == [("a", status if is_of_the_patch else None)]


def test_a_refused_patch_is_settled_and_holds_nothing_back() -> None:
    sender = sender_to(Humanloop(bad={"a": 404}))
    sender.put([patch("a"), post("b")])
    assert settled(until_settled(sender)[0]) == [("a", 404), ("b", None)]


def test_when_a_body_is_interrupted_it_is_still_in_line() -> None:
    class Interrupted(BaseException):
        """As Ctrl-C is: no error of delivery."""

    server = Humanloop()
    stopped = [Interrupted()]

    def interrupt_once(request: httpx.Request) -> httpx.Response:
        if stopped:
            raise stopped.pop()
        return server(request)

    sender = sender_to(interrupt_once)
    sender.put([post("a")])
    with pytest.raises(Interrupted):
        sender.attempt(0, timeout=1)
    assert sender.waiting == 1
    assert settled(until_settled(sender)[0]) == [("a", None)]


troubles = st.lists(st.sampled_from([408, 429, 500, 503, httpx.ConnectError("gone"), httpx.ReadTimeout("slow")]))
items = st.tuples(st.sampled_from("PPPU"), st.integers(0, 400), st.sampled_from([None] * 6 + sorted(OF_ONE_LOG)))
waves = st.lists(st.lists(items, max_size=12), max_size=6)


def may_be_set_aside(troubles: list[int | Exception]) -> bool:
    """Does the server fail as often in a row as it takes to suspect the log?"""
    failed = [isinstance(trouble, int) and trouble >= 500 for trouble in troubles]
    return any(all(failed[start : start + PATIENCE]) for start in range(len(failed) - PATIENCE + 1))


@given(
    waves,
    troubles,
    st.integers(1, 6),
    st.integers(50, 2000),
    st.floats(0, 1, exclude_max=True),
    st.lists(st.floats(-9, 9)),
)
def test_whatever_happens_each_log_is_settled_once_in_order_and_only_the_bad_are_refused(
    waves: list[list[tuple[str, int, int | None]]],
    troubles: list[int | Exception],
    max_logs: int,
    max_bytes: int,
    jitter: float,
    jumps: list[float],
) -> None:
    put: list[list[Outgoing]] = []
    bad: dict[str, int] = {}
    for w, wave in enumerate(waves):
        put.append([])
        for i, (kind, size, status) in enumerate(wave):
            name = f"{w}.{i}"
            put[-1].append(post(name, size) if kind == "P" else patch(name))
            if status is not None:
                bad[name] = status
    server = Humanloop(bad=bad, down=troubles)
    sender = sender_to(server, max_logs=max_logs, max_bytes=max_bytes, jitter=jitter)

    now, latest, outcomes = 0.0, 0.0, list[Outcome]()
    for wave_items in put:
        sender.put(wave_items)
        now += jumps.pop() if jumps else 0.0
        latest = max(latest, now)
        requests, due = sender.requests, sender.due
        outcomes += attempt(sender, now)
        assert sender.requests <= requests + 1
        if now == latest:  # the clock has not gone back
            assert (sender.requests > requests) == (due is not None and due <= now)
    outcomes += until_settled(sender, now)[0]

    flat = [item for wave_items in put for item in wave_items]
    names = [item.reference_id for item in flat]
    told = [name for name, _ in settled(outcomes)]
    taken = [name for _, name in server.taken]
    if may_be_set_aside(troubles):
        # A log the server fails on again and again lets others of its wave go first.
        assert sorted(told) == sorted(names)
        assert sorted(taken) == sorted(name for name in names if name not in bad)
    else:
        assert told == names
        assert taken == [name for name in names if name not in bad]
    assert {name: status for name, status in settled(outcomes) if status is not None} == bad
    for body, length in zip(server.bodies, server.lengths, strict=True):
        assert len(body) <= max_logs
        assert len(body) == 1 or length <= max_bytes
        assert len({name.split(".")[0] for name in body}) == 1, "a body holds logs of one wave"
    assert (sender.waiting, sender.due) == (0, None)
    assert sender.acknowledged + sender.refused == len(flat)

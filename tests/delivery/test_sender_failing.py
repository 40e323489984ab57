"""Logs on which the server fails, and servers that fail on everything: told apart, and neither costs a log."""

from __future__ import annotations

import httpx
import pytest
from sending import Humanloop, attempts, patch, post, sender_to, settled, until_settled

from otel_humanloop.delivery.sender import PATIENCE, Outcome


@pytest.mark.parametrize("place", [0, 137, 299])
def test_a_log_the_server_always_fails_on_keeps_nothing_else_from_being_delivered(place: int) -> None:
    names = [f"log {number}" for number in range(300)]
    server = Humanloop(bad={names[place]: 500})
    sender = sender_to(server)
    sender.put([post(name) for name in names])
    outcomes, now = attempts(sender, 0, 25)
    assert [name for name, _ in settled(outcomes)] == [name for name in names if name != names[place]]
    assert now < 120
    assert (sender.clear, sender.waiting) == (True, 1)
    sender.put([post("later")])
    outcomes, _ = attempts(sender, now, 2)
    assert settled(outcomes) == [("later", None)]


def test_a_log_is_refused_once_the_server_kept_failing_on_it_and_took_others_in_between() -> None:
    server = Humanloop(bad={"a": 502})
    sender = sender_to(server)
    sender.put([post("a")])
    outcomes: list[Outcome] = []
    now = 0.0
    for number in range(100):
        sender.put([patch(f"other {number}")])
        found, now = attempts(sender, now, 2)
        outcomes += [outcome for outcome in found if settled([outcome])[0][0] == "a"]
    ((name, status),) = settled(outcomes)
    assert (name, status) == ("a", 502)
    assert sender.waiting == 0
    assert 2 * PATIENCE <= server.bodies.count(["a"]) <= 2 * PATIENCE + 1


@pytest.mark.parametrize("trouble", [500, 503, httpx.ConnectError("refused")])
def test_an_outage_however_long_costs_no_log(trouble: int | Exception) -> None:
    names = [f"log {number}" for number in range(40)]
    server = Humanloop(down=[trouble] * 1000)
    sender = sender_to(server, max_logs=10)
    sender.put([post(name) for name in names])
    outcomes, now = attempts(sender, 0, 1000)
    assert (outcomes, sender.waiting) == ([], 40)
    outcomes, _ = until_settled(sender, now)
    assert sorted(settled(outcomes)) == sorted((name, None) for name in names)


def test_what_is_set_aside_is_taken_when_the_server_recovers() -> None:
    server = Humanloop(bad={"a": 500})
    sender = sender_to(server)
    sender.put([post("a"), post("b")])
    outcomes, now = attempts(sender, 0, 12)
    assert settled(outcomes) == [("b", None)]
    server.bad.clear()
    assert settled(until_settled(sender, now)[0]) == [("a", None)]


def test_a_server_that_asks_to_wait_is_waited_for_and_its_body_is_not_blamed() -> None:
    server = Humanloop(down=[503] * 10)
    server.headers = {"retry-after": "1"}
    sender = sender_to(server)
    sender.put([post("a"), post("b")])
    outcomes, _ = until_settled(sender)
    assert settled(outcomes) == [("a", None), ("b", None)]
    assert server.bodies == [["a", "b"]] * 11

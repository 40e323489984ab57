"""A sender, what it is given, and a Humanloop it sends to, for tests of delivery."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import httpx
from contract import validate_request

from otel_humanloop.delivery.client import Client
from otel_humanloop.delivery.sender import Outcome, Outgoing, Patch, Post, Sender
from otel_humanloop.settings import load


class Humanloop:
    """A Humanloop that refuses the logs it is told to, takes nothing while it is down, and remembers the rest.

    Attributes:
        down: Answers to give, in turn, before anything is looked at: a status, or an exception to fail with.
        bad: Refused logs, by reference id, with their status.
        bodies: The reference ids of every array of logs it was asked to create, taken or not.
        taken: What it acknowledged, in order: ("POST" or "PATCH", reference id).
    """

    def __init__(self, bad: dict[str, int] | None = None, down: Iterable[int | Exception] = ()) -> None:
        self.bad = dict(bad or {})
        self.down = list(down)
        self.requests = 0
        self.bodies: list[list[str]] = []
        self.lengths: list[int] = []
        self.taken: list[tuple[str, str]] = []
        self.headers: dict[str, str] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        body = json.loads(request.content)
        validate_request(request.method, request.url.path.removeprefix("/v4"), body)
        if request.method == "PATCH":
            names = [request.url.params["reference_id"]]
        else:
            names = [log["reference_id"] for log in body]
            self.bodies.append(names)
            self.lengths.append(len(request.content))
        if self.down:
            trouble = self.down.pop(0)
            if isinstance(trouble, Exception):
                raise trouble
            return httpx.Response(trouble, headers=self.headers)
        for name in names:
            if name in self.bad:
                return httpx.Response(self.bad[name], json={"detail": f"{name} is bad"})
        self.taken += [(request.method, name) for name in names]
        if request.method == "PATCH":
            return httpx.Response(200, json={"id": "data_1"})
        return httpx.Response(200, json=[{"id": f"data_{name}", "project_id": "pr_1"} for name in names])


def sender_to(
    server: Callable[[httpx.Request], httpx.Response],
    *,
    max_logs: int = 500,
    max_bytes: int = 4 * 1024 * 1024,
    insists: bool = False,
    jitter: float = 0.0,
) -> Sender:
    settings = load({"base_url": "http://127.0.0.1/v4"}, environ={})
    client = Client(settings, transport=httpx.MockTransport(server))
    return Sender(client, max_logs=max_logs, max_bytes=max_bytes, insists=insists, random=lambda: jitter)


def post(name: str, size: int = 0) -> Post:
    body = json.dumps({"project": "p", "reference_id": name, "output": "x" * size}).encode()
    return Post(key=("trace", name), reference_id=name, body=body)


def patch(name: str) -> Patch:
    return Patch(key=("trace", name), reference_id=name, body=b'{"output": "done"}')


def until_settled(sender: Sender, now: float = 0.0) -> tuple[list[Outcome], float]:
    """Attempts whenever one is due, until nothing waits; the outcomes and the time by then."""
    outcomes: list[Outcome] = []
    for _ in range(10_000):
        if sender.due is None:
            return outcomes, now
        now = max(now, sender.due)
        outcomes += attempt(sender, now)
    raise AssertionError(f"{sender.waiting} still wait after 10,000 attempts")


def attempt(sender: Sender, now: float) -> list[Outcome]:
    """One attempt: its outcome, where it had one."""
    outcome = sender.attempt(now, timeout=1)
    return [outcome] if outcome is not None else []


def content(outcome: Outcome) -> tuple[Outgoing, ...]:
    """What was settled, a patch as the only one."""
    return (outcome.content,) if isinstance(outcome.content, Patch) else outcome.content


def settled(outcomes: list[Outcome]) -> list[tuple[str, int | None]]:
    """Each log and patch by its reference id, with the status it was refused with."""
    return [
        (item.reference_id, outcome.refused.status if outcome.refused is not None else None)
        for outcome in outcomes
        for item in content(outcome)
    ]


def attempts(sender: Sender, now: float, number: int) -> tuple[list[Outcome], float]:
    """So many attempts, each when it is due; the outcomes and the time by then."""
    outcomes: list[Outcome] = []
    for _ in range(number):
        if sender.due is None:
            break
        now = max(now, sender.due)
        outcomes += attempt(sender, now)
    return outcomes, now

"""A call that failed and was seen twice: no response is there by which the provider could name it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations

import pytest
from corpus import captures

from otel_humanloop.logs.draft import draft
from otel_humanloop.logs.order import TraceAssembler
from otel_humanloop.spans import Scope, Span, Status, StatusCode

TRACE = "1" * 32
FAILED = Status(code=StatusCode.ERROR, message="Rate limit reached")


def call(span_id: str, *, parent: str | None, scope: str, model: str = "gpt-4o", told: bool = False) -> Span:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": model}
    if told:
        attributes["gen_ai.input.messages"] = '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]'
    return Span(
        trace_id=TRACE,
        span_id=span_id * 16,
        parent_id=None if parent is None else parent * 16,
        name="chat",
        attributes=attributes,
        scope=Scope(name=scope),
        status=FAILED,
        start_ns=10 if parent is None else 11,
        end_ns=20 if parent is None else 19,
    )


def logged(spans: Iterable[Span]) -> set[str]:
    """The ids of the spans that are logs in the end."""
    assembler = TraceAssembler()
    for span in spans:
        assembler.add(draft(span), now=0)
    assembler.release(now=0)
    keys: set[str] = set()
    while moves := assembler.take():
        for move in moves:
            keys.add(move.key[1][0])
            assembler.acknowledge(move.key, now=0, completed=False)
    return keys


@pytest.mark.parametrize("backwards", [False, True])
def test_a_captured_call_that_failed_is_one_log_in_whichever_order_its_spans_come(backwards: bool) -> None:
    spans = captures.spans("genai-anthropic-1.3b0/err429")
    assert len(spans) == 2
    assert len(logged(reversed(spans) if backwards else spans)) == 1


def test_of_both_spans_the_one_is_logged_that_tells_more() -> None:
    outer, inner = call("a", parent=None, scope="around", told=True), call("b", parent="a", scope="client")
    assert {frozenset(logged(order)) for order in permutations([outer, inner])} == {frozenset("a")}


def test_attempts_beside_the_one_are_calls_of_their_own_in_whichever_order_they_come() -> None:
    outer = call("a", parent=None, scope="around", told=True)
    attempts = [call("b", parent="a", scope="client"), call("c", parent="a", scope="client")]
    assert {len(logged(order)) for order in permutations([outer, *attempts])} == {2}


@pytest.mark.parametrize(
    "other",
    [
        call("b", parent="a", scope="client", model="claude"),
        call("b", parent="a", scope="around"),
        call("b", parent=None, scope="client"),
    ],
    ids=["another model", "the same library", "no child"],
)
def test_other_calls_that_failed_are_logs(other: Span) -> None:
    outer = call("a", parent=None, scope="around", told=True)
    assert {frozenset(logged(order)) for order in permutations([outer, other])} == {frozenset("ab")}

"""A finished trace in brief: all that a span which comes late may ask of it, in a quarter of the room.

Most traces are never asked again, and are remembered for minutes all the same. So one that has been quiet for a while
is written down, and made anew where another span of it comes after all: as if nothing had been.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from otel_humanloop.logs.trace import Node, State, Trace

_STATES = (State.UNSEEN, State.DONE, State.PASSED)
"""Those of a trace in which nothing is still to come or to leave; written by their number."""


class _Span(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A node. Texts are numbers of the trace's texts; that of its own id is its place in the trace.

    Attributes:
        parent: The place of its parent; None for the top.
        guessers: The places of those that were sent under it unseen.
    """

    state: int
    parent: int | None
    above: int
    session: int
    user: int
    named_session: int
    named_user: int
    call_id: int
    remote: bool
    given_up: bool
    carries_usage: bool
    usage_pruned: bool
    guessers: tuple[int, ...]


class _Brief(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A trace. `texts` are the ids of its spans, in their order, then all else that is said in it."""

    texts: list[bytes | None]
    spans: list[_Span]
    sessions: list[int]
    default_session: int
    has_ai: bool


class Resting(msgspec.Struct, frozen=True, gc=False):
    """A trace that was written down.

    Attributes:
        content: What `revived` reads.
        spans: How many spans of it are remembered.
        touched: When something last happened in it, on the assembler's clock.
    """

    content: bytes
    spans: int
    touched: float


def rested(trace: Trace) -> Resting:
    """Writes a trace down in which nothing is `busy`."""
    numbers: dict[str | None, int] = {span_id: place for place, span_id in enumerate(trace.nodes)}

    def number(text: str | None) -> int:
        return numbers.setdefault(text, len(numbers))

    spans = [
        _Span(
            _STATES.index(node.state),
            numbers[node.parent.key[1]] if node.parent is not None else None,
            number(node.above),
            number(node.session),
            number(node.user),
            number(node.named_session),
            number(node.named_user),
            number(node.call_id),
            node.remote,
            node.given_up,
            node.carries_usage,
            node.usage_pruned,
            tuple([numbers[guesser.key[1]] for guesser in node.guessers]),
        )
        for node in trace.nodes.values()
    ]
    sessions, default_session = [number(each) for each in trace.sessions], number(trace.default_session)
    texts = [None if text is None else text.encode("utf-8", "surrogatepass") for text in numbers]
    brief = _Brief(texts, spans, sessions, default_session, trace.has_ai)
    return Resting(msgspec.msgpack.encode(brief), len(spans), trace.touched)


def revived(trace_id: str, resting: Resting) -> Trace:
    """The trace as it was."""
    brief = _decoder.decode(resting.content)
    texts = [None if text is None else text.decode("utf-8", "surrogatepass") for text in brief.texts]
    trace = Trace(trace_id, resting.touched)
    trace.sessions = {text: None for place in brief.sessions if (text := texts[place]) is not None}
    trace.default_session = texts[brief.default_session]
    trace.has_ai = brief.has_ai
    nodes = list(_nodes(trace, brief.spans, texts))
    trace.nodes = {node.key[1]: node for node in nodes}
    for node, span in zip(nodes, brief.spans, strict=True):
        if span.parent is not None:
            node.parent = nodes[span.parent]
            node.parent.children.append(node)
        node.guessers = [nodes[place] for place in span.guessers]
    return trace


def _nodes(trace: Trace, spans: Sequence[_Span], texts: Sequence[str | None]) -> Iterator[Node]:
    for place, span in enumerate(spans):
        span_id = texts[place]
        assert span_id is not None
        node = Node((trace.trace_id, span_id), trace.touched)
        node.state = _STATES[span.state]
        node.above = texts[span.above]
        node.session, node.user = texts[span.session], texts[span.user]
        node.named_session, node.named_user = texts[span.named_session], texts[span.named_user]
        node.call_id = texts[span.call_id]
        node.remote, node.given_up = span.remote, span.given_up
        node.carries_usage, node.usage_pruned = span.carries_usage, span.usage_pruned
        yield node


_decoder = msgspec.msgpack.Decoder(_Brief)

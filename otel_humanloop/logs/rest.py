"""A finished trace in brief: all that a span which comes late may ask of it, in a quarter of the room.

Most traces are never asked again, and are remembered for minutes all the same. So one that has been quiet for a while
is written down, and made anew where another span of it comes after all: as if nothing had been.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import msgspec

from otel_humanloop.logs.trace import DONE, PASSED, UNSEEN, Node, Trace

_STATES = (UNSEEN, DONE, PASSED)
"""Those of a trace in which nothing is still to come or to leave; written by their number."""


class _Span(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A node. Texts are numbers of the trace's texts; that of its own id is its place in the trace.

    Of most nodes only the first four are written: they were sent under their parent, in the trace's session, and
    nothing else is to be said of them.

    Attributes:
        parent: The place of its parent; None for the top.
        inherits: It was sent under its parent, in the trace's session, and no user was named.
        guessers: The places of those that were sent under it unseen.
    """

    state: int
    parent: int | None
    call_id: int | None
    carries_usage: bool
    inherits: bool = True
    above: int | None = None
    session: int | None = None
    user: int | None = None
    named_session: int | None = None
    named_user: int | None = None
    remote: bool = False
    given_up: bool = False
    usage_pruned: bool = False
    guessers: tuple[int, ...] = ()


class _Brief(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A trace. `texts` are the ids of its spans, in their order, then all else that is said in it; bytes where one of
    them is no Unicode."""

    texts: list[Any]
    spans: list[_Span]
    sessions: list[int]
    default_session: int | None
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
    nodes, default_session = trace.nodes, trace.default_session
    numbers = {text: number for number, text in enumerate(nodes)}
    spans: list[tuple[Any, ...]] = []
    for node in nodes.values():
        parent, call_id = node.parent, node.call_id
        brief = (
            _STATES.index(node.state),
            numbers[parent.key[1]] if parent is not None else None,
            numbers.setdefault(call_id, len(numbers)) if call_id is not None else None,
            node.carries_usage,
        )
        spans.append(brief if _inherits(node, default_session) else (*brief, *_rest_of(node, nodes, numbers)))
    sessions = [_number(each, numbers) for each in trace.sessions]
    default = _number(default_session, numbers)
    content = _encoded((list(numbers), spans, sessions, default, trace.has_ai))
    return Resting(content, len(spans), trace.touched)


def _inherits(node: Node, default_session: str | None) -> bool:
    """Is there nothing to be said of a node but where it is, and that it carries usage?"""
    if node.named_session is not None or node.named_user is not None or node.user is not None or node.guessers:
        return False
    if node.remote or node.given_up or node.usage_pruned:
        return False
    session, above = _inherited(node, default_session)
    return node.session == session and node.above == above


def _inherited(node: Node, default_session: str | None) -> tuple[str | None, str | None]:
    """The session of a node and the span it was sent under, where it was sent and nothing else was to be heeded."""
    if node.state is not DONE:
        return None, None
    return default_session, node.parent.key[1] if node.parent is not None else None


def _rest_of(node: Node, nodes: Container[str], numbers: dict[str, int]) -> tuple[Any, ...]:
    """The fields of `_Span` from `inherits` on."""
    texts = (node.above, node.session, node.user, node.named_session, node.named_user)
    guessers = [numbers[guesser.key[1]] for guesser in node.guessers or () if guesser.key[1] in nodes]
    return (
        *(False, *[_number(text, numbers) for text in texts]),
        *(node.remote, node.given_up, node.usage_pruned, guessers),
    )


def _number(text: str | None, numbers: dict[str, int]) -> int | None:
    return numbers.setdefault(text, len(numbers)) if text is not None else None


def _encoded(brief: tuple[list[str], Any, Any, Any, Any]) -> bytes:
    try:
        return msgspec.msgpack.encode(brief)
    except UnicodeEncodeError:
        texts, *rest = brief
        return msgspec.msgpack.encode(([text.encode("utf-8", "surrogatepass") for text in texts], *rest))


def revived(trace_id: str, resting: Resting) -> Trace:
    """The trace as it was."""
    brief = _decoder.decode(resting.content)
    texts = [text if isinstance(text, str) else text.decode("utf-8", "surrogatepass") for text in brief.texts]
    trace = Trace(trace_id, resting.touched)
    trace.sessions = {texts[number]: None for number in brief.sessions}
    trace.default_session = _text(brief.default_session, texts)
    trace.has_ai = brief.has_ai
    nodes = [Node((trace_id, texts[place]), resting.touched) for place in range(len(brief.spans))]
    trace.nodes = {node.key[1]: node for node in nodes}
    for node, span in zip(nodes, brief.spans, strict=True):
        if span.parent is not None:
            node.hang(nodes[span.parent], remote=False)
        for place in span.guessers:
            nodes[place].guesses_of(node)
        _tell(node, span, texts, trace.default_session)
    return trace


def _tell(node: Node, span: _Span, texts: Sequence[str], default_session: str | None) -> None:
    node.state = _STATES[span.state]
    node.call_id = _text(span.call_id, texts)
    node.carries_usage = span.carries_usage
    if span.inherits:
        node.session, node.above = _inherited(node, default_session)
        return
    node.above, node.session, node.user = [_text(each, texts) for each in (span.above, span.session, span.user)]
    node.named_session, node.named_user = _text(span.named_session, texts), _text(span.named_user, texts)
    node.remote, node.given_up, node.usage_pruned = span.remote, span.given_up, span.usage_pruned


def _text(number: int | None, texts: Sequence[str]) -> str | None:
    return texts[number] if number is not None else None


_decoder = msgspec.msgpack.Decoder(_Brief)

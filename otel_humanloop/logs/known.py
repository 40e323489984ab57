"""What must be known of a span after it was let go: for the spans below it that are still to come.

A process that ends forgets its traces. A child that comes to the next one would look in vain for the session its
ancestors named, for the log above a span of infrastructure, for the other span of its call. So what the next process
needs is written down for each span that is let go, without what the span says; reading it back makes a trace what it
was, and a crash changes no tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from otel_humanloop.errors import DecodeError
from otel_humanloop.logs.calls import Call, Calls
from otel_humanloop.logs.memory import Traces
from otel_humanloop.logs.trace import DONE, PASSED, UNSEEN, Node, Trace
from otel_humanloop.spans import SpanKey


class Known(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """A span whose log was delivered, or which has none.

    Attributes:
        key, parent: Its place, as the span stated it.
        remote: Its children say it belongs to another process.
        logged: It has a log.
        above: The span id of the log it was sent under; None at the top of its session, or where it has no log.
        session, user: What its log was sent with, where it has one.
        named_session, named_user: What the span itself said.
        usage: It, or a span below it that is no longer remembered, stated usage.
        is_session: An AI operation was seen in its trace.
        trace_session: The session of the trace's spans no ancestor of which names one, where that was settled.
        call: The call of a model it stands for.
    """

    key: SpanKey
    parent: str | None
    remote: bool
    logged: bool
    above: str | None
    session: str | None
    user: str | None
    named_session: str | None
    named_user: str | None
    usage: bool
    is_session: bool
    trace_session: str | None
    call: Call | None


def encode(known: Sequence[Known]) -> bytes:
    """As bytes, some hundred and fifty for each. What is no Unicode is written as its escape."""
    try:
        return msgspec.msgpack.encode(known)
    except UnicodeEncodeError:
        return msgspec.msgpack.encode([_in_unicode(each) for each in known])


def _in_unicode(known: Known) -> Known:
    call = known.call
    if call is not None:
        call = msgspec.structs.replace(call, id=_escaped(call.id), scope=_escaped(call.scope))
    user, named = known.user, known.named_user
    return msgspec.structs.replace(
        known,
        user=_escaped(user) if user is not None else None,
        named_user=_escaped(named) if named is not None else None,
        call=call,
    )


def _escaped(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def decode(data: bytes) -> list[Known]:
    """What `encode` was given.

    Raises:
        DecodeError: These bytes are something else.
    """
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise DecodeError(f"what was written of spans cannot be read: {error}") from error


_decoder = msgspec.msgpack.Decoder(list[Known])


def known_of(traces: Traces, calls: Calls, keys: Iterable[SpanKey]) -> list[Known]:
    """What is to be written down of spans that were let go or logged while open, as far as they are remembered.

    With them, of the spans above them those that are open and are infrastructure: their children look above them.
    """
    known: dict[SpanKey, Known] = {}
    for key in keys:
        found = traces.get(key)
        if found is None or found[1].state not in (DONE, PASSED):
            continue
        trace, node = found
        known[key] = _known(trace, node, calls)
        above = node.parent
        while above is not None and above.passing:
            known.setdefault(above.key, _known(trace, above, calls))
            above = above.parent
    return list(known.values())


def _known(trace: Trace, node: Node, calls: Calls) -> Known:
    key = node.key
    return Known(
        key=key,
        parent=node.parent.key[1] if node.parent is not None else None,
        remote=node.parent is not None and node.parent.remote,
        logged=node.state is DONE,
        above=node.above,
        session=node.session,
        user=node.user,
        named_session=node.named_session,
        named_user=node.named_user,
        usage=node.carries_usage or node.usage_pruned,
        is_session=trace.has_ai,
        trace_session=trace.default_session,
        call=calls.of(node.call_id, key),
    )


def restore(traces: Traces, calls: Calls, notes: Iterable[Known], now: float) -> list[Node]:
    """Makes the traces what they were; gives the logs whose place is wrong by what is known together."""
    logged: list[Node] = []
    for note in notes:
        trace, node = traces.find(note.key, now)
        traces.connect(trace, node, note.parent, remote=note.remote, now=now)
        traces.seen(node)
        node.state = DONE if note.logged else PASSED
        node.above, node.session, node.user = note.above, note.session, note.user
        node.named_session, node.named_user = note.named_session, note.named_user
        node.carries_usage = note.usage
        trace.has_ai = trace.has_ai or note.is_session
        trace.default_session = trace.default_session or note.trace_session
        if note.named_session is not None:
            trace.sessions.setdefault(note.named_session)
        if note.call is not None:
            node.call_id = calls.recall(note.call)
        if note.logged:
            logged.append(node)
    return [node for node in logged if _is_misplaced(node)]


def _is_misplaced(node: Node) -> bool:
    """Has the log a node was sent under turned out to be none? Notes who is to be told where that is still open."""
    above = node.parent
    while above is not None and above.state is PASSED:
        above = above.parent
    if above is not None and above.state is UNSEEN:
        above.given_up = True
        node.guesses_of(above)
        return False
    node.misplaced = node.above is not None and node.above != (above.key[1] if above is not None else None)
    return node.misplaced

"""What the assembler remembers of a trace: its spans as nodes, and how far each one's log has come.

```
UNSEEN ──started──► OPEN ──ended──► UNDECIDED ──AI in the trace──► WAITING ──nearest kept ancestor DONE──► READY
   └──────────────ended────────────────►┘                             ▲                                      │ taken
                                                                      │ held too long: logged while open     ▼
PASSED: infrastructure, the lesser of two spans of one call,          └─────── OPEN                        SENT
        a step of a trace without AI; children look above it                                                 │
                                                                                        DONE ◄──acknowledged─┘
```
A span that is logged while open goes the same way with `unfinished` set, until its end has been delivered too.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from otel_humanloop.logs.draft import Draft
from otel_humanloop.logs.moves import Create
from otel_humanloop.spans import SpanKey


class State(Enum):
    """How far a span's log has come."""

    UNSEEN = "unseen"
    """Only known as somebody's parent."""
    OPEN = "open"
    """Started, not ended, not logged."""
    UNDECIDED = "undecided"
    """A step of a trace in which no AI operation has been seen yet."""
    WAITING = "waiting"
    """To be logged once its nearest kept ancestor is."""
    READY = "ready"
    """May leave with the next wave."""
    SENT = "sent"
    DONE = "done"
    """Acknowledged, or refused for ever."""
    PASSED = "passed"
    """Has no log; its children hang from its nearest kept ancestor."""


UNSEEN, OPEN, UNDECIDED, WAITING, READY, SENT, DONE, PASSED = State
"""The states by themselves: before Python 3.12 every look at a member of an enum runs Python code, and for each span
there are some twenty."""


class Node:
    """One span of a trace. Its lists are made when something is first put into them: most have none.

    Attributes:
        draft: What its log is to be built of; let go once that is delivered.
        since: When it ended, or when it started while it is open, on the assembler's clock.
        open: It has started and not ended.
        remote: Its children say it belongs to another process.
        given_up: Waited for long enough: children go out naming it as their parent.
        passing: Still open, but what it says so far is infrastructure: children look above it.
        children: Nodes that hang under it.
        waiters: Nodes that go on when this one is done or passed.
        guessers: Nodes sent on the belief that this one is (or is not) a log.
        above: The span id of the log it was sent under; None at the top of its session.
        misplaced: `above` turned out wrong and is to be mended.
        call_id: The provider's id of the response, where it is a call of a model.
        session, user: What it was sent with, its own or inherited. `session` is None until it is sent.
        named_session, named_user: What the span itself says.
        unfinished: Sent while it was open; the end is still to be delivered.
        usage_pruned: A descendant that is no longer remembered stated usage.
    """

    __slots__ = (
        "above",
        "call_id",
        "carries_usage",
        "children",
        "draft",
        "given_up",
        "guessers",
        "key",
        "misplaced",
        "named_session",
        "named_user",
        "open",
        "parent",
        "passing",
        "remote",
        "session",
        "since",
        "state",
        "unfinished",
        "usage_pruned",
        "user",
        "waiters",
    )

    def __init__(self, key: SpanKey, since: float) -> None:
        self.key = key
        self.since = since
        self.state: State = UNSEEN
        self.parent: Node | None = None
        self.draft: Draft | None = None
        self.open = False
        self.remote = False
        self.given_up = False
        self.passing = False
        self.children: list[Node] | None = None
        self.waiters: list[Node] | None = None
        self.guessers: list[Node] | None = None
        self.above: str | None = None
        self.misplaced = False
        self.session: str | None = None
        self.user: str | None = None
        self.named_session: str | None = None
        self.named_user: str | None = None
        self.call_id: str | None = None
        self.carries_usage = False
        self.unfinished = False
        self.usage_pruned = False

    @property
    def busy(self) -> bool:
        """Something of it is still to come or to leave."""
        return self.open or self.unfinished or self.misplaced or self.state not in _AT_REST

    def begins(self, now: float) -> None:
        """It has started, and not ended."""
        self.state = OPEN
        self.open = True
        self.given_up = False
        self.since = now

    def ends(self, draft: Draft, now: float) -> None:
        """It has ended."""
        self.open = self.passing = self.given_up = False
        self.since = now
        self.holds(draft)

    def holds(self, draft: Draft) -> None:
        """Takes what a span says."""
        self.draft = draft
        self.named_session = draft.session
        self.named_user = draft.user
        self.call_id = draft.call_id if draft.is_call else None
        self.carries_usage = draft.carries_usage

    def leaves(self) -> Create:
        """Its log, which is under way from now on."""
        assert self.draft is not None
        assert self.session is not None
        self.state = SENT
        self.unfinished = self.open
        return Create(
            key=self.key,
            draft=self.draft,
            parent=self.above,
            session=self.session,
            user=self.user,
            without_usage=self.carries_usage and self.usage_below(),
        )

    def hang(self, parent: Node, *, remote: bool) -> None:
        """Hangs it under its parent; a parent that is its own descendant is no parent.

        Args:
            remote: It says its parent belongs to another process.
        """
        # Only a node that was known before it arrived can close a circle, for nothing else has children yet; and only
        # under a parent that hangs somewhere itself.
        circular = self.children and parent.parent is not None and any(above is self for above in parent.ancestors())
        if parent is self or circular:
            return
        self.parent = parent
        if parent.children is None:
            parent.children = [self]
        else:
            parent.children.append(self)
        if remote:
            parent.remote = True

    def waits_for(self, above: Node) -> None:
        """It goes on when that one is done or passed."""
        if above.waiters is None:
            above.waiters = [self]
        else:
            above.waiters.append(self)

    def guesses_of(self, above: Node) -> None:
        """It is sent on a belief of whether that one is a log."""
        if above.guessers is None:
            above.guessers = [self]
        else:
            above.guessers.append(self)

    def ancestors(self) -> Iterator[Node]:
        """From the parent up, as far as is known."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def names(self) -> tuple[str | None, str | None]:
        """The session and the user it is to be sent with: what it or its nearest ancestor that names one says. An
        ancestor that was sent ends the search, for its session and its user are settled."""
        session, user, above = self.named_session, self.named_user, self.parent
        while above is not None and (session is None or user is None):
            sent = above.session
            if sent is not None:
                return (sent if session is None else session), (above.user if user is None else user)
            if session is None:
                session = above.named_session
            if user is None:
                user = above.named_user
            above = above.parent
        return session, user

    def usage_below(self) -> bool:
        """Does any descendant that has a log of its own state usage?"""
        if self.usage_pruned or not self.children:
            return self.usage_pruned
        stack = list(self.children)
        while stack:
            node = stack.pop()
            if node.carries_usage and node.state not in (PASSED, UNDECIDED):
                return True
            if node.usage_pruned:
                return True
            if node.children:
                stack.extend(node.children)
        return False


_AT_REST = (UNSEEN, DONE, PASSED)


class Trace:
    """One trace.

    Attributes:
        touched: When something last happened in it, on the assembler's clock.
        has_ai: It is a session: an AI operation was seen in it.
        undecided: Steps that become logs if it turns out to be one.
        sessions: What spans of it called their session, in order of arrival.
        default_session: The session of spans no ancestor of which names one; fixed when the first of them is sent.
    """

    __slots__ = ("default_session", "has_ai", "nodes", "sessions", "touched", "trace_id", "undecided")

    def __init__(self, trace_id: str, now: float) -> None:
        self.trace_id = trace_id
        self.touched = now
        self.nodes: dict[str, Node] = {}
        self.has_ai = False
        self.undecided: list[Node] = []
        self.sessions: dict[str, None] = {}
        self.default_session: str | None = None

    @property
    def busy(self) -> bool:
        """Something of it is still to come or to leave."""
        for node in self.nodes.values():
            if node.state not in _AT_REST or node.open or node.unfinished or node.misplaced:
                return True
        return False

    @property
    def has_open(self) -> bool:
        return any(node.open for node in self.nodes.values())

    @property
    def awaits_parents(self) -> bool:
        """A parent that should be in this process has not been seen."""
        return any(node.state is UNSEEN and not node.remote and not node.given_up for node in self.nodes.values())

    def prune(self, before: float) -> int:
        """Forgets spans that were done before then and have no children left; says how many."""
        gone = 0
        for node in list(self.nodes.values()):
            if node.busy or node.children or node.since > before or node.state is UNSEEN:
                continue
            parent = node.parent
            if parent is not None:
                parent.usage_pruned = parent.usage_pruned or node.carries_usage or node.usage_pruned
            del self.nodes[node.key[1]]
            node.parent = None
            gone += 1
        if gone:
            for node in self.nodes.values():
                if node.children:
                    node.children = [child for child in node.children if child.key[1] in self.nodes]
        return gone

    def fall_apart(self) -> None:
        """Nodes know each other; once they no longer do, nothing has to search for them as circular garbage."""
        for node in self.nodes.values():
            node.parent = None
            node.children = None

    def own_session(self) -> str:
        """The session of a span where neither it nor an ancestor names one."""
        if self.default_session is None:
            # One name anywhere in the trace names all of it: instrumentation often sets it on inner spans only.
            self.default_session = next(iter(self.sessions)) if len(self.sessions) == 1 else self.trace_id
        return self.default_session

"""Order: when a log may leave, and under which parent. The design's rules, as a function of what arrived and of time.

A log leaves when the log of its nearest kept ancestor has been acknowledged, or when it has none. All that may leave
at once is one wave, in which nobody is anybody's parent. Nothing here reads a clock or knows what a log looks like.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from otel_humanloop.logs.calls import Calls
from otel_humanloop.logs.draft import Draft, Role
from otel_humanloop.logs.known import Known, known_of, restore
from otel_humanloop.logs.memory import Traces
from otel_humanloop.logs.moves import Complete, Create, Move, Replace
from otel_humanloop.logs.showing import is_worth_showing, patience
from otel_humanloop.logs.timers import Timers
from otel_humanloop.logs.trace import DONE, OPEN, PASSED, READY, SENT, UNDECIDED, UNSEEN, WAITING, Node, Trace
from otel_humanloop.spans import SpanKey

_AI, _TRANSPARENT = Role.AI, Role.TRANSPARENT  # by themselves: see `trace.py`


class TraceAssembler:
    """Puts spans that arrive in any order, of any number of traces, in the order their logs may leave.

    Every method that takes `now` (seconds on any clock that does not go back) may make logs ready; `take` hands them
    out, `acknowledge` says they were delivered. Of many spans that come together nobody need move on before the last
    is there: all but it are added with `more`, or `expire` is called after them.

    Args:
        spans: "ai" keeps AI operations and the program's own steps of traces that have one; "all" keeps everything.
        hold: Seconds to wait for a parent that was not seen, or that is still open.
        rest: Seconds after which what is remembered of a finished trace is kept in brief.
        linger: Seconds a finished trace is remembered, for spans that come late.
        max_nodes: Spans remembered; beyond it, finished traces are forgotten, the longest untouched first.
        look: Reads a span that is still open as it stands; None where it cannot be seen.
    """

    def __init__(
        self,
        *,
        spans: Literal["ai", "all"] = "ai",
        hold: float = 10.0,
        rest: float = 3.0,
        linger: float = 300.0,
        max_nodes: int = 100_000,
        look: Callable[[SpanKey], Draft | None] = lambda _: None,
    ) -> None:
        self._all = spans == "all"
        self._hold = hold
        self._linger = max(linger, hold)
        self._rest = min(rest, self._linger)
        self._pause = min(hold, self._rest)  # before a trace is looked at again
        self._look = look
        self._timers = Timers()
        self._traces = Traces(
            max_nodes, self._linger, on_awake=lambda trace: self._timers.remind(trace.touched + self._pause, trace)
        )
        self._calls = Calls()
        self._ready: dict[SpanKey, Node] = {}
        self._later: list[Move] = []
        self._restating: dict[SpanKey, list[Node]] = {}
        self._settled: list[SpanKey] = []
        self._woken: deque[Node] = deque()
        self._overdue: deque[Node] = deque()
        self._held_up: dict[Node, None] = {}  # open spans that others wait for
        self._releasing = False
        self.left_out = 0
        """Steps that were not logged, because no AI operation came in their trace."""

    # What arrives

    def opened(self, key: SpanKey, parent: str | None, now: float, *, parent_is_remote: bool = False) -> None:
        """A span has started."""
        trace, node = self._traces.find(key, now)
        if node.state is not UNSEEN:
            return
        self._traces.seen(node)
        node.begins(now)
        if node.waiters:
            self._held_up[node] = None
        self._traces.connect(trace, node, parent, remote=parent_is_remote, now=now)
        self._timers.remind(now + self._hold, trace, node)

    def add(self, draft: Draft, now: float, *, more: bool = False) -> None:
        """A span has ended, and `more` are told of next. The same span again changes nothing."""
        trace = self._traces.touch(draft.key[0], now)
        node = trace.nodes.get(draft.key[1])
        if node is not None and node.state is not UNSEEN and not node.open:
            if not node.busy:
                self._settle(node)
            return
        if draft.session is not None:
            trace.sessions.setdefault(draft.session)
        if node is None:
            self._judge(trace, self._traces.come(trace, draft, now), draft)
        else:
            self._end(trace, node, draft, now)
        if not more:
            self._go_on(now)

    def acknowledge(self, key: SpanKey, now: float, *, completed: bool = False) -> None:
        """A `Create` or `Replace` for this span (or, `completed`, a `Complete`) was delivered or refused for ever."""
        self.acknowledge_all((key,), now, completed=completed)

    def acknowledge_all(self, keys: Iterable[SpanKey], now: float, *, completed: bool = False) -> None:
        """The same of many spans: who waits for them goes on once all are told."""
        for key in keys:
            node = self._traces.node(key, touched=now)
            if node is None:
                continue
            if self._restating and not any(move.key == key for move in self._later):
                for told in self._restating.pop(key, ()):
                    self._settle(told)
            if completed:
                node.unfinished = False
                self._settle(node)
            elif node.state is SENT:
                node.state = DONE
                if node.waiters:
                    self._wake_waiters(node)
                if not node.unfinished:
                    self._settle(node)
                elif not node.open and node.draft is not None:
                    self._later.append(Complete(key=key, draft=node.draft))
            elif node.state is DONE and not node.unfinished:
                self._settle(node)  # it stands elsewhere than it was known to
        self._go_on(now)

    def expire(self, now: float) -> None:
        """Time has passed: whoever was held for long enough goes on."""
        for trace, node in self._timers.over(now):
            if not self._traces.holds(trace):
                continue
            if node is None:
                self._review(trace, now)
            elif node.state is WAITING:
                self._woken.append(node)
            elif node.state is OPEN:
                if is_worth_showing(node, self._look):
                    self._becomes_session(trace)
                    self._overdue.append(node)
                self._timers.remind(now + max(self._hold, 1.0), trace, node)
        self._traces.expire(now)
        self._go_on(now)

    def release(self, now: float) -> None:
        """Nobody waits any longer for a parent that was not seen or has not ended: a flush."""
        self._releasing = True
        for node in self._traces.give_up(now):
            self._wake_waiters(node)
        self._overdue.extend(self._held_up)
        self._go_on(now)
        self._releasing = False

    def close(self) -> None:
        """No more spans will come: steps of traces without an AI operation are left out."""
        for trace in self._traces:
            self._leave_out(trace)

    def recall(self, notes: Sequence[Known], now: float) -> None:
        """Before anything arrives: what an earlier process knew of spans it let go."""
        for note in notes:
            self._traces.find(note.key, now)
        self._woken.extend(restore(self._traces, self._calls, notes, now))
        self._go_on(now)

    # What leaves

    def take(self) -> list[Move]:
        """The next wave: no log in it is another's parent. What is taken is to be acknowledged."""
        ready, self._ready = self._ready, {}
        later, self._later = self._later, []
        return [*[node.leaves() for node in ready.values()], *later]

    def settled(self) -> list[SpanKey]:
        """The spans, since the last call, that need not be kept any longer: delivered, or known to have no log."""
        settled, self._settled = self._settled, []
        return settled

    def known(self, keys: Iterable[SpanKey]) -> list[Known]:
        """What is to be recalled, in a process to come, of spans that were settled."""
        return known_of(self._traces, self._calls, keys)

    @property
    def due(self) -> float | None:
        """When `expire` should be called next; None where nothing waits for time to pass."""
        return min([due for due in (self._timers.due, self._traces.due) if due is not None], default=None)

    @property
    def idle(self) -> bool:
        """Nothing is ready to be taken."""
        return not self._ready and not self._later

    # A span's way

    def _end(self, trace: Trace, node: Node, draft: Draft, now: float) -> None:
        """A span that was open, or only known as somebody's parent, has ended."""
        self._held_up.pop(node, None)
        self._traces.seen(node)
        node.ends(draft, now)
        self._traces.connect(trace, node, draft.parent, remote=draft.parent_is_remote, now=now)
        if not (node.unfinished and node.state in (SENT, DONE)):
            node.unfinished = False
            self._judge(trace, node, draft)
        elif node.state is DONE:
            self._later.append(Complete(key=node.key, draft=draft))

    def _judge(self, trace: Trace, node: Node, draft: Draft) -> None:
        """What becomes of a span that has ended."""
        role = draft.role
        if role is _TRANSPARENT and not self._all:
            self._pass(node)
            return
        if draft.is_call and (twin := self._calls.meet(draft)) is not None:
            other = self._traces.node(twin.key)
            if other is None or draft.wealth <= twin.wealth:
                self._pass(node)
                return
            if other.state in (SENT, DONE):
                self._restate(other, node, draft)
                return
            self._pass(other)
            self._calls.remember(draft)
        if not trace.has_ai and (role is _AI or self._all):
            self._becomes_session(trace)
        if not trace.has_ai:
            node.state = UNDECIDED
            trace.undecided.append(node)
        elif node.state is not READY:
            self._wait(node)
        if node.guessers:
            self._correct(node, is_log=True)

    def _restate(self, logged: Node, node: Node, draft: Draft) -> None:
        """A span tells more of a call that is logged already: the log is given its words, and keeps its place."""
        assert logged.session is not None
        logged.carries_usage = logged.carries_usage or draft.carries_usage
        self._calls.recall_as(draft, logged.key)
        self._later.append(
            Create(key=logged.key, draft=draft, parent=logged.above, session=logged.session, user=logged.user)
        )
        self._restating.setdefault(logged.key, []).append(node)
        self._pass(node, settled=False)

    def _becomes_session(self, trace: Trace) -> None:
        trace.has_ai = True
        for node in trace.undecided:
            if node.state is UNDECIDED:
                self._wait(node)
        trace.undecided.clear()

    def _wait(self, node: Node) -> None:
        node.state = WAITING
        self._woken.append(node)

    def _pass(self, node: Node, *, settled: bool = True) -> None:
        """This span has no log; what waits for it looks further up."""
        self._ready.pop(node.key, None)
        node.state = PASSED
        if settled:
            self._settle(node)
        self._wake_waiters(node)
        if node.guessers:
            self._correct(node, is_log=False)

    def _settle(self, node: Node) -> None:
        node.draft = None
        self._settled.append(node.key)

    def _wake_waiters(self, node: Node) -> None:
        if node.waiters:
            self._woken.extend(node.waiters)
            node.waiters = None

    def _correct(self, node: Node, *, is_log: bool) -> None:
        """Now that it is known whether a span is a log: mends the place of those sent on the other belief."""
        guessers, node.guessers = node.guessers or (), None
        for guesser in guessers:
            if guesser.state is READY:
                del self._ready[guesser.key]
                self._wait(guesser)
            elif (guesser.above == node.key[1]) is not is_log:
                guesser.misplaced = True
                self._woken.append(guesser)

    def _go_on(self, now: float) -> None:
        """Moves everyone on who was woken, until nobody can go further."""
        woken, overdue = self._woken, self._overdue
        while True:
            while woken:
                node = woken.popleft()
                if node.state is WAITING or node.misplaced:
                    above = node.parent
                    if above is None or above.state is DONE:  # of most, for their parent woke them
                        self._place(node, above)
                    elif above.state is WAITING or above.state is SENT or above.state is READY:
                        node.waits_for(above)
                    else:
                        self._advance(node, now)
            if not overdue:
                return
            self._log_open(overdue.popleft(), now)

    def _advance(self, node: Node, now: float) -> None:
        """Looks up from a node for the log it hangs under; waits where that is not known or not delivered yet."""
        above = node.parent
        guesses: list[Node] = []
        while above is not None and (state := above.state) is not DONE:
            if above.passing:
                guesses.append(above)
            elif state is UNSEEN or (state is OPEN and above.given_up):
                overdue = self._releasing or now >= node.since + self._hold
                if not (overdue or above.given_up or above.remote):
                    self._timers.remind(node.since + self._hold, self._traces.of(node), node)
                    node.waits_for(above)
                    return
                above.given_up = True
                guesses.append(above)
                break
            elif state is not PASSED:
                node.waits_for(above)
                if state is OPEN:
                    self._held_up[above] = None
                    if self._releasing or now >= above.since + self._hold:
                        self._overdue.append(above)
                return
            above = above.parent
        for guess in guesses:
            node.guesses_of(guess)
        self._place(node, above)

    def _place(self, node: Node, above: Node | None) -> None:
        """The log a node hangs under is delivered, or there is none: it may leave."""
        session = node.session
        if session is None:
            session, node.user = node.names()
            if session is None:
                session = self._traces.of(node).own_session()
            node.session = session
        # A parent in another session is none to Humanloop.
        linked = above is not None and (above.session is None or above.session == session)
        parent = above.key[1] if above is not None and linked else None
        if node.state is WAITING:
            node.above = parent
            node.state = READY
            self._ready[node.key] = node
        elif parent != node.above:
            node.above = parent
            self._later.append(Replace(key=node.key, parent=parent, session=session))
        node.misplaced = False

    # Spans that are still open

    def _log_open(self, node: Node, now: float) -> None:
        """Logs a span as it stands, so that it can be seen while it runs and its children need not wait."""
        if node.state is not OPEN or node.passing or node.given_up:
            return
        draft = self._look(node.key)
        if draft is None:
            node.given_up = True
            self._wake_waiters(node)
        elif draft.ended:
            return  # its end is on its way here
        elif draft.role is _TRANSPARENT and not self._all:
            node.passing = True
            self._wake_waiters(node)
        elif draft.is_call and not self._releasing and now < (until := patience(node, self._hold)):
            # A call says what it cost only at its end, and a log that was created cannot be given that later.
            self._timers.remind(until, self._traces.of(node), node)
        else:
            node.holds(draft)
            if draft.session is not None:
                self._traces.of(node).sessions.setdefault(draft.session)
            self._wait(node)

    # Keeping house

    def _review(self, trace: Trace, now: float) -> None:
        """A trace has been quiet for a while: is it one without AI, can it rest?"""
        quiet = now - trace.touched
        if trace.undecided and not trace.has_open:
            patience = self._linger if trace.awaits_parents else self._hold
            if quiet >= patience:
                self._leave_out(trace)
        if quiet >= self._rest and not trace.busy:
            self._traces.rest(trace, self._calls)
            return
        wait = self._hold if trace.undecided else self._rest
        self._timers.remind(max(trace.touched + wait, now + max(self._pause, 1.0)), trace)

    def _leave_out(self, trace: Trace) -> None:
        for node in trace.undecided:
            if node.state is UNDECIDED:
                self.left_out += 1
                self._pass(node)
        trace.undecided.clear()

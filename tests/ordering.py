"""Drafts to put in order, and a Humanloop that sees whether they come in a fit one."""

from __future__ import annotations

from dataclasses import dataclass, field

from otel_humanloop.logs.draft import Draft, Role
from otel_humanloop.logs.moves import Complete, Create, Move, Replace
from otel_humanloop.logs.order import TraceAssembler
from otel_humanloop.operation import Kind, Operation, Reading
from otel_humanloop.spans import Scope, Span, SpanKey

HOLD = 10.0


def a_draft(
    span_id: str,
    parent: str | None = None,
    role: Role = Role.AI,
    *,
    trace_id: str = "t",
    ended: bool = True,
    session: str | None = None,
    user: str | None = None,
    remote: bool = False,
    usage: bool = False,
    call_id: str | None = None,
    wealth: int = 0,
    scope: str = "s",
    times: tuple[int, int] = (0, 10),
) -> Draft:
    span = Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=parent,
        parent_is_remote=remote,
        start_ns=times[0],
        end_ns=times[1] if ended else None,
        scope=Scope(name=scope),
    )
    return Draft(
        key=(trace_id, span_id),
        parent=parent,
        parent_is_remote=remote,
        role=role,
        span=span,
        said=Reading(operation=Operation(kind=Kind.STEP)),
        session=session,
        user=user,
        carries_usage=usage,
        is_call=call_id is not None,
        call_id=call_id,
        wealth=wealth,
    )


@dataclass
class Humanloop:
    """What a server would know after the moves it was given, and whether they came in a fit order."""

    logs: dict[SpanKey, Create] = field(default_factory=dict)
    parents: dict[SpanKey, str | None] = field(default_factory=dict)
    completed: list[SpanKey] = field(default_factory=list)
    waves: list[list[SpanKey]] = field(default_factory=list)
    under_way: list[Move] = field(default_factory=list)

    def takes(self, assembler: TraceAssembler) -> int:
        assert not self.under_way
        moves = self.under_way = assembler.take()
        wave = [move.key for move in moves if isinstance(move, Create)]
        self.waves.append(wave)
        for move in moves:
            if isinstance(move, Create):
                assert move.key not in self.logs, "a span is one log"
                assert (move.key[0], move.parent) not in wave, "no wave holds a log and its parent"
                self.logs[move.key] = move
                self.parents[move.key] = move.parent
            elif isinstance(move, Replace):
                assert move.key in self.logs
                assert (move.key[0], move.parent) not in wave
                self.parents[move.key] = move.parent
            else:
                assert move.key not in self.completed
                assert not self.logs[move.key].draft.ended
                self.completed.append(move.key)
        return len(moves)

    def acknowledges(self, assembler: TraceAssembler, now: float) -> None:
        moves, self.under_way = self.under_way, []
        for move in moves:
            assembler.acknowledge(move.key, now, completed=isinstance(move, Complete))

    def takes_all(self, assembler: TraceAssembler, now: float) -> None:
        self.acknowledges(assembler, now)
        while self.takes(assembler):
            self.acknowledges(assembler, now)

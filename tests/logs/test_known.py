"""What was written down of spans that were let go: a process that begins with it makes the same trees."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from ordering import HOLD, a_draft

from otel_humanloop.errors import DecodeError
from otel_humanloop.logs import known
from otel_humanloop.logs.draft import Draft, Role
from otel_humanloop.logs.moves import Create, Replace
from otel_humanloop.logs.order import TraceAssembler
from otel_humanloop.spans import SpanKey

Place = tuple[str | None, str, str | None, bool]
"""Where a log hangs: its parent, its session, its user, and whether it leaves its usage to those below it."""


class Described(msgspec.Struct, frozen=True):
    """A span of a tree, by what the assembler looks at."""

    parent: int | None
    role: Role
    session: str | None
    user: str | None
    usage: bool
    call: str | None


def draft_of(number: int, spans: Sequence[Described]) -> Draft:
    described = spans[number]
    return a_draft(
        str(number),
        str(described.parent) if described.parent is not None else None,
        described.role,
        session=described.session,
        user=described.user,
        usage=described.usage,
        call_id=described.call,
        scope=f"library {number}",
    )


class World:
    """Humanloop, a spool and its notes, and the process in between, which may end at any time."""

    def __init__(self, spans: Sequence[Described]) -> None:
        self.spans = spans
        self.kept: dict[SpanKey, Draft] = {}
        self.notes: dict[SpanKey, bytes] = {}
        self.places: dict[str, Place] = {}
        self.assembler = TraceAssembler(hold=HOLD)

    def arrives(self, number: int) -> None:
        draft = draft_of(number, self.spans)
        self.kept[draft.key] = draft
        self.assembler.add(draft, 0.0)
        self.settle()

    def delivers(self, waves: int = 100) -> None:
        for _ in range(waves):
            moves = self.assembler.take()
            if not moves:
                break
            for move in moves:
                if isinstance(move, Create):
                    self.places[move.key[1]] = (move.parent, move.session, move.user, move.without_usage)
                elif isinstance(move, Replace):
                    _, _, user, without_usage = self.places[move.key[1]]
                    self.places[move.key[1]] = (move.parent, move.session, user, without_usage)
                self.assembler.acknowledge(move.key, 0.0)
        self.settle()

    def settle(self) -> None:
        settled = self.assembler.settled()
        for note in self.assembler.known(settled):
            self.notes[note.key] = known.encode([note])
        for key in settled:
            self.kept.pop(key, None)

    def crashes(self) -> None:
        self.assembler = TraceAssembler(hold=HOLD)
        self.assembler.recall([each for note in self.notes.values() for each in known.decode(note)], 0.0)
        for draft in list(self.kept.values()):
            self.assembler.add(draft, 0.0)
        self.settle()

    def ends(self) -> None:
        self.delivers()
        self.assembler.release(0.0)
        self.delivers()


@st.composite
def traces(draw: st.DrawFn) -> list[Described]:
    size = draw(st.integers(1, 7))
    return [
        Described(
            parent=draw(st.none() | st.integers(0, number - 1)) if number else None,
            role=draw(st.sampled_from(list(Role))),
            session=draw(st.sampled_from([None, None, None, "s"])),
            user=draw(st.sampled_from([None, None, "ada"])),
            usage=draw(st.booleans()),
            call=draw(st.sampled_from([None, None, "response"])),
        )
        for number in range(size)
    ]


@given(st.data())
def test_a_crash_at_any_moment_changes_no_tree(data: st.DataObject) -> None:
    spans = data.draw(traces())
    order = data.draw(st.permutations(range(len(spans))))
    steady, shaken = World(spans), World(spans)
    for number in order:
        delivers = data.draw(st.integers(0, 3))
        for world in (steady, shaken):
            world.arrives(number)
            world.delivers(delivers)
        if data.draw(st.booleans()):
            shaken.crashes()
    for world in (steady, shaken):
        world.ends()
    assert shaken.places == steady.places
    assert shaken.kept == steady.kept


@given(st.data())
def test_nor_does_one_after_a_parent_was_given_up_for_lost(data: st.DataObject) -> None:
    """What was given up is waited for anew, and a log may then learn what it would have left without."""
    spans = [msgspec.structs.replace(span, session=None, user=None) for span in data.draw(traces())]
    order = data.draw(st.permutations(range(len(spans))))
    lost = data.draw(st.integers(0, len(spans)))
    steady, shaken = World(spans), World(spans)
    for position, number in enumerate(order):
        for world in (steady, shaken):
            world.arrives(number)
            if position == lost:
                world.ends()
        if position >= lost:
            shaken.delivers()
            steady.delivers()
            shaken.crashes()
    for world in (steady, shaken):
        world.ends()
    parents = [{span: place[0] for span, place in world.places.items()} for world in (steady, shaken)]
    assert parents[0] == parents[1]


def test_a_span_that_comes_again_after_it_was_delivered_is_let_go_again() -> None:
    world = World([Described(None, Role.AI, None, None, False, None)])
    world.arrives(0)
    world.delivers()
    assert world.kept == {}
    world.arrives(0)
    assert world.kept == {}
    world.crashes()
    world.arrives(0)
    assert (world.kept, world.assembler.take()) == ({}, [])


def test_what_another_version_wrote_is_told_from_a_note() -> None:
    for data in (b"", b"\xc1", msgspec.msgpack.encode([1, 2])):
        try:
            known.decode(data)
        except DecodeError:
            continue
        raise AssertionError(data)


def test_what_is_no_unicode_is_written_as_its_escape() -> None:
    assembler = TraceAssembler(hold=HOLD)
    draft = a_draft("1", session="s", user="\ud800", call_id="\ud801", scope="\ud802")
    assembler.add(draft, 0.0)
    for move in assembler.take():
        assembler.acknowledge(move.key, 0.0)
    (note,) = known.decode(known.encode(assembler.known([draft.key])))
    assert (note.session, note.user, note.named_user) == ("s", "\\ud800", "\\ud800")
    assert note.call is not None
    assert (note.call.id, note.call.scope) == ("\\ud801", "\\ud802")

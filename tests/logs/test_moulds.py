"""Whatever is remembered of spans that are alike, each has the log it would have if it were the only one."""

from __future__ import annotations

import random
import string
import tracemalloc
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import pytest
from corpus import captures
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from otel_humanloop import settings
from otel_humanloop.logs.build import build_log
from otel_humanloop.logs.draft import Draft, draft
from otel_humanloop.logs.encode import encode
from otel_humanloop.logs.moulds import Moulds
from otel_humanloop.logs.moves import Create
from otel_humanloop.settings import Settings
from otel_humanloop.spans import Event, Link, Resource, Scope, Span, SpanKind, Status, StatusCode

SETTINGS = {
    "usual": settings.load({"prices": "none"}, environ={}),
    "priced": settings.load({"prices": "auto", "session": "conversation"}, environ={}),
    "named": settings.load({"project": "{host.name}-x", "reference_ids": "trace-span", "prices": "none"}, environ={}),
}

ENOUGH = 8
"""Spans of a shape after which what they have in common is known."""

CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.usage.input_tokens": 3,
    "gen_ai.usage.output_tokens": 5,
    "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]',
    "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "Ho"}]}]',
    "gen_ai.request.temperature": 0.0,
    "app.note": "x",
}


class Pair:
    """A log with moulds, and without."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.moulds = Moulds(settings)
        self.cast = 0

    def hold(
        self,
        span: Span,
        *,
        parent: str | None,
        user: str | None,
        session: str = "s",
        without_usage: bool = False,
    ) -> None:
        moulded, usual = self.moulds.draft(span), draft(span, conversations_are_sessions=self._are_sessions)
        assert facts(moulded) == facts(usual)
        create = Create(
            key=usual.key, draft=moulded, parent=parent, session=session, user=user, without_usage=without_usage
        )
        log = self.moulds.log(create)
        if log is not None:
            self.cast += 1
            built = build_log(msgspec.structs.replace(create, draft=usual), self.settings)
            assert log == (encode(built), built.project)

    @property
    def _are_sessions(self) -> bool:
        return self.settings.session == "conversation"


def facts(draft: Draft) -> dict[str, Any]:
    """All that is known of a span but its content."""
    known = msgspec.structs.asdict(draft)
    return {name: value for name, value in known.items() if name not in ("said", "cast", "span")}


@cache
def captured() -> list[Span]:
    """One span of each shape that was captured, without what keeps it from being like others."""
    found: dict[Any, Span] = {}
    for path in captures.files():
        for span in captures.spans(captures.name_of(path)):
            found.setdefault((span.scope.name, span.name, tuple(span.attributes)), span)
    return [msgspec.structs.replace(span, events=(), links=(), status=Status()) for span in found.values()]


@cache
def pool() -> dict[tuple[str, type], list[Any]]:
    """What was captured under each key, by type."""
    values: dict[tuple[str, type], list[Any]] = {}
    for span in captured():
        for key, value in span.attributes.items():
            values.setdefault((key, type(value)), []).append(value)
    return values


def alike(span: Span, chance: random.Random, number: int) -> Iterator[Span]:
    """Spans of that shape, some of whose attributes differ, as others of that key were captured or not."""
    keys = list(span.attributes)
    differing = [key for key in keys if chance.random() < 0.4]
    for _ in range(number):
        attributes = dict(span.attributes)
        for key in differing:
            attributes[key] = another(key, attributes[key], chance)
        start = chance.randrange(10**18, 2 * 10**18)
        yield msgspec.structs.replace(
            span,
            trace_id=f"{chance.getrandbits(128):032x}",
            span_id=f"{chance.getrandbits(64):016x}",
            start_ns=start,
            end_ns=start + chance.randrange(-(10**9), 10**11),
            attributes=attributes,
        )


def another(key: str, value: Any, chance: random.Random) -> Any:
    if chance.random() < 0.6:
        return chance.choice(pool()[key, type(value)])
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return chance.choice([0, 1, -1, 17, 10**12 + 1, 2**64, chance.randrange(10**6)])
    if isinstance(value, float):
        return chance.choice([0.0, -0.0, 1.0, 1.5, float("nan"), float("inf"), chance.random()])
    if isinstance(value, str):
        made = "".join(chance.choices(string.printable, k=12))
        written = (f'["{chance.random()}"]', f'{{"a": {chance.random()}}}', "null", "[", "{x")
        return chance.choice(["", made, f"{made}\ud83d", *written])
    return value


@pytest.mark.parametrize("chosen", SETTINGS)
def test_spans_of_every_captured_shape_have_the_same_log_with_moulds_as_without(chosen: str) -> None:
    chance = random.Random(chosen)
    part = list(SETTINGS).index(chosen)
    cast = 0
    for span in captured()[part :: len(SETTINGS)]:
        pair = Pair(SETTINGS[chosen])
        for each in alike(span, chance, 20):
            pair.hold(
                each,
                parent=chance.choice([None, "p" * 16]),
                user=chance.choice([None, "someone"]),
                without_usage=chance.random() < 0.3,
            )
        cast += pair.cast
    assert cast > 300


VALUES = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        [CHAT["gen_ai.input.messages"], CHAT["gen_ai.output.messages"], "[", '[{"role": "tool"}]', "x\ud83d"]
    ),
    st.integers(-(2**65), 2**65),
    st.floats(),
    st.booleans(),
    st.none(),
    st.lists(st.text(max_size=3), max_size=2),
    st.lists(st.one_of(st.booleans(), st.integers(0, 1), st.floats(0, 1)), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(0, 1), max_size=1),
    st.binary(max_size=3),
)


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_the_next_span_of_a_known_shape_says_its_log_says_it(data: st.DataObject) -> None:
    pair = Pair(SETTINGS["usual"])
    differing = data.draw(st.sets(st.sampled_from(sorted(CHAT)), max_size=4))
    for number in range(ENOUGH + 2):
        pair.hold(a_span(number, **{key: f"{CHAT[key]}{number}" for key in differing}), parent=None, user=None)
    for number in range(6):
        said = data.draw(st.dictionaries(st.sampled_from(sorted(CHAT)), VALUES, max_size=3))
        pair.hold(a_span(number, **said), parent=None, user=None)


@pytest.mark.parametrize(
    "other",
    [
        {"name": "another"},
        {"kind": SpanKind.SERVER},
        {"parent_id": None},
        {"status": Status(code=StatusCode.OK)},
        {"status": Status(code=StatusCode.ERROR)},
        {"status": Status(code=StatusCode.ERROR, message="it broke")},
        {"resource": Resource(attributes={"host.name": "b", "service.name": "s"})},
        {"resource": Resource(attributes={"deep": [[]]})},
        {"scope": Scope(name="other", version="2")},
        {"scope": Scope(name="lib", version="2")},
        {"dropped_attributes": 3},
        {"end_ns": 2**80},
        {"end_ns": 1},
        {"events": (Event(name="exception", attributes={"exception.type": "Oops"}),)},
        {"links": (Link(trace_id="1" * 32, span_id="2" * 16),)},
        {"span_id": "p" * 16},
    ],
    ids=str,
)
@pytest.mark.parametrize("chosen", SETTINGS)
def test_what_stands_beside_the_attributes_of_a_span_is_its_own(other: dict[str, Any], chosen: str) -> None:
    pair = Pair(SETTINGS[chosen])
    for number in range(2 * ENOUGH):
        pair.hold(a_span(number), parent="p" * 16, user=None)
        pair.hold(msgspec.structs.replace(a_span(number), **other), parent=None, user="someone")
    assert pair.cast >= ENOUGH


def test_spans_that_are_alike_but_for_ids_times_words_and_counts_are_cast_in_moulds() -> None:
    pair = Pair(SETTINGS["usual"])
    for number in range(100):
        said = f'[{{"role": "user", "parts": [{{"type": "text", "content": "question {number}"}}]}}]'
        span = a_span(
            number,
            **{
                "gen_ai.response.id": f"chatcmpl-{number}",
                "gen_ai.usage.input_tokens": number,
                "gen_ai.input.messages": said,
                "app.note": f"{number}",
            },
        )
        pair.hold(span, parent=f"{number:016x}", user=None, session=f"s{number}")
    assert pair.cast == 100 - ENOUGH


def test_an_attribute_that_begins_to_differ_late_ends_what_was_remembered_of_the_others() -> None:
    pair = Pair(SETTINGS["usual"])
    for number in range(200):
        pair.hold(a_span(number, **{"app.note": "x" if number < 20 else f"{number}"}), parent=None, user=None)
    assert pair.cast > 100


@pytest.mark.parametrize("chosen", SETTINGS)
def test_spans_of_very_many_resources_are_cast_in_the_same_moulds(chosen: str) -> None:
    pair = Pair(SETTINGS[chosen])
    resources = [Resource(attributes={"host.name": f"pod-{number}"}) for number in range(300)]
    for number in range(900):
        span = msgspec.structs.replace(a_span(number), resource=resources[number % 300])
        pair.hold(span, parent=None, user=None)
    assert pair.cast == 900 - ENOUGH


@pytest.mark.parametrize("chosen", SETTINGS)
def test_the_sum_of_what_is_spent_below_is_not_said_again(chosen: str) -> None:
    pair = Pair(SETTINGS[chosen])
    for number in range(ENOUGH + 20):
        span = a_span(number, **{"gen_ai.usage.input_tokens": number, "gen_ai.usage.reasoning.output_tokens": number})
        pair.hold(span, parent=None, user=None, without_usage=number % 2 == 0)
    assert pair.cast == 20


@pytest.mark.parametrize("spans_of_a_name", [1, ENOUGH + 4])
def test_what_is_remembered_is_bounded_however_many_names_and_long_texts_come(spans_of_a_name: int) -> None:
    moulds = Moulds(SETTINGS["usual"])
    tracemalloc.start()
    try:
        for name in range(5_000 // spans_of_a_name):
            text = f"{name} {'x' * 50_000}"
            for number in range(spans_of_a_name):
                span = msgspec.structs.replace(a_span(number, **{"app.note": text}), name=f"{name}")
                read = moulds.draft(span)
                moulds.log(Create(key=read.key, draft=read, parent=None, session="s", user=None))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 64 * 1024 * 1024


def test_spans_that_are_alike_and_always_unusual_are_read_as_any_other() -> None:
    pair = Pair(SETTINGS["usual"])
    thought = (
        '[{"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": "%d"}]}]'
    )
    for number in range(100):
        pair.hold(a_span(number, **{"gen_ai.output.messages": thought % number}), parent=None, user=None)
    assert pair.cast == 0


def test_what_comes_once_drives_out_nothing_that_comes_again() -> None:
    pair = Pair(SETTINGS["usual"])
    for number in range(3_000):
        pair.moulds.draft(msgspec.structs.replace(a_span(number), name=f"GET /{number}"))
        if number % 10 == 0:
            pair.hold(a_span(number), parent=None, user=None)
    assert pair.cast > 250


def a_span(number: int, **attributes: Any) -> Span:
    return Span(
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        parent_id="p" * 16,
        name="chat",
        kind=SpanKind.CLIENT,
        start_ns=10**18 + number,
        end_ns=10**18 + 10**9,
        attributes={**CHAT, **attributes},
        resource=Resource(attributes={"service.name": "s", "host.name": "a"}),
        scope=Scope(name="lib", version="1"),
    )

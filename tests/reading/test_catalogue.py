"""Who speaks on a span, who claims it, and who is heard."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from corpus import captures
from msgspec import structs

from otel_humanloop.operation import Cost, Kind, Message, Operation, Source, Text, Usage
from otel_humanloop.reading import conventions, read
from otel_humanloop.reading.catalogue import Catalogue
from otel_humanloop.reading.convention import Convention, Fields, Rank, Reader, discover
from otel_humanloop.reading.readers import gathered, identifier, json_object, mapped, one_of, present, text
from otel_humanloop.reading.usage import tokens
from otel_humanloop.spans import Event, Scope, Span


def span(scope: str = "my.app", **attributes: Any) -> Span:
    """A span with these attributes; `__` in a name is a dot."""
    dotted = {name.replace("__", "."): value for name, value in attributes.items()}
    return Span(trace_id="1" * 32, span_id="2" * 16, attributes=dotted, scope=Scope(name=scope))


KINDS = {kind.value: kind for kind in Kind}

FIRST = Convention(
    name="first",
    rank=Rank.STRUCTURED,
    keys=("one.",),
    fields=Fields(
        kind=one_of(KINDS, "one.kind"),
        user=identifier("one.user"),
        request_model=identifier("one.model"),
        messages=mapped(text("one.messages"), lambda _: ()),
        usage=tokens(prompt_tokens="one.in"),
        parameters=gathered({"temperature": identifier("one.temperature")}),
    ),
)
SECOND = Convention(
    name="second",
    rank=Rank.BLOB,
    keys=("two.", "session"),
    presumed_kind=present(Kind.CHAIN, "two.model"),
    fields=Fields(
        user=identifier("two.user"),
        conversation=identifier("session"),
        request_model=identifier("two.model"),
        messages=mapped(text("two.messages"), lambda _: ()),
        output_messages=mapped(text("two.output"), lambda _: ()),
        usage=tokens(prompt_tokens="two.in", output_tokens="two.out"),
        parameters=json_object("two.parameters"),
    ),
)
FRAMEWORK = Convention(
    name="framework",
    rank=Rank.FRAMEWORK,
    scopes=("acme", "acme.sdk."),
    fields=Fields(kind=one_of(KINDS, "kind"), user=identifier("user")),
)
BOTH = Catalogue([FRAMEWORK, FIRST, SECOND])


def test_the_higher_rank_is_heard_and_the_lower_where_it_says_nothing():
    reading = BOTH.read(span(one__kind="model", one__model="a", two__model="b", two__user="u"))
    assert reading.operation == Operation(kind=Kind.MODEL, request_model="a", user="u")
    assert reading.sources == {
        "kind": Source(convention="first", key="one.kind"),
        "request_model": Source(convention="first", key="one.model"),
        "user": Source(convention="second", key="two.user"),
    }
    assert reading.conventions == ("first", "second")


def test_a_key_nobody_heard_is_left_and_one_that_says_the_same_is_not():
    said_other = BOTH.read(span(one__kind="model", one__model="a", two__model="b"))
    assert said_other.taken == {"one.kind", "one.model"}
    said_the_same = BOTH.read(span(one__kind="model", one__model="a", two__model="a"))
    assert said_the_same.taken == {"one.kind", "one.model", "two.model"}


def test_messages_in_and_out_come_from_one():
    reading = BOTH.read(span(one__kind="model", one__messages="m", two__messages="m", two__output="o"))
    assert reading.operation.messages == ()
    assert reading.operation.output_messages is None
    assert reading.sources["messages"].convention == "first"
    assert {"two.messages", "two.output"} <= reading.taken


def test_usage_and_parameters_are_completed_part_by_part():
    reading = BOTH.read(
        span(one__kind="model", one__in=1, two__in=9, two__out=0, one__temperature="1", two__parameters='{"seed": 7}')
    )
    assert reading.operation.usage == Usage(prompt_tokens=1, output_tokens=0)
    assert reading.operation.parameters == {"temperature": "1", "seed": 7}
    assert reading.sources["usage"] == Source(convention="first", key="one.in")
    assert reading.sources["usage.output_tokens"] == Source(convention="second", key="two.out")
    assert reading.sources["parameters.seed"] == Source(convention="second", key="two.parameters")


def test_a_span_nobody_claims_is_a_step_whose_fields_are_read():
    reading = BOTH.read(span(session="s", one__user="u"))
    assert (reading.operation.kind, reading.conventions) == (Kind.STEP, ())
    assert (reading.operation.conversation, reading.operation.user) == ("s", "u")
    assert "kind" not in reading.sources


def test_a_kind_that_is_stated_goes_before_one_that_is_presumed():
    assert BOTH.read(span(two__model="b")).operation.kind is Kind.CHAIN
    assert BOTH.read(span(two__model="b", one__kind="tool")).operation.kind is Kind.TOOL


def test_a_presumed_chain_yields_to_what_is_more_particular():
    chain = Convention(
        name="chain", rank=Rank.EXPLICIT, keys=("c",), presumed_kind=present(Kind.CHAIN, "c"), fields=Fields()
    )
    tool = Convention(name="tool", rank=Rank.BARE, keys=("t",), presumed_kind=present(Kind.TOOL, "t"), fields=Fields())
    assert Catalogue([chain, tool]).read(span(c=1, t=1)).operation.kind is Kind.TOOL


@pytest.mark.parametrize(
    ("scope", "claimed"), [("acme", True), ("acme.sdk.chat", True), ("acme.other", False), ("my.app", False)]
)
def test_a_dialect_is_heard_in_its_own_scopes_only(scope: str, claimed: bool):
    assert BOTH.read(span(scope, kind="agent", user="u")).conventions == (("framework",) if claimed else ())


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({"humanloop__project": "p", "humanloop__session": "s", "humanloop__inputs": '{"a": 1}'}, Kind.STEP),
        ({"humanloop__output": "done"}, Kind.CHAIN),
        ({"humanloop__kind": "tool"}, Kind.TOOL),
        ({"gen_ai__conversation__id": "c", "gen_ai__agent__name": "a"}, Kind.STEP),
        ({"traceloop__workflow__name": "w", "traceloop__association__properties__user_id": "u"}, Kind.STEP),
        ({"session__id": "s", "user__id": "u"}, Kind.STEP),
        ({"gen_ai__request__model": "m"}, Kind.MODEL),
        ({"gen_ai__tool__name": "t"}, Kind.TOOL),
        ({"gen_ai__operation__name": "of tomorrow", "gen_ai__request__model": "m"}, Kind.MODEL),
        ({"llm__request__type": "embedding", "gen_ai__request__model": "m"}, Kind.EMBEDDING),
        ({"openinference__span__kind": "RETRIEVER"}, Kind.RETRIEVAL),
        ({"openinference__span__kind": "UNKNOWN", "input__value": "x"}, Kind.STEP),
        ({"openinference__span__kind": "GUARDRAIL"}, Kind.GUARDRAIL),
    ],
)
def test_what_makes_a_span_an_ai_operation(attributes: dict[str, Any], kind: Kind):
    reading = read(span(**attributes))
    assert reading.operation.kind is kind
    assert bool(reading.conventions) is (kind is not Kind.STEP)


def test_a_step_keeps_what_was_said_of_it():
    step = read(span(humanloop__project="p", session__id="s", user__id=7)).operation
    assert (step.project, step.conversation, step.user) == ("p", "s", "7")


def test_a_completions_prompt_whose_role_is_its_key_is_a_message():
    """As OpenLLMetry 0.40 writes completions, with what a message has no place for left."""
    reading = read(
        span(
            llm__request__type="completion",
            gen_ai__prompt__0__user="Once upon a time",
            gen_ai__completion__0__content=" there was a fox.",
            gen_ai__completion__0__logprobs="{}",
        )
    )
    assert reading.operation.endpoint == "complete"
    assert reading.operation.messages == (Message(role="user", parts=(Text(text="Once upon a time"),)),)
    assert reading.operation.output_messages == (Message(role="assistant", parts=(Text(text=" there was a fox."),)),)
    assert "gen_ai.completion.0.logprobs" not in reading.taken


@pytest.mark.parametrize(
    ("written", "inputs"),
    [
        ('{"args": [], "kwargs": {}}', {}),
        ('{"args": [1], "kwargs": {"args": 2}}', {"args": [1], "kwargs": {"args": 2}}),
        ('{"args": [1], "kwargs": {}, "more": 1}', {"args": [1], "kwargs": {}, "more": 1}),
        ('{"question": "who"}', {"question": "who"}),
        ('"who"', {"input": "who"}),
        ('{"args": ["cut', {"input": '{"args": ["cut'}),
    ],
)
def test_what_a_decorated_function_was_given_is_an_object(written: str, inputs: dict[str, Any]):
    decorated = read(span(traceloop__span__kind="task", traceloop__entity__input=written))
    assert decorated.operation.inputs == inputs


@pytest.mark.parametrize(
    ("kind", "attributes", "expected"),
    [
        (
            "RETRIEVER",
            {
                "input__value": "who",
                "retrieval__documents__0__document__id": "d1",
                "retrieval__documents__0__document__content": "text",
                "retrieval__documents__0__document__score": 0.5,
                "retrieval__documents__0__document__metadata": '{"page": 3}',
            },
            Operation(
                kind=Kind.RETRIEVAL,
                inputs={"input": "who"},
                documents=({"id": "d1", "content": "text", "score": 0.5, "metadata": {"page": 3}},),
            ),
        ),
        (
            "TOOL",
            {"tool__name": "f", "input__value": "{}", "input__mime_type": "application/json", "output__value": "42"},
            Operation(kind=Kind.TOOL, name="f", inputs={}, output="42"),
        ),
        (
            "AGENT",
            {"agent__name": "a", "input__value": "hi", "output__value": "[1]", "output__mime_type": "application/json"},
            Operation(kind=Kind.AGENT, name="a", inputs={"input": "hi"}, output=[1]),
        ),
        (
            "LLM",
            {
                "input__value": '{"messages": [{"role": "user", "content": "hi"}]}',
                "output__value": '{"id": "r1", "choices": [{"message": {"content": "yo"}, "finish_reason": "stop"}]}',
                "llm__cost__total": 0.25,
            },
            Operation(
                kind=Kind.MODEL,
                messages=(Message(role="user", parts=(Text(text="hi"),)),),
                output_messages=(Message(role="assistant", parts=(Text(text="yo"),), finish_reason="stop"),),
                finish_reasons=("stop",),
                response_id="r1",
                cost=Cost(total=0.25),
            ),
        ),
    ],
)
def test_openinference_by_its_published_keys(kind: str, attributes: dict[str, Any], expected: Operation):
    """Kinds of span the corpus has no capture of yet."""
    assert read(span(openinference__span__kind=kind, **attributes)).operation == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (
            {
                "gen_ai__operation__name": "invoke_agent",
                "gen_ai__agent__name": "planner",
                "gen_ai__agent__description": "plans",
                "gen_ai__system_instructions": '[{"type": "text", "content": "be kind"}]',
                "gen_ai__input__messages": '[{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]',
            },
            Operation(
                kind=Kind.AGENT,
                name="planner",
                description="plans",
                messages=(
                    Message(role="system", parts=(Text(text="be kind"),)),
                    Message(role="user", parts=(Text(text="hi"),)),
                ),
            ),
        ),
        (
            {
                "gen_ai__operation__name": "retrieval",
                "gen_ai__retrieval__query__text": "who",
                "gen_ai__retrieval__documents": '[{"id": "d1", "score": 0.5}]',
            },
            Operation(kind=Kind.RETRIEVAL, inputs={"query": "who"}, documents=({"id": "d1", "score": 0.5},)),
        ),
        (
            {
                "gen_ai__operation__name": "execute_tool",
                "gen_ai__tool__name": "f",
                "gen_ai__tool__call__id": "call_1",
                "gen_ai__tool__call__arguments": "Paris",
                "gen_ai__tool__call__result": "007",
            },
            Operation(kind=Kind.TOOL, name="f", tool_call_id="call_1", inputs={"input": "Paris"}, output="007"),
        ),
        (
            {"gen_ai__operation__name": "invoke_workflow", "gen_ai__workflow__name": "w"},
            Operation(kind=Kind.CHAIN, name="w"),
        ),
    ],
)
def test_opentelemetry_genai_by_its_published_keys(attributes: dict[str, Any], expected: Operation):
    """Operations the corpus has no capture of yet."""
    assert read(span(**attributes)).operation == expected


def test_every_field_of_an_operation_has_a_reader_and_every_reader_a_field():
    assert set(Fields.__struct_fields__) == set(Operation.__struct_fields__)


def test_each_convention_stands_in_a_file_of_its_name():
    for convention in discover(conventions):
        module = importlib.import_module(f"{conventions.__name__}.{convention.name}")
        assert module.CONVENTION is convention


NEW_CONVENTION = '''"""Acme's own."""

from otel_humanloop.operation import Kind
from otel_humanloop.reading.convention import Convention, Fields, Rank
from otel_humanloop.reading.readers import one_of, text

CONVENTION = Convention(
    name="acme",
    rank=Rank.FRAMEWORK,
    scopes=("acme.sdk",),
    fields=Fields(kind=one_of({"llm": Kind.MODEL}, "acme.kind"), request_model=text("acme.model")),
)
'''


def test_a_new_convention_is_one_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "conventions_and_one_more"
    shutil.copytree(Path(conventions.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "acme.py").write_text(NEW_CONVENTION, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        catalogue = Catalogue(discover(importlib.import_module(folder.name)))
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == folder.name]:
            del sys.modules[name]
    acme = catalogue.read(span("acme.sdk", acme__kind="llm", acme__model="m", session__id="s"))
    assert acme.conventions == ("acme",)
    assert (acme.operation.request_model, acme.operation.conversation) == ("m", "s")
    [chat] = captures.spans("traceloop-openai-0.62.4/chat")
    assert catalogue.read(chat) == read(chat)


def test_a_file_without_a_convention_is_found_out_at_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "conventions_with_a_stray"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "stray.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(TypeError, match=r"conventions_with_a_stray\.stray has no CONVENTION"):
        discover(importlib.import_module(folder.name))


def test_a_reader_is_asked_only_of_spans_that_have_what_it_looks_for():
    asked: list[str] = []

    def reader(name: str, **looked_for: Any) -> Reader[Any]:
        def look(_: Span) -> None:
            asked.append(name)

        return Reader(look, **looked_for)

    fields = Fields(
        user=reader("a key", keys=("ns.user",)),
        name=reader("another key", keys=("ns.name",)),
        output=reader("a family", keys=("ns.out.",)),
        inputs=reader("an event", events=("ns.asked",)),
        error=reader("no key", keys=()),
    )
    catalogue = Catalogue([Convention(name="ns", rank=Rank.FRAMEWORK, keys=("ns.",), fields=fields)])
    catalogue.read(span("any", ns__user="u", ns__out__0="o"))
    assert sorted(asked) == ["a family", "a key", "no key"]
    asked.clear()
    catalogue.read(structs.replace(span("any", ns__x=1), events=(Event(name="ns.asked"),)))
    assert sorted(asked) == ["an event", "no key"]


def test_only_the_conventions_a_span_shows_signs_of_are_asked():
    asked: list[str] = []

    def convention(name: str, **found_by: Any) -> Convention:
        def kind(_: Span) -> None:
            asked.append(name)

        return Convention(name=name, rank=Rank.FRAMEWORK, fields=Fields(kind=Reader(kind)), **found_by)

    catalogue = Catalogue(
        [
            *(convention(f"scope {number}", scopes=(f"scope.{number}",)) for number in range(30)),
            *(convention(f"key {number}", keys=(f"ns{number}.",)) for number in range(30)),
        ]
    )
    catalogue.read(span("scope.3", ns5__x=1, ns5__y=2, other=1))
    assert sorted(asked) == ["key 5", "scope 3"]

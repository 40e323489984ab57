"""Readers take what an attribute holds for what it is meant to be, and never raise."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_humanloop.reading import families, jsontext, readers
from otel_humanloop.reading.convention import Found
from otel_humanloop.reading.templates import template
from otel_humanloop.spans import Event, Span


def span(attributes: dict[str, Any], *events: Event) -> Span:
    return Span(trace_id="1" * 32, span_id="2" * 16, attributes=attributes, events=events)


def said(reader: Any, value: Any) -> Any:
    """What a reader of the key `k` says of a value; None where it says nothing."""
    found = reader("k")(span({"k": value}))
    return None if found is None else found.value


@pytest.mark.parametrize(
    ("reader", "written", "value"),
    [
        (readers.text, "", ""),
        (readers.text, "a", "a"),
        (readers.text, 1, None),
        (readers.identifier, "", None),
        (readers.identifier, 42, "42"),
        (readers.identifier, True, None),
        pytest.param(readers.identifier, 10**5000, None, id="longer than Python writes"),
        (readers.integer, 0, 0),
        (readers.integer, "7", 7),
        (readers.integer, 7.0, 7),
        (readers.integer, 7.5, None),
        (readers.integer, True, None),
        (readers.integer, "9" * 5000, None),
        (readers.integer, math.inf, None),
        (readers.number, 0.0, 0.0),
        (readers.number, "0.5", 0.5),
        (readers.number, math.nan, None),
        (readers.number, "NaN", None),
        (readers.number, b"1", None),
        (readers.boolean, False, False),
        (readers.boolean, "False", False),
        (readers.boolean, 0, None),
        (readers.json_value, '{"a": [1]}', {"a": [1]}),
        (readers.json_value, '"text"', "text"),
        (readers.json_value, '{"cut": "of', '{"cut": "of'),
        (readers.json_value, '"cut \\ud83d"', "cut ?"),
        (readers.json_value, "null", None),
        (readers.structure, "007", "007"),
        (readers.structure, "1e3", "1e3"),
        (readers.structure, "[1]", [1]),
        (readers.structure, {"a": 1}, {"a": 1}),
        (readers.json_object, "{}", {}),
        (readers.json_object, "[1]", None),
        (readers.json_objects, '[{"a": 1}, 2]', ({"a": 1},)),
        (readers.strings, ["a", 1, "b"], ("a", "b")),
        (readers.strings, '["a"]', ("a",)),
        (readers.strings, "a", ("a",)),
        (readers.strings, [], ()),
        (readers.strings, "", None),
    ],
)
def test_a_value_is_read_as_what_it_is_meant_to_be(reader: Any, written: Any, value: Any):
    assert said(reader, written) == value
    assert type(said(reader, written)) is type(value)


def test_the_first_key_that_holds_something_fitting_is_heard_and_named():
    assert readers.integer("a", "b", "c")(span({"a": "no", "b": 0, "c": 2})) == Found(0, "b", ("b",))


def test_what_is_nested_too_deep_is_kept_as_text_or_left():
    text = "[" * 500 + "]" * 500
    assert said(readers.json_value, text) == text
    value: list[Any] = []
    for _ in range(5000):
        value = [value]
    assert said(readers.json_value, value) is None


def test_a_family_is_a_list_in_the_order_of_its_numbers_with_gaps_closed():
    found = readers.indexed("m")(span({"m.10.role": "c", "m.2.role": "b", "m.0.role": "a", "m.999999999999.x.1.y": 1}))
    assert found is not None
    assert found.value == [{"role": "a"}, {"role": "b"}, {"role": "c"}, {"x": [{"y": 1}]}]
    assert set(found.taken) == {"m.10.role", "m.2.role", "m.0.role", "m.999999999999.x.1.y"}


def test_a_family_takes_only_keys_that_belong_to_it():
    found = readers.indexed("m")(span({"m.0": "text", "m.0.role": "lost", "m.x.role": 1, "mm.0.role": 1, "m": 1}))
    assert found == Found(["text"], "m.*", ("m.0",))


def test_a_family_leaves_what_nothing_has_a_place_for():
    found = readers.indexed("m", {"role"})(span({"m.0.role": "a", "m.0.logprobs": "{}"}))
    assert found == Found([{"role": "a", "logprobs": "{}"}], "m.*", ("m.0.role",))


def test_no_family_is_nothing_said():
    assert readers.indexed("m")(span({"m.role": "a"})) is None


def test_a_key_of_a_family_cannot_nest_without_bound():
    found = readers.indexed("m")(span({"m.0." + ".".join(["k"] * 100_000): 1}))
    assert found is not None
    depth, node = 0, found.value[0]
    while isinstance(node, dict):
        depth, node = depth + 1, next(iter(node.values()))
    assert depth <= families.MAX_SEGMENTS


def test_attributes_by_prefix_go_by_the_rest_of_their_keys():
    found = readers.prefixed("p.")(span({"p.a": 1, "p.b.c": 2, "p.": 3, "q": 4}))
    assert found == Found({"a": 1, "b.c": 2}, "p.*", ("p.a", "p.b.c"))


def test_an_event_is_read_like_a_span():
    reader = readers.in_event("e", readers.text("k"))
    assert reader(span({"k": "on the span"})) is None
    told = reader(span({}, Event(name="e", attributes={"k": "old"}), Event(name="e", attributes={"k": "new"})))
    assert told == Found("new", "event e k")


def test_a_template_doubles_the_braces_of_its_variables_and_of_nothing_else():
    reader = template(readers.text("t"), readers.json_object("v"), version=readers.identifier("n"))
    read = reader(span({"t": 'Hi {name}, {{name}}, {other}, {"a": {b}}', "v": '{"name": "Zoë", "b(": 1}', "n": 3}))
    assert read is not None
    assert read.value.text == 'Hi {{name}}, {{name}}, {other}, {"a": {b}}'
    assert read.value.version == "3"
    assert set(read.taken) == {"t", "n"}


@given(
    st.recursive(
        st.none() | st.floats() | st.text() | st.binary(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_any_value_can_be_written_as_json_text(value: Any):
    assert jsontext.parse(jsontext.write(value)) is not jsontext.NOT_JSON


def test_what_python_cannot_write_either_is_written_as_it_prints():
    assert jsontext.write({"a": {1, 2}, "b": "\ud83d"}) == '{"a": "{1, 2}", "b": "\\ud83d"}'

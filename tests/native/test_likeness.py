"""Whether attributes are those of an example, by the compiled module and by its twin in Python."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_humanloop.logs.likeness import is_like

if not hasattr(is_like, "__wrapped__"):
    pytest.skip("not built, or not to be used: make native", allow_module_level=True)

VALUES = st.one_of(
    st.sampled_from([0, 1, True, False, 0.0, -0.0, 1.0, float("nan"), 2**70, None, b"", b"x"]),
    st.sampled_from(["", "x", "[", "[]", "{", "{}", "{]", "[\ud83d", "ä" * 300]),
    st.lists(st.sampled_from(["END", "x"]), max_size=2),
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 1), max_size=1),
)
ATTRIBUTES = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


@given(ATTRIBUTES, ATTRIBUTES, st.sets(st.sampled_from("abc")))
def test_they_agree(attributes: dict[str, Any], others: dict[str, Any], differing: set[str]) -> None:
    for of in (attributes, others):
        example = tuple([(key, type(value), ... if key in differing else value) for key, value in of.items()])
        assert is_like(attributes, example) == is_like.__wrapped__(attributes, example)
        assert is_like(dict(attributes), example) == is_like.__wrapped__(dict(attributes), example)

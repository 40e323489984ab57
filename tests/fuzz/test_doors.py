"""Nothing that comes through a door makes us raise: what was found before, and mutants of the corpus for a moment."""

from __future__ import annotations

import pytest
from fuzz.doors import DOORS, FINDINGS, corpus, fuzz
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("door", DOORS)
def test_what_is_known_and_what_was_found_may_enter(door: str) -> None:
    known = corpus(door)
    assert known or door == "logs-protobuf"
    for data in known:
        DOORS[door](data)


@pytest.mark.parametrize("door", DOORS)
def test_mutants_of_it_may_enter(door: str) -> None:
    if corpus(door):
        assert fuzz(door, seconds=1) > 10


@pytest.mark.slow
@pytest.mark.parametrize("door", DOORS)
def test_many_mutants_may_enter(door: str) -> None:
    if corpus(door):
        fuzz(door, seconds=60, seed=1)


@given(data=st.binary(max_size=200))
def test_any_bytes_may_enter_any_door(data: bytes) -> None:
    for enter in DOORS.values():
        enter(data)


def test_findings_are_named_after_their_door() -> None:
    assert all(path.name.rpartition("-")[0] in DOORS for path in FINDINGS.glob("*"))

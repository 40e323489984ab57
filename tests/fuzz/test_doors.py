"""Nothing that comes through a door makes us raise: what was found before, mutants of what is known, and any bytes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fuzz import network_doors
from fuzz.doors import DOORS, corpus, door_of, found
from fuzz.mutants import FINDINGS, try_mutants
from hypothesis import given, settings
from hypothesis import strategies as st

SLOW = {"v4": 15, "otlp-grpc": 15, "otlp-http": 15, "import": 3, "import-vendor": 3, "spool-file": 30, "otlp-json": 30}
"""How many mutants a door is tried with that takes milliseconds for each."""


@pytest.fixture(scope="module", autouse=True)
def _at_rest_afterwards() -> Iterator[None]:
    yield
    network_doors.close()


@pytest.mark.parametrize("name", DOORS)
def test_what_was_found_once_may_enter(name: str) -> None:
    for data in found(name):
        DOORS[name].enter(data)


@pytest.mark.parametrize("name", DOORS)
def test_what_is_known_and_mutants_of_it_may_enter(name: str) -> None:
    known = corpus(name)
    assert known
    for data in known[:5]:
        DOORS[name].enter(data)
    assert try_mutants(name, DOORS[name], known, tries=SLOW.get(name, 60))


@pytest.mark.parametrize("name", DOORS)
def test_any_bytes_may_enter(name: str) -> None:
    @settings(max_examples=3 if "import" in name else 10)
    @given(data=st.binary(max_size=200))
    def entering(data: bytes) -> None:
        DOORS[name].enter(data)

    entering()


def test_findings_are_named_after_their_door() -> None:
    assert all(door_of(path) in DOORS for path in FINDINGS.glob("*"))

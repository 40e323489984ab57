"""What captured calls of models hold arrives in Humanloop, all of it."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
import scorecard


@cache
def cells() -> tuple[scorecard.Cell, ...]:
    return tuple(scorecard.cells())


@pytest.mark.parametrize("field", ["one log", *scorecard.FIELDS])
def test_everything_a_captured_call_holds_is_in_its_log(field: str) -> None:
    held = [cell for cell in cells() if cell.field == field]
    assert held
    assert [(cell.where, cell.wanted, cell.found) for cell in held if not cell.right] == []


def test_the_corpus_holds_enough_of_every_field_to_tell() -> None:
    held = Counter(cell.field for cell in cells())
    assert len({cell.instrumentation for cell in cells()}) >= 14
    assert held["one log"] > 300
    assert min(held.values()) > 15

"""An edge lets nothing of ours out, and says so."""

from __future__ import annotations

import logging

import pytest

from otel_humanloop.edge import Edge
from otel_humanloop.notices import Notices


def divided(edge: Edge, number: int) -> str:
    with edge:
        return f"{6 // number}"
    return "behind it"


@pytest.fixture
def edge() -> Edge:
    return Edge(Notices(), "divided", "a number was lost")


def test_what_goes_well_returns_from_within_and_nothing_is_said(edge: Edge, caplog: pytest.LogCaptureFixture) -> None:
    assert divided(edge, 2) == "3"
    assert caplog.records == []


def test_an_error_ends_there_and_is_told_with_its_place_and_not_its_words(
    edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "otel_humanloop"):
        assert divided(edge, 0) == "behind it"
        assert divided(edge, 0) == "behind it"
    (told,) = caplog.messages
    assert told.startswith("a number was lost\nbuiltins.ZeroDivisionError raised\n")
    assert "in divided" in told
    assert "by zero" not in told


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_whoever_is_being_ended_is_not_held_up(edge: Edge, ending: type[BaseException]) -> None:
    with pytest.raises(ending), edge:
        raise ending

"""Text from elsewhere on a line of a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_humanloop.cli.text import cells, clean, share, shorten

# What hypothesis seldom finds by itself: escape sequences, C1 controls, overrides of direction, separators.
HOSTILE = st.sampled_from(
    [
        "\x1b[31m",
        "\x1b]8;;http://x\x07",
        "\x9b2J",
        "\u202e",
        "\u2066",
        "\u2028",
        "\r",
        "\n",
        "\t",
        "\x00",
        "\x7f",
        "\ud800",
    ]
)
ANY_TEXT = st.lists(st.text() | HOSTILE).map("".join)


@given(text=ANY_TEXT)
def test_clean_text_holds_nothing_a_terminal_obeys(text: str) -> None:
    for character in clean(text):
        assert unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
        assert unicodedata.bidirectional(character) not in (
            "LRE",
            "RLE",
            "LRO",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        )


@given(text=ANY_TEXT)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(text=ANY_TEXT, width=st.integers(0, 40))
def test_shortened_text_fits_and_is_whole_where_there_is_room(text: str, width: int) -> None:
    shown = shorten(text, width)
    assert cells(shown) <= width
    if shown == clean(text):
        return
    assert shown.endswith("…") or width == 0
    assert cells(clean(text)) > width


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("Sweden", 6, "Sweden"),
        ("Sweden", 5, "Swed…"),
        ("two\n  lines\tand tabs ", 40, "two lines and tabs"),
        ("the end.   ", 8, "the end."),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("e\u0301a", 2, "e\u0301a"),
        ("\x1b[2Jgone", 40, "␛[2Jgone"),
        (" " * 10_000 + "late", 10, "late"),
        ("two" + " " * 10_000 + "words", 9, "two words"),
        ("x" * 10_000_000, 4, "xxx…"),
    ],
)
def test_examples_of_shortened_text(text: str, width: int, shown: str) -> None:
    assert shorten(text, width) == shown


@pytest.mark.parametrize(
    ("natural", "room", "widths"),
    [
        ([3, 4], 20, [3, 4]),
        ([3, 100], 20, [3, 17]),
        ([100, 3, 100], 43, [20, 3, 20]),
        ([100, 100], 4, [8, 8]),
        ([], 10, []),
    ],
)
def test_short_texts_keep_their_width_and_long_ones_share_the_rest(
    natural: list[int], room: int, widths: list[int]
) -> None:
    assert share(natural, room) == widths

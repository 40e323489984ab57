"""The twin that finds words."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_humanloop import native
from otel_humanloop.server.store.texts import each_once

pytestmark = pytest.mark.skipif(native.module("words") is None, reason="not built: make native")

python: Any = getattr(each_once, "__wrapped__", None)

LENGTHS = [1, 2, 6, 7, 8, 9, 40]
"""Of words: what is shorter than eight bytes goes another way than what is not."""

words = st.sampled_from(LENGTHS).flatmap(lambda size: st.text("abB0é日\U0001f600", min_size=size, max_size=size))
gaps = st.text(' \x00\n"\\{}:,_-.\x7f', min_size=1, max_size=10)
texts = st.lists(words | gaps, max_size=60).map("".join) | st.text()


@given(texts)
def test_it_finds_what_python_finds(text: str) -> None:
    assert each_once(text) == python(text)


@pytest.mark.parametrize("length", LENGTHS)
def test_it_finds_as_many_words_as_there_are(length: int) -> None:
    text = " ".join(
        f"{first}{second}{'x' * length}{n}" for first in string.ascii_letters for second in "abc" for n in range(99)
    )
    assert each_once(f"{text} {text}") == python(text)


def test_it_refuses_what_is_no_text_and_no_unicode() -> None:
    with pytest.raises(TypeError):
        each_once(b"bytes")  # type: ignore[arg-type]
    for twin in (each_once, python):
        with pytest.raises(UnicodeEncodeError):
            twin("half of a pair: \ud800")

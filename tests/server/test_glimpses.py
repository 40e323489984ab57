"""What is kept of a log's content for lists is what the content says, and changes with it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from support_server import Api

from otel_humanloop.server.lines import line
from otel_humanloop.server.store import Store
from otel_humanloop.server.store.glimpses import GLIMPSE, MOST_INPUTS, Glimpse, decode, glimpse_of
from otel_humanloop.server.store.records import CONTENT, Content
from otel_humanloop.server.store.schema import logs

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def content(**said: object) -> Content:
    return Content(**{name: msgspec.Raw(msgspec.json.encode(value)) for name, value in said.items()})


def kept(store: Store) -> Glimpse:
    return decode(store.read(lambda tx: tx.execute(select(logs.c.glimpse)).scalar_one()))


def test_a_glimpse_shows_the_first_of_everything_on_one_line() -> None:
    seen = decode(
        glimpse_of(
            content(
                inputs={"question": "who\nwon?", "n": 3, "list": [1, 2]},
                output="x" * 1_000,
                error="a\x1b[31mb",
                output_message={"role": "assistant", "tool_calls": [{"function": {"name": "search"}}, "junk"]},
                metadata={"user": "ada", "warnings": ["cut off"], "other": {"user": "not this"}},
            )
        )
    )
    assert seen.inputs == [("question", "who won?"), ("n", "3"), ("list", "[1,2]")]
    assert seen.output == "x" * GLIMPSE + "…"
    assert seen.error == "a␛[31mb"
    assert seen.calls == ["search", ""]
    assert (seen.user, seen.warnings) == ("ada", ["cut off"])


def test_nothing_said_and_an_empty_text_are_two_things() -> None:
    assert decode(glimpse_of(Content())) == Glimpse()
    assert decode(glimpse_of(content(output=""))).output == ""
    assert decode(glimpse_of(content(output=None))).output is None


@given(
    st.text('ab \t\n\x1b"\\é\u202e', max_size=40),
    st.text("ab ", max_size=3),
    st.sampled_from([0, 1, 50, 160, 161, 700]),
)
def test_a_text_of_any_length_is_shown_as_its_line(start: str, part: str, times: int) -> None:
    said = start + part * times
    assert decode(glimpse_of(content(output=said, error=said))) == Glimpse(
        output=line(said, GLIMPSE), error=line(said, GLIMPSE)
    )


def test_inputs_beyond_the_most_are_counted() -> None:
    seen = decode(glimpse_of(content(inputs={f"name {number}": number for number in range(MOST_INPUTS + 5)})))
    assert (len(seen.inputs), seen.more_inputs) == (MOST_INPUTS, 5)


@given(st.dictionaries(st.sampled_from(CONTENT), JSON))
def test_every_content_has_a_glimpse(said: dict[str, object]) -> None:
    seen = decode(glimpse_of(content(**said)))
    texts = [
        seen.output,
        seen.error,
        seen.user,
        *seen.calls,
        *seen.warnings,
        *(text for pair in seen.inputs for text in pair),
    ]
    assert all("\n" not in text and len(text) <= 301 for text in texts if text is not None)


@pytest.mark.parametrize("save", [True, False])
def test_it_is_kept_with_the_log_and_changes_with_it(store: Store, api: Api, save: bool) -> None:
    log = api.log(project="shop", inputs={"question": "which?"}, save=save)
    assert kept(store).inputs == ([("question", "which?")] if save else [])
    api.ask("PATCH", f"logs/{log['id']}", json={"output": "this", "error": "late"})
    assert kept(store).output == ("this" if save else None)
    assert kept(store).error == "late"

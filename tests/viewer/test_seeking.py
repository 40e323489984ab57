"""Words of any frequency are found in every order of the list, page after page, whenever their logs came."""

from __future__ import annotations

import random
from functools import partial

import msgspec
import pytest
from starlette.datastructures import QueryParams

from otel_humanloop.server.configs import config_draft
from otel_humanloop.server.store import Store
from otel_humanloop.server.store.posting import post
from otel_humanloop.server.store.records import Content, LogDraft
from otel_humanloop.server.viewer.filters import Filters, filters_of
from otel_humanloop.server.viewer.finding import find

NUMBER = 700  # sessions: more than are looked into at once, several times over
EVERY = {"common": 2, "sparse": 41, "scattered": 290, "unique": NUMBER}
"""Each so many sessions hold the word."""


def draft(number: int) -> LogDraft:
    said = " ".join(word for word, every in EVERY.items() if number % every == every // 2)
    raw = {"output": said, "metadata": {"user": "often" if number % 2 else f"user-{number}"}}
    return LogDraft(
        project="p",
        session_reference_id=str(number),
        reference_id="log",
        created_at=1_700_000_000_000_000 + number * 1_000_000,
        config=config_draft({"type": "tool", "name": "t"}, ()),
        content=Content(**{name: msgspec.Raw(msgspec.json.encode(value)) for name, value in raw.items()}),
    )


def pages(store: Store, query: str) -> list[int]:
    """The numbers of the sessions that are listed, from the first page to the last."""
    numbers: list[int] = []
    filters: Filters = filters_of(QueryParams(query))
    while True:
        found = store.search(partial(find, filters=filters))
        numbers.extend(int(session.reference_id or -1) for session in found.sessions)
        if found.older is None:
            return numbers
        filters = msgspec.structs.replace(filters, after=found.older)


@pytest.mark.parametrize("arrival", ["as they began", "in any order", "with much between them"])
def test_every_session_that_holds_the_words_is_listed_once_and_in_order(store: Store, arrival: str) -> None:
    order = list(range(NUMBER))
    if arrival == "in any order":
        random.Random(7).shuffle(order)
    if arrival == "with much between them":
        order = [*order[::2], *order[1::2]]
    for start in range(0, NUMBER, 400):
        store.write(partial(post, drafts=[draft(number) for number in order[start : start + 400]], now=1))
    for word, every in EVERY.items():
        holding = [number for number in range(NUMBER) if number % every == every // 2]
        assert pages(store, f"q={word}") == holding[::-1], word
        assert pages(store, f"q={word}&order=asc") == holding, word
        assert sorted(pages(store, f"q={word}&sort=duration")) == holding, word
    assert pages(store, "q=common+sparse") == [n for n in range(NUMBER) if n % 2 == 1 and n % 41 == 20][::-1]
    assert pages(store, "q=common&user=often") == [n for n in range(NUMBER) if n % 2 == 1][::-1]
    assert pages(store, "q=none+of+these") == []

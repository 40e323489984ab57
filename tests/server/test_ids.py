"""Ids: no two are the same; those of logs come in the order of time, and no other says anything of it."""

from __future__ import annotations

import re

import pytest

from otel_humanloop.server.store import ids
from otel_humanloop.server.store.ids import derived_id, new_id, timely_id


@pytest.mark.parametrize("make", [new_id, timely_id, lambda prefix: derived_id(prefix, b"seed")])
def test_an_id_is_a_prefix_and_21_letters_and_digits(make) -> None:  # type: ignore[no-untyped-def]
    assert re.fullmatch("data_[0-9A-Za-z]{21}", make("data"))


def test_no_two_are_the_same() -> None:
    assert len({timely_id("data") for _ in range(10_000)}) == 10_000
    assert len({new_id("hl_sk")[:13] for _ in range(100)}) == 100


def test_what_is_made_later_comes_later() -> None:
    made = [timely_id("data")[: -(ids._LENGTH - ids._STAMP)] for _ in range(10_000)]
    assert made == sorted(made)
    assert ids._stamp(0) == "0000000"
    assert ids._stamp(61) < ids._stamp(62) == "0000010"
    assert ids._stamp(62**7 - 1) == "zzzzzzz"


def test_the_same_seed_gives_the_same_id() -> None:
    assert derived_id("env", b"production") == "env_ua7L2b3tkzpkRSAkLu6U6"

"""What `Spool` promises, held against every spool of the folder."""

from __future__ import annotations

import itertools
import pkgutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from otel_humanloop.delivery import spools
from otel_humanloop.delivery.spools import MAX_REFUSALS, MAX_REFUSED_BYTES, Lot, Refusal, Spool, open_spool
from otel_humanloop.errors import SettingsError, SpoolFull
from otel_humanloop.spans import Span

URLS = {"memory": "memory:", "sqlite": "sqlite:///{directory}/spool.db"}
OUTLIVES_THE_PROCESS = {"sqlite"}

MAX_SPANS, MAX_BYTES = 5, 1000

every_spool = pytest.mark.parametrize("scheme", sorted(URLS))


def spool_of(scheme: str, directory: Path | str, *, max_spans: int = MAX_SPANS, max_bytes: int = MAX_BYTES) -> Spool:
    return open_spool(URLS[scheme].format(directory=directory), max_spans=max_spans, max_bytes=max_bytes)


def span(number: int, **fields: Any) -> Span:
    return Span(trace_id=f"{number % 3:032x}", span_id=f"{number:016x}", **fields)


def key(span: Span) -> tuple[str, str]:
    return span.trace_id, span.span_id


def refusal(name: str, detail: str = "no", **fields: Any) -> Refusal:
    return Refusal(reference_id=name, status=422, detail=detail, body=b'{"a": 1}', at=1.5, **fields)


def test_every_spool_of_the_folder_is_held_to_its_promises() -> None:
    assert set(URLS) == {module.name for module in pkgutil.iter_modules(spools.__path__)}


numbers = st.integers(0, 7)
sizes = st.integers(1, 400)
entries = st.lists(st.tuples(numbers, sizes), max_size=6)
names = st.sampled_from(["a", "b", "c"])
methods = st.sampled_from(["POST", "PATCH"])


class SpoolMachine(RuleBasedStateMachine):
    """Any order of calls, beside a model of a dictionary of sizes and one of refusals."""

    scheme: str

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.spool = spool_of(self.scheme, self.directory.name)
        self.sizes: dict[tuple[str, str], int] = {}
        self.last: dict[tuple[str, str], Span] = {}
        self.refusals: dict[tuple[str, str], Refusal] = {}
        self.count = itertools.count()

    def fits(self, sizes: dict[tuple[str, str], int]) -> bool:
        return len(sizes) <= MAX_SPANS and sum(sizes.values()) <= MAX_BYTES

    @rule(entries=entries, how=st.sampled_from(["one by one", "together", "in lots"]))
    def keep(self, entries: list[tuple[int, int]], how: str) -> None:
        batch = [(span(number, name=str(next(self.count))), size) for number, size in entries]
        if how == "in lots":
            batch = list({key(kept): (kept, size) for kept, size in batch}.values())  # of which no two are one span
        for part in [[entry] for entry in batch] if how == "one by one" else [batch]:
            after = self.sizes | {key(kept): size for kept, size in part}
            try:
                if how == "one by one":
                    self.spool.keep(*part[0])
                elif how == "together":
                    self.spool.keep_many(part)
                else:
                    self.spool.keep_lots([Lot(entries=part[:2]), Lot(entries=part[2:])])
            except SpoolFull:
                assert not self.fits(after)
            else:
                assert self.fits(after)
                self.sizes = after
                self.last |= {key(kept): kept for kept, _ in part}

    @rule(numbers=st.lists(numbers, max_size=4))
    def release(self, numbers: list[int]) -> None:
        self.spool.release(key(span(number)) for number in numbers)
        for number in numbers:
            self.sizes.pop(key(span(number)), None)
            self.last.pop(key(span(number)), None)

    @rule(name=names, method=methods, project=st.none() | st.text())
    def refuse(self, name: str, method: Any, project: str | None) -> None:
        refused = refusal(name, detail=str(next(self.count)), method=method, project=project)
        self.spool.refuse(refused)
        self.refusals.pop((name, method), None)
        self.refusals[(name, method)] = refused

    @rule(name=names, method=methods)
    def forget(self, name: str, method: Any) -> None:
        self.spool.forget([refusal(name, method=method)])
        self.refusals.pop((name, method), None)

    @precondition(lambda self: self.scheme in OUTLIVES_THE_PROCESS)
    @rule()
    def leave_it_to_another(self) -> None:
        self.spool.close()
        self.spool = spool_of(self.scheme, self.directory.name)
        left = {key(kept): kept for kept in self.spool.waiting()}
        assert left == self.last

    @rule()
    def ask_for_what_others_left(self) -> None:
        assert list(self.spool.waiting()) == []

    @invariant()
    def it_knows_how_much_it_keeps(self) -> None:
        assert self.spool.spans == len(self.sizes)
        assert self.spool.bytes == sum(self.sizes.values())

    @invariant()
    def it_lists_what_was_refused_oldest_first(self) -> None:
        assert list(self.spool.refused()) == list(self.refusals.values())

    def teardown(self) -> None:
        self.spool.close()
        self.spool.close()
        self.directory.cleanup()


@every_spool
def test_any_order_of_calls_keeps_the_promises(scheme: str) -> None:
    machine = type(f"{scheme}Machine", (SpoolMachine,), {"scheme": scheme})
    case = machine.TestCase
    case.settings = hypothesis_settings(max_examples=15, stateful_step_count=20, deadline=None)
    case().runTest()


@every_spool
def test_a_span_larger_than_the_spool_is_refused_and_leaves_the_rest_alone(scheme: str, tmp_path: Path) -> None:
    spool = spool_of(scheme, tmp_path)
    spool.keep(span(1), 10)
    with pytest.raises(SpoolFull):
        spool.keep(span(2), MAX_BYTES + 1)
    with pytest.raises(SpoolFull):
        spool.keep(span(1), MAX_BYTES + 1)
    assert (spool.spans, spool.bytes) == (1, 10)
    spool.close()


@every_spool
def test_several_threads_may_use_one(scheme: str, tmp_path: Path) -> None:
    spool = spool_of(scheme, tmp_path, max_spans=10_000, max_bytes=10**6)

    def use(first: int) -> None:
        for number in range(first, first + 30):
            spool.keep_many([(span(number), 10), (span(number + 100), 10)])
            spool.refuse(refusal(str(number)))
            spool.release([key(span(number))])

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(use, 1000 * number) for number in range(4)]:
            done.result()
    assert (spool.spans, spool.bytes) == (120, 1200)
    assert len(spool.refused()) == 120
    spool.close()


@every_spool
def test_of_too_many_refusals_the_oldest_are_forgotten(scheme: str, tmp_path: Path) -> None:
    spool = spool_of(scheme, tmp_path)
    for number in range(MAX_REFUSALS + 3):
        spool.refuse(refusal(str(number)))
    assert [refused.reference_id for refused in spool.refused()] == [str(n) for n in range(3, MAX_REFUSALS + 3)]
    spool.close()


@every_spool
def test_of_too_large_refusals_the_oldest_are_forgotten_and_the_latest_never_is(scheme: str, tmp_path: Path) -> None:
    spool = spool_of(scheme, tmp_path)
    third = b"x" * (MAX_REFUSED_BYTES // 3)
    for name in "abcd":
        spool.refuse(msgspec.structs.replace(refusal(name), body=third))
    assert [refused.reference_id for refused in spool.refused()] == ["b", "c", "d"]
    spool.refuse(msgspec.structs.replace(refusal("b"), body=third))
    assert [refused.reference_id for refused in spool.refused()] == ["c", "d", "b"]
    spool.forget([refusal("c")])
    spool.refuse(msgspec.structs.replace(refusal("e"), body=third))
    assert [refused.reference_id for refused in spool.refused()] == ["d", "b", "e"]
    spool.refuse(msgspec.structs.replace(refusal("f"), body=third * 4))
    assert [refused.reference_id for refused in spool.refused()] == ["f"]
    spool.close()


@pytest.mark.parametrize("url", ["redis://localhost", "memory", "", "spool.db", "__init__:", "../memory:"])
def test_a_spool_that_does_not_exist_is_an_error_that_names_those_that_do(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_spool(url, max_spans=1, max_bytes=1)
    assert f"HUMANLOOP_SPOOL is `{url}`" in caught.value.message
    for scheme in URLS:
        assert f"`{scheme}:`" in caught.value.message


def test_schemes_are_the_same_in_capitals() -> None:
    assert open_spool("MEMORY:", max_spans=1, max_bytes=1).spans == 0


def test_the_spool_in_memory_has_nothing_to_choose() -> None:
    with pytest.raises(SettingsError, match="just `memory:`"):
        open_spool("memory:large", max_spans=1, max_bytes=1)

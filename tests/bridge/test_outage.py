"""Humanloop away for ten minutes, then there again but in a bad way: on a clock of the test's own."""

from __future__ import annotations

import random
from pathlib import Path

from humanloop import Humanloop
from support_otlp import AGENT, CHAT, HTTP, body, hexadecimal, span

from otel_humanloop.delivery.size import size_of
from otel_humanloop.delivery.spools import open_spool
from otel_humanloop.notices import Notices
from otel_humanloop.pipeline import Counts, Pipeline
from otel_humanloop.settings import load
from otel_humanloop.spans.otlp import PROTOBUF, decode

TEN_MINUTES = 600.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def passes(self, wait: float | None) -> None:
        """Until the pipeline wants to go on, or two seconds later, when new spans wake it."""
        self.now += max(0.01, min(2.0, 2.0 if wait is None else wait))


def test_everything_arrives_once_parents_first_and_the_unacceptable_is_remembered(
    humanloop: Humanloop, tmp_path: Path
) -> None:
    clock = Clock()
    url = f"sqlite:///{tmp_path}/spool.db"
    settings = load({"base_url": humanloop.base_url, "spool": url, "hold": 2 * TEN_MINUTES}, {})
    spool = open_spool(url, max_spans=10_000, max_bytes=1 << 30)
    counts = Counts()
    pipeline = Pipeline(settings, spool=spool, counts=counts, notices=Notices(), notes=spool.notes(), clock=clock)
    traces = range(1, 26)
    sent = [
        each
        for trace in traces
        for each in (
            span(trace, trace * 10, None, AGENT),
            span(trace, trace * 10 + 1, trace * 10, HTTP),
            span(trace, trace * 10 + 2, trace * 10 + 1, CHAT),
        )
    ]
    random.Random(7).shuffle(sent)
    began = clock.now
    requests_of_the_outage = 0

    def take_in(now: float) -> None:
        """Spans go on coming, all through the outage."""
        due = min(len(sent), int(len(traces) * 3 * (now - began) / TEN_MINUTES) + 1) - counts.accepted
        if due > 0:
            for each in decode(body(*sent[counts.accepted : counts.accepted + due]), PROTOBUF):
                spool.keep(each, size_of(each))
                pipeline.add(each, now)

    while clock.now - began < TEN_MINUTES:
        humanloop.answers[:] = [503]
        wait = pipeline.step(take_in, 10)
        clock.passes(wait)
    requests_of_the_outage = len(humanloop.requests)
    assert humanloop.logs() == []
    assert spool.spans > 40
    # Every half minute at most, once it is known to be away.
    assert requests_of_the_outage < 60

    # It is there again, but slow: it takes what it is sent, and answers after nobody waits any longer.
    humanloop.answers.clear()
    humanloop.delays[:] = [0.6, 0.6]
    while humanloop.delays:
        clock.passes(pipeline.step(take_in, 0.2))
    assert humanloop.logs()
    assert counts.sent == 0
    # What it has is sent to it again until its answer is heard, whatever more of it came too late on a busy machine.
    while counts.sent < len(humanloop.logs()):
        clock.passes(pipeline.step(take_in, 10))

    humanloop.answers[:] = [429, 500, 413, 422, 408]
    for _ in range(500):
        wait = pipeline.step(take_in, 10)
        if counts.accepted == len(sent) and not spool.spans:
            break
        clock.passes(wait)
    logs = {log["reference_id"]: log for log in humanloop.logs()}
    refused = {refusal.reference_id for refusal in spool.refused()}
    assert len(humanloop.logs()) == len(logs)
    assert logs.keys() | refused == {hexadecimal(trace * 10 + place) for trace in traces for place in (0, 2)}
    assert not logs.keys() & refused
    delivered: set[str] = set()
    for wave in humanloop.posts()[requests_of_the_outage:]:
        # What is named as a parent has gone out before, in a body that was answered.
        assert all(log.get("parent_reference_id") in {None, *delivered, *refused} for log in wave)
        delivered |= {log["reference_id"] for log in wave}
    assert [counts.dropped, counts.sent] == [{}, len(logs)]
    pipeline.close(delivered=True)
    spool.close()

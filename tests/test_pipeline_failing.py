"""Whatever fails within a step: it is counted, it is tried again, and it is not tried without end at once."""

from __future__ import annotations

import pytest

from otel_humanloop.delivery.spools import open_spool
from otel_humanloop.notices import Notices
from otel_humanloop.pipeline import Counts, Pipeline
from otel_humanloop.settings import load


def test_a_step_that_fails_is_followed_at_once_and_steps_that_go_on_failing_by_longer_and_longer_pauses() -> None:
    counts = Counts()
    spool = open_spool("memory:", max_spans=10, max_bytes=1 << 20)
    pipeline = Pipeline(load({}, environ={}), spool=spool, counts=counts, notices=Notices())

    def fails(_now: float) -> None:
        raise LookupError("not what was expected")

    pauses = [pipeline.step(fails, 1) for _ in range(2000)]
    assert pauses[0] == 0
    assert all(pause is not None for pause in pauses)
    assert sum(pause or 0 for pause in pauses[:100]) > 60
    assert pauses[-1] == 1.0
    assert counts.dropped["internal"] == 2000
    assert pipeline.step(lambda _: None, 1) is None
    assert pipeline.step(fails, 1) == 0
    pipeline.close(delivered=True)


def test_its_message_tells_where_and_not_what(caplog: pytest.LogCaptureFixture) -> None:
    spool = open_spool("memory:", max_spans=10, max_bytes=1 << 20)
    pipeline = Pipeline(load({}, environ={}), spool=spool, counts=Counts(), notices=Notices())

    def fails(_now: float) -> None:
        raise LookupError("the words of a prompt")

    pipeline.step(fails, 1)
    pipeline.close(delivered=True)
    assert "builtins.LookupError raised" in caplog.text
    assert "in fails" in caplog.text
    assert "words" not in caplog.text

"""The benchmarks without their peers: what they say of numbers, and what they are measured with."""

from __future__ import annotations

import json
import os
import time
import xml.etree.ElementTree as ElementTree
from itertools import islice
from pathlib import Path

import msgspec

from benchmarks import capacity, corpus
from benchmarks.__main__ import MEASURES
from benchmarks.contest import Spread, ratios
from benchmarks.contestants.steady import requests
from benchmarks.finding import Target
from benchmarks.kept import Kept
from benchmarks.load import Load, batches
from benchmarks.machine import Watched, machine, watched
from benchmarks.measures import on_end
from benchmarks.plot import plot
from benchmarks.report import HERE, read_limits, row, write
from otel_humanloop.spans.otlp import JSON, PROTOBUF, decode, sift
from otel_humanloop.spans.sdk import from_readable


def test_a_trace_of_the_load_is_a_root_and_three_chats_in_the_order_they_end() -> None:
    spans = Load(seed=1).finished(2)
    assert [span.name for span in spans] == ["chat gpt-4o"] * 3 + ["answer"] + ["chat gpt-4o"] * 3 + ["answer"]
    assert [len(span.attributes or {}) for span in spans[:4]] == [25, 25, 25, 6]
    for chat in spans[:3]:
        assert chat.parent is not None
        assert chat.parent.span_id == spans[3].context.span_id
        said = chat.attributes or {}
        assert 2200 <= len(str(said["gen_ai.input.messages"])) <= 2400
        assert 1900 <= len(str(said["gen_ai.output.messages"])) <= 2100
        assert json.loads(str(said["gen_ai.input.messages"]))[-1]["role"] == "user"


def test_a_deep_trace_is_chains_of_chats() -> None:
    *chats, root = Load(seed=1).finished(1, chats=6, depth=3)
    parents = {span.context.span_id: span.parent.span_id for span in chats if span.parent is not None}
    assert [parents[span.context.span_id] == root.context.span_id for span in chats] == [False, False, True] * 2
    assert parents[chats[0].context.span_id] == chats[1].context.span_id


def test_two_loads_of_one_seed_say_the_same_under_other_ids() -> None:
    one, other = (Load(seed=3).finished(1) for _ in range(2))
    assert [span.attributes for span in one] == [span.attributes for span in other]
    assert one[0].context.trace_id != other[0].context.trace_id


def test_batches_are_of_no_more_than_their_size_and_leave_nothing_out() -> None:
    spans = Load(seed=1).finished(3)
    assert [len(batch) for batch in batches(spans, 5)] == [5, 5, 2]


def test_ratios_are_taken_round_by_round() -> None:
    assert ratios([1.0, 8.0, 3.0], [1.0, 2.0, 1.0]) == Spread(3.0, 1.0, 4.0)


def test_a_target_is_met_by_its_median() -> None:
    assert Target.most("cost", Spread(0.2, 0.1, 0.9), 0.2).met
    assert not Target.most("cost", Spread(0.21, 0.1, 0.9), 0.2).met
    assert Target.least("speed", Spread(100, 1, 200), 100).met
    assert row(Target.least("speed", Spread(99, 1, 200), 100)) == "not met  speed: 99x [1..200] (wanted >= 100x)"


def _figures(ours: float) -> dict[str, list[dict[str, float]]]:
    return {
        "ours": [{"cpu": ours, "both": ours, "spans": 100}] * 2,
        "batch": [{"cpu": 1e-4, "both": 1e-4, "spans": 100}] * 2,
    }


def test_a_run_of_one_measure_leaves_what_was_found_by_others(tmp_path: Path) -> None:
    Kept(tmp_path).keep("on_end", _figures(1e-4), Watched(), ())
    Kept(tmp_path).keep("bridge", {"full": 1}, Watched(), ())
    Kept(tmp_path).keep("on_end", _figures(2e-4), Watched(), ())
    kept = Kept(tmp_path)
    assert {name: run.figures for name, run in kept.runs.items()} == {"on_end": _figures(2e-4), "bridge": {"full": 1}}
    assert {run.machine for run in kept.runs.values()} == {machine()}


def test_the_results_say_what_was_measured_and_what_limits_it(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.keep("on_end", _figures(2e-4), Watched(), ())
    write(tmp_path, kept.runs, {"on_end": on_end})
    said = (tmp_path / "RESULTS.md").read_text()
    assert "| `on_end` on the application's thread, against BatchSpanProcessor | 2x | <= 1.2x | **not met** |" in said
    assert "| HumanloopSpanProcessor | 2 | 2 |" in said
    assert read_limits((HERE / "limits.md").read_text())["on_end"] in said


def test_every_limit_is_of_a_measure() -> None:
    assert set(read_limits((HERE / "limits.md").read_text())) <= set(MEASURES)


def test_the_results_in_the_repository_are_those_of_its_figures(tmp_path: Path) -> None:
    write(tmp_path, Kept(HERE).runs, MEASURES)
    for made in tmp_path.iterdir():
        assert made.read_text() == (HERE / made.name).read_text(), f"make bench ARGS=--write: {made.name} is old"


def test_the_page_that_says_how_it_scales_has_the_numbers_that_were_measured() -> None:
    page = capacity.PAGE.read_text()
    assert capacity.filled(page, Kept(HERE).runs["parts"].figures) == page


def test_cores_for_a_million_spans_are_what_a_span_costs_times_how_many_there_are() -> None:
    chain = {"cpu": {"bridge": [100.0], "server": [300.0, 200.0, 250.0], "PostgreSQL": [90.0]}, "memory": {}}
    chain["memory"] = dict.fromkeys(chain["cpu"], 1e8)
    figures = {"chains": {"postgresql": chain}, "bytes": {"postgresql": 5_000.0}}
    said = capacity.filled(capacity.PAGE.read_text(), figures)
    assert "| Server on PostgreSQL | 250 µs | 4,000 | 100 MB |" in said
    assert "| Server on PostgreSQL | 20,000 | 5 | 9 |" in said
    assert "| into PostgreSQL | 20,000 | 100 MB/s | 8.6 TB a day |" in said
    assert "some 2,400 of these spans a second" in said
    assert "20,000 are 9 installations" in said
    assert "they were 417, with 5.0 GB/s to keep" in said
    assert "Collector that routes" not in said


def test_what_is_done_here_is_not_taken_for_what_others_do() -> None:
    with watched() as seen:
        until = time.process_time() + 0.2
        while time.process_time() < until:
            pass
    assert seen.seconds >= 0.2
    assert 0 <= seen.others <= 1 - 0.15 / seen.seconds / (os.cpu_count() or 1)


_DROPPED = ("dropped_attributes", "dropped_events", "dropped_links")


def test_the_corpus_is_a_load_of_all_captured_spans_under_other_ids_each_time() -> None:
    spans = corpus.finished(2, seed=1)
    assert len({(span.context.trace_id, span.context.span_id) for span in spans}) == len(spans)
    captured = [each for path in corpus.files() for each in decode(path.read_bytes(), JSON)]
    assert len(spans) == 2 * len(captured)
    for made, was in zip(map(from_readable, spans), captured, strict=False):
        # What the SDK dropped of a capture it cannot be told; the ids are others, for so it is meant.
        other = {name: getattr(was, name) for name in ("trace_id", "span_id", "parent_id", "links", *_DROPPED)}
        assert msgspec.structs.replace(made, **other) == was


def test_a_steady_sender_sends_the_same_traces_under_other_ids() -> None:
    sent = list(islice(requests(2048), 4))
    spans = [list(sift(body, PROTOBUF).items) for body in sent]
    assert [len(each) for each in spans] == [2048] * 4
    ids = {(span.trace_id, span.span_id) for each in spans for span in each}
    assert len(ids) == 4 * 2048
    assert {(span.trace_id, span.parent_id) for each in spans for span in each if span.parent_id} <= ids


def test_a_plot_is_svg_with_a_line_for_each_curve() -> None:
    curves = {"spans <&>": [(1.0, 1.0), (10.0, 1.2)], "depth": [(1.0, 1.0), (10.0, 0.8)]}
    root = ElementTree.fromstring(plot(curves, limit=1.3, across="more", up="cost", logarithmic=True))
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    texts = [text.text for text in root.findall("{http://www.w3.org/2000/svg}text")]
    assert len(lines) == 2
    assert {"spans <&>", "depth", "1.3"} <= set(texts)
    first, last = (tuple(map(float, point.split(","))) for point in (lines[0].get("points") or "").split())
    assert first[0] < last[0]
    assert first[1] > last[1]  # what costs more stands higher

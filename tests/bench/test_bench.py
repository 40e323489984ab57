"""The benchmarks without their peers: what they say of numbers, and what they are measured with."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from benchmarks.contest import Spread, ratios
from benchmarks.finding import Finding, Table, Target
from benchmarks.load import Load, batches
from benchmarks.plot import plot
from benchmarks.report import Kept, row


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


def test_a_run_of_one_measure_leaves_what_was_found_by_others(tmp_path: Path) -> None:
    found = Finding("A", "how", [Target.most("cost", Spread(1, 1, 1), 2)], [Table(["a"], [["1"]])], "the limit")
    Kept(tmp_path).keep("a", found)
    Kept(tmp_path).keep("b", found._replace(title="B"))
    kept = Kept(tmp_path)
    assert kept.findings == {"a": found, "b": found._replace(title="B")}
    assert set(kept.machines) == {"a", "b"}


def test_a_plot_is_svg_with_a_line_for_each_curve() -> None:
    curves = {"spans <&>": [(1.0, 1.0), (10.0, 1.2)], "depth": [(1.0, 1.0), (10.0, 0.8)]}
    root = ElementTree.fromstring(plot(curves, limit=1.3, across="more", up="cost"))
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    texts = [text.text for text in root.findall("{http://www.w3.org/2000/svg}text")]
    assert len(lines) == 2
    assert {"spans <&>", "depth", "1.3"} <= set(texts)
    first, last = (tuple(map(float, point.split(","))) for point in (lines[0].get("points") or "").split())
    assert first[0] < last[0]
    assert first[1] > last[1]  # what costs more stands higher

"""The operator's page and the alerts speak of numbers that a bridge tells, and of all of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from otel_humanloop.bridge.door import Code, Door
from otel_humanloop.bridge.keeper import Keeper
from otel_humanloop.bridge.metrics import Metrics
from otel_humanloop.settings import load

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "collector-config/prometheus/alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]


@pytest.fixture(scope="module")
def told() -> dict[str, dict[str, set[str]]]:
    """What a bridge tells that reads from Kafka too: of each sample's name, the values of its labels."""
    keeper = Keeper(load({"spool": "memory:"}, {}))
    metrics = Metrics(keeper)
    Door(keeper, metrics).serves("http")
    metrics.consumes("otlp_spans", lambda: 0)
    samples: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            labels = samples.setdefault(sample.name, {})
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    keeper.shutdown(0)
    return samples


def test_every_number_is_in_the_table_and_every_one_in_it_is_told(told: dict[str, Any]) -> None:
    table = PAGE.partition("<!-- metrics")[2].partition("<!-- end -->")[0]
    parts = re.compile(r"_(bucket|count|sum)$")
    ours = {parts.sub("", name) for name in told if name.startswith("otel_humanloop_")}
    assert set(re.findall(r"`(otel_humanloop_\w+)`", table)) == ours
    assert set(re.findall(r"`(\w+)`", table.partition("and `code`:")[2].partition(" |")[0])) == {
        code.value for code in Code
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_what_is_told(rule: dict[str, Any], told: dict[str, dict[str, set[str]]]) -> None:
    named = re.findall(r"(otel_humanloop_\w+)(?:\{(\w+)=~?\"([^\"]+)\"\})?", rule["expr"])
    assert named
    for name, label, values in named:
        assert name in told
        if label:
            assert set(values.split("|")) <= told[name][label]


def test_the_page_says_of_every_alert_what_to_do() -> None:
    assert re.findall(r"^\| `([A-Z]\w+)` \|", PAGE, re.MULTILINE) == [rule["alert"] for rule in RULES]


def test_what_the_panels_ask_for_is_told(told: dict[str, Any]) -> None:
    panels = PAGE.partition("```promql\n")[2].partition("```")[0]
    names = re.findall(r"(?:otel_humanloop|process)_\w+", panels)
    assert len(names) == 6
    assert {name for name in names if name.startswith("otel_")} <= told.keys()

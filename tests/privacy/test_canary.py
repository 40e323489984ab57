"""A canary in every place a span can hold a text, and nowhere among the bytes that leave or are kept."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from corpus import captures
from humanloop import Humanloop
from privacy.canary import CANARY, FILES, KEPT, MODES, ONE_OF_EACH, all_of, found_in, names_in, singing, sung
from readables import readable

from otel_humanloop import HumanloopSpanExporter
from otel_humanloop.logs.build import build_log
from otel_humanloop.logs.draft import draft
from otel_humanloop.logs.encode import encode
from otel_humanloop.logs.moves import Create
from otel_humanloop.logs.redact import Redactor
from otel_humanloop.notices import Notices
from otel_humanloop.reading import conventions
from otel_humanloop.reading.convention import discover
from otel_humanloop.settings import load
from otel_humanloop.spans import LogRecord, Resource, Scope, Span

CONVENTIONS = discover(conventions)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_no_byte_that_leaves_or_is_kept_holds_it(
    name: str, mode: str, humanloop: Humanloop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, "otel_humanloop")
    spans = [singing(span, mode) for span in captures.spans(name)]
    settings = {"spool": f"sqlite:///{tmp_path}/spool.db", "spans": "all", "hold": 0, **MODES[mode]}
    while_down = HumanloopSpanExporter(base_url="http://127.0.0.1:1/v4", **settings)
    while_down.export([readable(span) for span in spans])
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    names = names_in(spans, mode)
    assert spans[0].span_id.encode() in kept
    assert found_in(kept, but=names) == []
    while_down.shutdown(timeout_millis=0)
    deadline = time.monotonic() + 60
    while list(tmp_path.glob("spool.db-owner-*")):  # until its thread's request has failed, the spans are its own
        assert time.monotonic() < deadline
    afterwards = HumanloopSpanExporter(base_url=humanloop.base_url, **settings)
    assert afterwards.force_flush()
    afterwards.shutdown()
    sent = json.dumps([body for _, _, body in humanloop.requests], ensure_ascii=False).encode()
    assert any(span.span_id.encode() in sent for span in spans)
    assert found_in(sent, but=names) == []
    assert found_in(b"".join(path.read_bytes() for path in tmp_path.iterdir()), but=names) == []
    said = "".join(logging.Formatter().format(record) for record in caplog.records)
    assert found_in(said.encode()) == []


@pytest.mark.parametrize("mode", ["without content", "redacted"])
@pytest.mark.parametrize("name", FILES)
def test_nothing_of_any_captured_span_passes(name: str, mode: str) -> None:
    settings = load(MODES[mode], environ={})
    redactor = Redactor(settings, notices=Notices())
    for span in captures.spans(name):
        song = singing(span, mode)
        names = names_in([song], mode)
        passed = redactor.span(song)
        create = Create(key=("1", "2"), draft=draft(passed), parent=None, session="s", user=None)
        assert found_in(msgspec.msgpack.encode(passed), but=names) == []
        assert found_in(encode(redactor.log(build_log(create, settings))), but=names) == []


def test_a_pattern_is_met_in_keys_too() -> None:
    redactor = Redactor(load(MODES["redacted"], environ={}), notices=Notices())
    keys = {CANARY: 1, f"a.{CANARY}": "x", f"b.{CANARY}": "y", "inside": {CANARY: [{CANARY: 2}]}}
    span = Span(trace_id="1" * 32, span_id="2" * 16, attributes={**keys, "json": json.dumps(keys)})
    passed = redactor.span(span)
    assert found_in(msgspec.msgpack.encode(passed)) == []
    assert {"a.[redacted:value]": "x", "b.[redacted:value]": "y"}.items() <= passed.attributes.items()


def test_without_redaction_it_is_found(humanloop: Humanloop) -> None:
    exporter = HumanloopSpanExporter(base_url=humanloop.base_url, hold=0)
    exporter.export([readable(all_of(captures.spans(FILES[0])[0]))])
    assert exporter.force_flush()
    exporter.shutdown()
    assert found_in(json.dumps(humanloop.posts()).encode()) != []


def spoken(place: int) -> Iterator[Span]:
    """Spans of one convention, with the canary under every key it is noticed by, one by one and together."""
    convention = CONVENTIONS[place]
    scope = Scope(name=convention.scopes[0]) if convention.scopes else Scope(name="app")
    keys = [key for key in convention.keys if not key.endswith(".")]
    families = [key for key in convention.keys if key.endswith(".")]
    keys += [f"{family}{rest}" for family in families for rest in ("0.content", "0.message.content", "input", "output")]
    stated = {"gen_ai.operation.name": "chat"}
    for values in (CANARY, f'{{"content": "{CANARY}"}}', f'[{{"role": "user", "content": "{CANARY}"}}]', [CANARY]):
        for chosen in ([key] for key in keys):
            yield Span(
                trace_id="1" * 32, span_id="2" * 16, scope=scope, attributes={**stated, **dict.fromkeys(chosen, values)}
            )
        yield Span(
            trace_id="1" * 32, span_id="2" * 16, scope=scope, attributes={**stated, **dict.fromkeys(keys, values)}
        )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("place", range(len(CONVENTIONS)), ids=lambda place: CONVENTIONS[place].name)
def test_every_key_of_every_convention_is_covered(place: int, mode: str) -> None:
    redactor = Redactor(load(MODES[mode], environ={}), notices=Notices())
    for span in spoken(place):
        assert found_in(msgspec.msgpack.encode(redactor.span(span)), but=names_in([span], mode)) == []


@pytest.mark.parametrize("mode", MODES)
def test_log_records_are_covered(mode: str) -> None:
    record = LogRecord(
        trace_id="1" * 32,
        span_id="2" * 16,
        event_name=f"gen_ai.{CANARY}",
        body=sung({"content": [{"text": "hello"}], "n": 1}),
        attributes=sung({"gen_ai.system": "openai"}),
        resource=Resource(attributes=sung({"service.name": "shop"})),
        scope=Scope(name=CANARY),
    )
    kept = Redactor(load(MODES[mode], environ={}), notices=Notices()).record(record)
    assert (kept is None) == ("without" in mode)
    assert found_in(msgspec.msgpack.encode(kept)) == []


@pytest.mark.parametrize("name", FILES)
def test_without_content_what_is_no_content_stays(name: str) -> None:
    redactor = Redactor(load({"capture_content": False}, environ={}), notices=Notices())
    for span in captures.spans(name):
        before, after = draft(span), draft(redactor.span(span))
        for field in KEPT & set(before.reading.operation.__struct_fields__):
            assert getattr(after.reading.operation, field) == getattr(before.reading.operation, field), field
        for field in ("key", "parent", "role", "session", "user", "is_call", "call_id", "wealth", "carries_usage"):
            assert getattr(after, field) == getattr(before, field), field
        assert (after.span.start_ns, after.span.end_ns) == (span.start_ns, span.end_ns)
        assert redactor.kept(after.span) == after.span


def test_without_content_a_log_says_so_and_still_counts(humanloop: Humanloop) -> None:
    exporter = HumanloopSpanExporter(base_url=humanloop.base_url, capture_content=False)
    exporter.export([readable(span) for span in captures.spans("traceloop-openai-0.62.4/chat")])
    assert exporter.force_flush()
    exporter.shutdown()
    ((log,),) = humanloop.posts()
    assert log["save"] is False
    assert log["config"]["type"] == "model"
    assert log["config"]["model"].startswith("gpt")
    assert (log["prompt_tokens"], log["duration"]) == (1117, 0.147837825)
    assert not {"inputs", "messages", "output", "output_message"} & set(log)

"""The exporter and the processor on a TracerProvider, against our server."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from applications import AGENT, CHAT, Install, until
from humanloop import Humanloop
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from otel_humanloop import HumanloopSpanExporter, HumanloopSpanProcessor, annotate
from otel_humanloop.annotation import AnnotationProcessor


def batched(**settings: Any) -> BatchSpanProcessor:
    return BatchSpanProcessor(HumanloopSpanExporter(**settings), schedule_delay_millis=50)


def simple(**settings: Any) -> SimpleSpanProcessor:
    return SimpleSpanProcessor(HumanloopSpanExporter(**settings))


@pytest.mark.parametrize("make", [HumanloopSpanProcessor, batched, simple])
def test_a_trace_is_a_session_named_by_its_ids_and_nested_as_its_spans(
    make: Any, install: Install, humanloop: Humanloop
) -> None:
    provider = install(make)
    tracer = provider.get_tracer("app")
    with (
        tracer.start_as_current_span("agent", attributes=AGENT) as agent,
        tracer.start_as_current_span("POST", kind=SpanKind.CLIENT, attributes={"http.method": "POST"}),
        tracer.start_as_current_span("chat", attributes=CHAT) as chat,
    ):
        pass
    assert provider.force_flush()
    assert humanloop.session()["reference_id"] == f"{agent.get_span_context().trace_id:032x}"
    parent, child = humanloop.logs()
    assert parent["reference_id"] == f"{agent.get_span_context().span_id:016x}"
    assert child["reference_id"] == f"{chat.get_span_context().span_id:016x}"
    assert child["parent_id"] == parent["id"]
    assert (child["output"], child["project"]) == ("Ho", "shop")


def test_a_flush_delivers_everything_and_leaves_the_processor_running(install: Install, humanloop: Humanloop) -> None:
    provider = install(delay=60)
    tracer = provider.get_tracer("app")
    for number in (1, 2):
        tracer.start_span("chat", attributes=CHAT).end()
        assert provider.force_flush()
        assert len(humanloop.sessions()) == number


def test_without_a_flush_spans_are_sent_after_the_delay(install: Install, humanloop: Humanloop) -> None:
    install().get_tracer("app").start_span("chat", attributes=CHAT).end()
    assert until(humanloop.sessions)


def test_an_agent_that_runs_for_long_stands_there_without_output_until_it_ends(
    install: Install, humanloop: Humanloop
) -> None:
    tracer = install(hold=0.1).get_tracer("app")
    with tracer.start_as_current_span("agent", attributes=AGENT) as agent:
        tracer.start_span("chat", attributes=CHAT).end()
        until(lambda: len(humanloop.logs()) == 2)
        before = humanloop.log("Agent")
        assert not {"output", "duration", "error"} & {key for key, value in before.items() if value is not None}
        agent.set_attribute("gen_ai.output.messages", CHAT["gen_ai.output.messages"])
        agent.set_status(Status(StatusCode.ERROR, "it broke"))
    after = until(lambda: log if "output" in (log := humanloop.log("Agent")) else None)
    assert (after["output"], after["error"]) == ("Ho", "it broke")
    changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    assert changed == {"output", "error", "duration", "updated_at"}
    assert [set(body) for body in humanloop.patches()] == [{"output", "error", "duration"}]


def test_a_request_that_fails_for_now_is_made_again_and_nothing_is_there_twice(
    install: Install, humanloop: Humanloop
) -> None:
    humanloop.answers += [503, 429, 500]
    provider = install()
    provider.get_tracer("app").start_span("chat", attributes=CHAT).end()
    assert provider.force_flush()
    assert len(humanloop.posts()) == 4
    assert len(humanloop.logs()) == 1


def test_a_span_nobody_can_log_does_not_hold_its_siblings_back(
    install: Install, humanloop: Humanloop, caplog: pytest.LogCaptureFixture
) -> None:
    provider = install()
    tracer = provider.get_tracer("app")
    tracer.start_span("first", attributes=CHAT).end()
    tracer.start_span("counted", attributes={**CHAT, "gen_ai.usage.input_tokens": 2**80}).end()
    unreadable = tracer.start_span("unreadable", attributes=CHAT)
    unreadable._status = None  # type: ignore[attr-defined] # what a broken SDK might hand over
    unreadable.end()
    tracer.start_span("last", attributes=CHAT).end()
    assert provider.force_flush()
    assert {log["metadata"]["otel"]["name"] for log in humanloop.logs()} == {"first", "counted", "last"}
    (told,) = [record.getMessage() for record in caplog.records if record.name == "otel_humanloop"]
    assert told.startswith("a span was lost to an error of otel-humanloop\nbuiltins.AttributeError raised\n")


def test_parents_are_delivered_before_children_however_deep(install: Install, humanloop: Humanloop) -> None:
    provider = install()
    tracer = provider.get_tracer("app")

    def nest(depth: int) -> None:
        with tracer.start_as_current_span(f"turn {depth}", attributes=CHAT):
            if depth:
                nest(depth - 1)

    nest(20)
    assert provider.force_flush()
    seen: set[str] = set()
    for body in humanloop.posts():
        assert all(log.get("parent_reference_id") in {None, *seen} for log in body)
        seen |= {log["reference_id"] for log in body}
    assert len(seen) == 21


def test_conversations_may_be_sessions(install: Install, humanloop: Humanloop) -> None:
    provider = install(session="conversation")
    for _ in range(2):
        attributes = {**CHAT, "gen_ai.conversation.id": "thread-1"}
        provider.get_tracer("app").start_span("chat", attributes=attributes).end()
    assert provider.force_flush()
    assert humanloop.session()["reference_id"] == "thread-1"
    assert len(humanloop.logs()) == 2


def test_reference_ids_may_hold_the_trace_too(install: Install, humanloop: Humanloop) -> None:
    provider = install(reference_ids="trace-span")
    span = provider.get_tracer("app").start_span("chat", attributes=CHAT)
    span.end()
    assert provider.force_flush()
    ids = span.get_span_context()
    assert humanloop.logs()[0]["reference_id"] == f"{ids.trace_id:032x}-{ids.span_id:016x}"


def test_traces_without_ai_send_nothing_unless_everything_is_asked_for(install: Install, humanloop: Humanloop) -> None:
    for settings in ({}, {"spans": "all"}):
        provider = install(**settings)
        with provider.get_tracer("app").start_as_current_span("GET /", attributes={"http.method": "GET"}):
            pass
        assert provider.force_flush()
        assert len(humanloop.requests) == (1 if settings else 0)


def test_annotations_reach_the_spans_directly_inside_and_with_an_exporter_too(
    install: Install, humanloop: Humanloop
) -> None:
    provider = install(batched)
    tracer = provider.get_tracer("app")
    # Where the provider is the global one, as it is in a program, `annotate` adds this by itself (see the examples).
    provider.add_span_processor(AnnotationProcessor())
    with (
        annotate(session="s-1", user="ada"),
        annotate(project="outer", inputs={"q": [1]}, metadata={"k": "v"}),
        tracer.start_as_current_span("agent", attributes=AGENT),
    ):
        tracer.start_span("chat", attributes=CHAT).end()
    assert provider.force_flush()
    assert humanloop.session()["reference_id"] == "s-1"
    agent, chat = humanloop.log("Agent"), humanloop.log("gpt-4o")
    assert (agent["project"], agent["inputs"], agent["metadata"]["k"]) == ("outer", {"q": [1]}, "v")
    assert (chat["project"], chat["metadata"]["user"]) == ("shop", "ada")


def test_an_annotated_coroutine_function_annotates_while_it_runs(install: Install, humanloop: Humanloop) -> None:
    provider = install()

    @annotate(project="async")
    async def call() -> int:
        await asyncio.sleep(0)
        provider.get_tracer("app").start_span("chat", attributes=CHAT).end()
        return 7

    async def both() -> list[int]:
        return list(await asyncio.gather(call(), call()))

    assert asyncio.run(both()) == [7, 7]
    provider.get_tracer("app").start_span("chat", attributes=CHAT).end()
    assert provider.force_flush()
    assert sorted(log["project"] for log in humanloop.logs()) == ["async", "async", "shop"]


def test_a_remote_parent_is_named_at_once(install: Install, humanloop: Humanloop) -> None:
    provider = install(hold=60)
    remote = SpanContext(trace_id=1, span_id=2, is_remote=True, trace_flags=TraceFlags(1))
    outside = set_span_in_context(NonRecordingSpan(remote))
    provider.get_tracer("app").start_span("chat", context=outside, attributes=CHAT).end()
    assert provider.force_flush()
    (log,) = humanloop.logs()
    assert log["parent_reference_id"] == f"{2:016x}"


def test_spans_that_are_not_sampled_are_not_sent(humanloop: Humanloop) -> None:
    exporter = HumanloopSpanExporter(base_url=humanloop.base_url)
    unsampled = ReadableSpan("chat", SpanContext(1, 2, is_remote=False), attributes=CHAT, start_time=1, end_time=2)
    assert exporter.export([unsampled]) is SpanExportResult.SUCCESS
    assert exporter.force_flush()
    assert humanloop.requests == []
    exporter.shutdown()


def test_our_own_requests_are_not_traced(install: Install, humanloop: Humanloop) -> None:
    provider = install(spans="all")
    ended = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(ended))
    HTTPXClientInstrumentor().instrument(tracer_provider=provider)
    try:
        provider.get_tracer("app").start_span("chat", attributes=CHAT).end()
        until(humanloop.posts)  # sent by the thread
        provider.get_tracer("app").start_span("chat", attributes=CHAT).end()
        assert provider.force_flush()  # sent by this one
        httpx.get(humanloop.url, trust_env=False)
    finally:
        HTTPXClientInstrumentor().uninstrument()
    assert [span.name for span in ended.get_finished_spans()] == ["chat", "chat", "GET"]


def test_a_log_sent_under_a_span_that_turns_out_to_be_infrastructure_is_hung_higher(humanloop: Humanloop) -> None:
    exporter = HumanloopSpanExporter(base_url=humanloop.base_url)

    def ended(name: str, span_id: int, parent: int | None, attributes: dict[str, str]) -> None:
        def place(number: int) -> SpanContext:
            return SpanContext(1, number, is_remote=False, trace_flags=TraceFlags(1))

        span = ReadableSpan(
            name,
            place(span_id),
            parent=place(parent) if parent is not None else None,
            attributes=attributes,
            instrumentation_scope=InstrumentationScope("app"),
            start_time=1,
            end_time=2,
        )
        assert exporter.export([span]) is SpanExportResult.SUCCESS
        assert exporter.force_flush()

    ended("chat", 3, 2, CHAT)
    assert humanloop.log("gpt-4o")["parent_reference_id"] == f"{2:016x}"
    ended("POST", 2, 1, {"http.request.method": "POST"})
    ended("agent", 1, None, AGENT)
    assert humanloop.log("gpt-4o")["parent_id"] == humanloop.log("Agent")["id"]
    ended("top chat", 5, 4, {**CHAT, "gen_ai.request.model": "top"})
    ended("GET", 4, None, {"http.request.method": "GET"})
    top = humanloop.log("top")
    assert (top.get("parent_id"), top.get("parent_reference_id")) == (None, None)
    assert len(humanloop.logs()) == 3
    exporter.shutdown()

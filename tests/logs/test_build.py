"""The log a span becomes: always one the contract takes, and of the captured spans the one a person would expect."""

from __future__ import annotations

import json
import math
from typing import Any

import contract
import msgspec
import pytest
from corpus import captures
from hypothesis import given
from hypothesis import strategies as st

from otel_humanloop import settings
from otel_humanloop.logs.build import build_log, build_update, project_of
from otel_humanloop.logs.draft import Role, draft
from otel_humanloop.logs.encode import encode
from otel_humanloop.logs.metadata import nested
from otel_humanloop.logs.moves import Complete, Create
from otel_humanloop.spans import Event, Resource, Scope, Span, Status, StatusCode

SETTINGS = settings.load(environ={})


def log_of(span: Span, *, parent: str | None = None, user: str | None = None, **arguments: Any) -> dict[str, Any]:
    """What is sent for a span, as the receiver decodes it."""
    read = draft(span)
    create = Create(key=read.key, draft=read, parent=parent, session=span.trace_id, user=user, **arguments)
    log: dict[str, Any] = json.loads(encode(build_log(create, SETTINGS)))
    contract.validate("LogRequest", log)
    return log


def captured(name: str, number: int = 0) -> dict[str, Any]:
    return log_of(captures.spans(name)[number])


@pytest.mark.parametrize("path", captures.files(), ids=captures.name_of)
def test_every_captured_span_becomes_a_log_the_contract_takes(path: Any) -> None:
    for span in captures.spans(captures.name_of(path)):
        log = log_of(span)
        assert log["reference_id"] == span.span_id
        assert log["session_reference_id"] == span.trace_id
        assert log["source"] == "opentelemetry"
        assert log["project"] == span.attributes.get("humanloop.project", "capture-app")
        assert span.end_ns is not None
        stated = draft(span).reading.operation.duration
        assert math.isclose(log["duration"], (span.end_ns - span.start_ns) / 1e9 if stated is None else stated)
        by_its_own_word = span.attributes.get("langfuse.observation.level") == "ERROR"
        assert ("error" in log) is (span.status.code is StatusCode.ERROR or by_its_own_word)


def test_a_chat() -> None:
    log = captured("traceloop-openai-0.62.4/chat")
    assert log["config"] == {
        "type": "model",
        "model": "gpt-4o",
        "provider": "openai",
        "endpoint": "chat",
        "max_tokens": 100,
        "temperature": 0.2,
        "top_p": 0.9,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
    }
    assert log["messages"] == [
        {"role": "system", "content": "You are helpful."},
        {"role": "user", "content": "Say hello to Zoë 👋"},
    ]
    assert log["output"] == "Hello! How can I help you today?"
    assert log["output_message"] == {"role": "assistant", "content": "Hello! How can I help you today?"}
    assert (log["prompt_tokens"], log["output_tokens"]) == (1117, 46)
    assert log["metadata"]["usage"] == {"cache_read_tokens": 1024, "reasoning_tokens": 32, "total_tokens": 1163}
    assert log["metadata"]["response"] == {"id": "chatcmpl-CfAKE0011", "model": "gpt-4o-2024-08-06"}
    assert log["metadata"]["attributes"]["gen_ai"]["openai"]["api_base"] == "http://127.0.0.1:18080/v1/"
    assert log["metadata"]["otel"]["sources"]["usage"].startswith("otel_genai: gen_ai.usage.")
    assert log["created_at"] == "2026-11-23T06:07:17.899309+00:00"


@pytest.mark.parametrize(
    "name", ["traceloop-openai-0.40.14/chat_tools_parallel", "openinference-openai-0.1.66/chat_tools_parallel"]
)
def test_a_call_of_tools_in_whichever_convention(name: str) -> None:
    log = captured(name)
    assert log["output"] == ""
    assert log["output_message"]["tool_calls"] == [
        {"id": "call_abc123", "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}, "type": "function"},
        {"id": "call_def456", "function": {"name": "get_weather", "arguments": '{"city":"Rome"}'}, "type": "function"},
    ]
    (tool,) = log["config"]["tools"]
    assert tool["name"] == "get_weather"
    assert tool["parameters"]["required"] == ["city"]


def test_a_tools_answer_is_a_message_of_its_own() -> None:
    messages = captured("traceloop-openai-0.62.4/chat_tool_result")["messages"]
    answer = next(message for message in messages if message["role"] == "tool")
    call = next(call for message in messages for call in message.get("tool_calls", ()))
    assert answer["tool_call_id"] == call["id"]


def test_several_choices_keep_the_first_as_output_and_the_others_beside_it() -> None:
    log = captured("traceloop-openai-0.62.4/chat_multi_choice")
    said = "Hello! How can I help you today?"
    assert log["output_message"]["content"] == log["output"] == said
    assert [choice["content"] for choice in log["metadata"]["choices"]] == [f"Variant 1: {said}", f"Variant 2: {said}"]


def test_an_image_by_address_stays_in_its_message() -> None:
    contents = [message["content"] for message in captured("traceloop-openai-0.62.4/chat_image_url")["messages"]]
    parts = next(content for content in contents if isinstance(content, list))
    assert {part["type"] for part in parts} == {"text", "image_url"}


def test_embeddings_are_a_tool_whose_kind_says_so() -> None:
    log = captured("traceloop-openai-0.62.4/embeddings")
    assert log["config"]["type"] == "tool"
    assert log["config"]["other"]["kind"] == "embedding"
    assert log["config"]["other"]["model"].startswith("text-embedding")
    assert log["prompt_tokens"] == 8
    assert all(isinstance(text, str) for text in log["inputs"]["input"])


def test_a_failed_call_says_type_and_message_and_has_no_output() -> None:
    log = captured("traceloop-openai-0.62.4/chat_err400")
    assert log["error"].startswith("openai.BadRequestError: ")
    assert "output" not in log
    (event,) = log["metadata"]["events"]
    assert "Traceback" in event["attributes"]["exception"]["stacktrace"]


def test_a_workflow_with_its_task_agent_and_tool() -> None:
    logs = [log_of(span) for span in captures.spans("traceloop-sdk-0.62.4/workflow")]
    kinds = {log["config"]["name"]: log["config"]["other"]["kind"] for log in logs if log["config"]["type"] == "tool"}
    assert kinds == {"lookup_tool": "tool", "summarise": "chain", "researcher": "agent", "qa_flow": "chain"}


def test_a_prompts_template_and_its_variables() -> None:
    log = captured("traceloop-sdk-0.62.4/workflow_prompt")
    assert log["config"]["prompt_template"] == "Hello {{name}}"
    assert log["inputs"] == {"name": "Zoë"}


def test_chunks_of_a_stream_are_counted_not_listed() -> None:
    (chunks,) = captured("traceloop-openai-0.62.4/chat_stream")["metadata"]["events"]
    assert (chunks["name"], chunks["count"]) == ("gen_ai.content.completion.chunk", 9)


def test_infrastructure_is_told_from_the_programs_own_steps() -> None:
    roles = {span.name: draft(span).role for span in captures.spans("mixed-app/fastapi_llm_error")}
    assert roles["openai.chat"] is Role.AI
    assert roles["rag-step"] is Role.STEP
    assert {role for name, role in roles.items() if name not in ("openai.chat", "rag-step")} == {Role.TRANSPARENT}


def test_a_span_that_is_still_open_has_no_output_error_or_duration_and_is_dated_by_its_start() -> None:
    ended = captures.spans("traceloop-openai-0.62.4/chat_err400")[0]
    log = log_of(msgspec.structs.replace(ended, end_ns=None))
    assert not {"output", "output_message", "error", "duration"} & set(log)
    assert log["created_at"] < log_of(ended)["created_at"]


def test_its_end_is_output_error_and_duration() -> None:
    read = draft(captures.spans("traceloop-openai-0.62.4/chat")[0])
    update = json.loads(encode(build_update(Complete(key=read.key, draft=read))))
    contract.validate("UpdateLogRequest", update)
    assert set(update) == {"output", "duration"}


def test_usage_that_descendants_state_is_left_out() -> None:
    span = captures.spans("traceloop-openai-0.62.4/chat")[0]
    log = log_of(span, without_usage=True)
    assert not {"prompt_tokens", "output_tokens", "prompt_cost", "output_cost"} & set(log)


def test_dropped_attributes_are_a_warning_that_names_the_remedy() -> None:
    span = Span(trace_id="t", span_id="s", end_ns=1, dropped_attributes=3)
    (warning,) = log_of(span)["metadata"]["warnings"]
    assert warning.startswith("3 attributes")
    assert "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT" in warning


def test_the_project_is_a_template_over_the_resource() -> None:
    resource = Resource(attributes={"service.name": "shop", "env": "prod"})
    for template, project in {"{service.name}-{env}": "shop-prod", "{nothing}": "unknown", "plain": "plain"}.items():
        assert project_of(None, resource, settings.load({"project": template}, environ={})) == project
    assert project_of("named", resource, SETTINGS) == "named"


def test_names_hold_no_character_that_no_database_keeps() -> None:
    said = {"humanloop.kind": "tool", "humanloop.name": "\0", "humanloop.environment": "\0live"}
    tool = log_of(Span(trace_id="1" * 32, span_id="2" * 16, name="sea\0rch", end_ns=1, attributes=said))
    assert (tool["config"]["name"], tool["environment"]) == ("search", "live")
    asked = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "\0", "gen_ai.response.model": "gpt\0-4o"}
    call = log_of(Span(trace_id="1" * 32, span_id="2" * 16, end_ns=1, attributes=asked))
    assert call["config"]["model"] == "gpt-4o"


def test_dotted_keys_nest_and_nothing_is_lost_where_a_key_is_also_a_branch() -> None:
    assert nested({"a.b.c": 1, "a.b.d": 2, "e": 3}) == {"a": {"b": {"c": 1, "d": 2}}, "e": 3}
    assert nested({"a.b": 1, "a": 0}) == {"a": 0, "a.b": 1}
    assert nested({"a": {"x": 1}, "a.b": 2}) == {"a": {"x": 1}, "a.b": 2}


@given(st.dictionaries(st.text(alphabet="ab.", max_size=6), st.integers(), max_size=8))
def test_nesting_keeps_every_value(attributes: dict[str, int]) -> None:
    def values(tree: Any) -> list[int]:
        return [leaf for branch in tree.values() for leaf in values(branch)] if isinstance(tree, dict) else [tree]

    assert sorted(values(nested(attributes))) == sorted(attributes.values())


def test_every_log_has_the_resource_of_its_own_span() -> None:
    resources = [Resource(attributes={"service.name": f"service {number}"}) for number in range(100)]
    for resource in resources * 2:
        log = log_of(Span(trace_id="1" * 32, span_id="2" * 16, end_ns=1, resource=resource))
        assert log["metadata"]["resource"] == {"service": {"name": resource.attributes["service.name"]}}


@given(st.dictionaries(st.text(alphabet="ab.", max_size=6), st.integers(), max_size=8), st.data())
def test_some_keys_nest_as_they_do_alone(attributes: dict[str, int], data: st.DataObject) -> None:
    some = data.draw(st.lists(st.sampled_from(sorted(attributes)), unique=True)) if attributes else []
    assert nested(attributes, some) == nested({key: attributes[key] for key in some})


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None))
    | st.binary()
    | st.sampled_from(["{", '[{"role":1}]', "[[[[", '{"a":', "null", '"x"', "1e999", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec=None)), inner, max_size=3),
    max_leaves=6,
)

KEYS = sorted(
    {key for path in captures.files() for span in captures.spans(captures.name_of(path)) for key in span.attributes}
)


@given(
    attributes=st.dictionaries(
        st.sampled_from(KEYS) | st.text(st.characters(codec=None), max_size=9), ANYTHING, max_size=9
    ),
    event=st.dictionaries(
        st.sampled_from(["exception.type", "exception.message", "gen_ai.prompt"]), ANYTHING, max_size=3
    ),
    times=st.tuples(st.integers(-(2**70), 2**70), st.none() | st.integers(-(2**70), 2**70)),
    scope=st.sampled_from(["", "opentelemetry.instrumentation.openai.v1", "openinference.instrumentation.openai"]),
    status=st.sampled_from(list(StatusCode)),
)
def test_a_span_that_holds_anything_at_all_becomes_a_log_the_contract_takes(
    attributes: dict[str, Any],
    event: dict[str, Any],
    times: tuple[int, int | None],
    scope: str,
    status: StatusCode,
) -> None:
    log_of(
        Span(
            trace_id="t",
            span_id="s",
            name="\udfff",
            attributes=attributes,
            events=(Event(name="exception", attributes=event),),
            start_ns=times[0],
            end_ns=times[1],
            scope=Scope(name=scope),
            status=Status(code=status, message="\ud800"),
        )
    )


def test_ten_megabytes_of_text_and_endless_nesting_are_logged_too() -> None:
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": "[" * 10_000_000, "deep": deep}
    assert log_of(Span(trace_id="t", span_id="s", end_ns=1, attributes=attributes))["config"]["type"] == "model"

"""What the model is asked: what the caller and the config say, in the words the provider understands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support_calls import chat
from support_server import Api

from otel_humanloop.demo.model_server import ModelServer
from otel_humanloop.server.app import create_app
from otel_humanloop.server.providers import ProviderSettings
from otel_humanloop.server.store import Store


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def api(store: Store, model: ModelServer) -> Api:
    return Api(create_app(store, providers=ProviderSettings(base_url=model.base_url)))


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"tool_choice": "auto"}, "auto"),
        ({"tool_call": "none"}, "none"),
        ({"tool_call": {"name": "f"}}, {"type": "function", "function": {"name": "f"}}),
    ],
)
def test_the_older_tool_call_means_tool_choice(api: Api, model: ModelServer, given: dict[str, Any], sent: Any) -> None:
    assert chat(api, "hi", **given)["tool_choice"] == sent
    assert model.requests[0].body["tool_choice"] == sent


def test_the_older_tool_call_in_messages_is_asked_as_tool_calls(api: Api, model: ModelServer) -> None:
    called = {"role": "assistant", "content": "", "tool_call": {"name": "search", "arguments": '{"q":"x"}'}}
    answered = {"role": "tool", "name": "search", "content": "found"}
    question = {"role": "user", "content": "hi"}
    body = {"project": "p", "model_config": {"model": "m"}, "messages": [question, called, answered, question]}
    answer = api.ask("POST", "chat", json=body)
    call = {"id": "call_1", "type": "function", "function": {"name": "search", "arguments": '{"q":"x"}'}}
    assert model.requests[0].body["messages"] == [
        question,
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "name": "search", "content": "found", "tool_call_id": "call_1"},
        question,
    ]
    assert answer["data"][0]["messages"] == body["messages"]
    assert api.get_log(answer["data"][0]["id"])["messages"] == body["messages"]


SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
JSON = {"type": "json_object"}
BARE = {"type": "json_schema", "json_schema": SCHEMA}
NAMED = {"type": "json_schema", "json_schema": {"name": "response", "schema": SCHEMA}}


@pytest.mark.parametrize(
    ("config", "fields", "sent"),
    [
        ({"response_format": BARE}, {}, {"response_format": NAMED}),
        ({}, {"response_format": BARE}, {"response_format": NAMED}),
        ({"response_format": BARE}, {"response_format": JSON}, {"response_format": JSON}),
        ({"response_format": {"type": "text"}}, {}, {"response_format": {"type": "text"}}),
        ({"seed": 1, "stop": "END", "top_p": 0.5}, {}, {"seed": 1, "stop": "END", "top_p": 0.5}),
        ({"seed": 1}, {"seed": 0}, {"seed": 0}),
        ({"other": {"logit_bias": {"50256": -100}}, "top_k": 3}, {}, {"logit_bias": {"50256": -100}, "top_k": 3}),
        ({"provider": "ai21"}, {}, {}),
        ({"other": {"provider": {"order": ["Azure"]}}}, {}, {"provider": {"order": ["Azure"]}}),
        ({"max_tokens": -1, "temperature": 1, "frequency_penalty": 0.0}, {"user": ""}, {"user": ""}),
        ({"presence_penalty": -0.5}, {"num_samples": 2}, {"presence_penalty": -0.5, "n": 2}),
    ],
)  # fmt: skip
def test_what_the_caller_sets_is_what_the_model_is_told(
    api: Api, model: ModelServer, config: dict[str, Any], fields: dict[str, Any], sent: dict[str, Any]
) -> None:
    chat(api, "hi", model_config=config, **fields)
    assert model.requests[0].body == {"model": "gpt-4", "messages": [{"role": "user", "content": "hi"}], **sent}


@pytest.mark.parametrize(
    ("template", "inputs", "rendered"),
    [
        ("{{a b}} {{ c-d.e }} {{é}}", {"a b": "1", "c-d.e": "2", "é": "3"}, "1 2 3"),
        ("{{a}} {{{a}}} {a} {{ }} {{}} {{a", {"a": "x"}, "x {x} {a} {{ }} {{}} {{a"),
        ("{{a}}{{b}}", {"a": "{{b}}", "b": "{{a}}"}, "{{b}}{{a}}"),
        ("{{a}} {{b}} {{c}} {{d}}", {"a": None, "b": 0, "c": "", "d": {"x": ["ü"]}}, 'null 0  {"x":["ü"]}'),
    ],
)
def test_a_template_takes_its_inputs_by_name(
    api: Api, model: ModelServer, template: str, inputs: dict[str, Any], rendered: str
) -> None:
    config = {"model": "m", "prompt_template": template}
    api.ask("POST", "completion", json={"project": "p", "model_config": config, "inputs": inputs})
    assert model.requests[0].body["prompt"] == rendered

"""The provider `mock`: answers without a network, the same to the same."""

from __future__ import annotations

from support_calls import chat, events
from support_server import Api

from otel_humanloop.server.app import create_app
from otel_humanloop.server.store import Store

MOCK = {"provider": "mock", "model": "any"}


def test_the_mock_needs_no_network_and_says_the_same_again(store: Store) -> None:
    api = Api(create_app(store))
    answers = [chat(api, "Who won?", model_config=MOCK, num_samples=2) for _ in range(2)]
    assert [sample["output"] for answer in answers for sample in answer["data"]] == ["Who won?"] * 4
    assert answers[0]["usage"] == {"prompt_tokens": 2, "generation_tokens": 4, "total_tokens": 6}
    said = chat(api, model_config={**MOCK, "other": {"mock_response": " Sweden "}})["data"][0]
    assert (said["output"], said["raw_output"]) == ("Sweden", " Sweden ")
    parts = [{"type": "text", "text": "in {{x}}"}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    template = {"chat_template": [{"role": "user", "content": parts}]}
    answer = chat(api, model_config={**MOCK, **template}, messages=[], inputs={"x": "parts"})
    assert answer["data"][0]["output"] == "in parts"
    completed = {"project": "p", "model_config": {**MOCK, "prompt_template": "{{q}}?"}, "inputs": {"q": "Why"}}
    assert api.ask("POST", "completion", json=completed)["data"][0]["output"] == "Why?"


def test_the_mock_calls_the_tool_that_is_insisted_on(store: Store) -> None:
    api = Api(create_app(store))
    tools = {**MOCK, "tools": [{"name": "f"}, {"name": "g"}]}
    for choice, name in (("required", "f"), ({"type": "function", "function": {"name": "g"}}, "g")):
        sample = chat(api, model_config=tools, tool_choice=choice)["data"][0]
        assert (sample["tool_calls"][0]["function"]["name"], sample["finish_reason"]) == (name, "tool_call")


def test_the_mock_streams(store: Store) -> None:
    api = Api(create_app(store))
    said = events(api, "completion", {"project": "p", "model_config": {**MOCK, "prompt_template": "one two "}})
    assert [event["data"][0]["output"] for event in said] == ["one", " two", " ", ""]
    assert api.get_log(said[0]["data"][0]["id"])["raw_output"] == "one two "

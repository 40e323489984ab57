"""Chat and completion: what the model is asked, what the caller is answered, and what is logged of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support_calls import chat, events
from support_server import TOOL, Api

from otel_humanloop.demo.model_server import Failure, ModelServer, Reply, Request, Tokens, ToolCall
from otel_humanloop.server.app import create_app
from otel_humanloop.server.providers import ProviderSettings
from otel_humanloop.server.store import Store

KEY = "sk-server"
HELLO = [{"role": "user", "content": "Hello {{name}}"}]


def answering(request: Request) -> Reply | Failure | None:
    """Answers by what is asked last."""
    question = request.turns[-1].text if request.turns else ""
    replies: dict[str, Reply | Failure] = {
        "padded": Reply(text="  an answer \n"),
        "data": Reply(text="data: data: é"),
        "tool": Reply(tool_calls=(ToolCall(name="search", arguments={"q": "data: x"}, id="call_1"),)),
        "several": Reply(text="first", alternatives=("second", "third")),
        "cut": Reply(text="one two three four", cut_after=2),
        "refuse": Failure(status=400, message="That is not allowed."),
        "busy": Failure(status=429, message="Slow down.", headers={"Retry-After": "7"}),
        "broken": Failure(status=500, message="Oops."),
        "late": Reply(text="too late", delay=5),
        "dear": Reply(text="gold", model="gpt-4o-2024-08-06", tokens=Tokens(prompt=1_000_000, output=1_000_000)),
        "cached": Reply(text="again", tokens=Tokens(prompt=1_000_000, output=0, cached=1_000_000)),
    }
    if request.endpoint == "completions" and request.model == "chat-only":
        return Failure(status=404, message="This is a chat model.")
    return replies.get(question)


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer([answering], api_key=KEY) as server:
        yield server


@pytest.fixture
def api(store: Store, model: ModelServer) -> Api:
    return Api(create_app(store, providers=ProviderSettings(base_url=model.base_url, api_key=KEY, timeout=2)))


def test_a_chat_is_answered_and_logged(api: Api, model: ModelServer) -> None:
    template = [{"role": "system", "content": "Serve {{ name }} in {{n}} {{unknown}}"}]
    answer = chat(
        api,
        "padded",
        model_config={"chat_template": template, "temperature": 0, "max_tokens": 50, "stop": ["END"]},
        inputs={"name": "Ann", "n": [1]},
        session_reference_id="s",
        metadata={"a": 1},
        user="u",
        source="app",
    )
    (sent,) = model.requests
    messages = [{"role": "system", "content": "Serve Ann in [1] {{unknown}}"}, {"role": "user", "content": "padded"}]
    assert sent.body == {
        "model": "gpt-4", "messages": messages, "temperature": 0, "max_tokens": 50, "stop": ["END"], "user": "u",
    }  # fmt: skip
    (sample,) = answer["data"]
    assert (sample["output"], sample["raw_output"], sample["finish_reason"]) == ("an answer", "  an answer \n", "stop")
    assert sample["messages"] == messages
    assert sample["inputs"] == {"name": "Ann", "n": [1]}
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + answer["usage"]["generation_tokens"]
    assert answer["provider_responses"][0]["object"] == "chat.completion"
    log = api.get_log(sample["id"])
    assert (log["project_id"], log["session_id"]) == (answer["project_id"], answer["session_id"])
    assert (log["output"], log["messages"], log["user"], log["source"]) == ("an answer", messages, "u", "app")
    assert log["config_id"] == sample["model_config_id"]
    assert log["config"]["endpoint"] == "chat"
    assert log["config"]["chat_template"] == template
    assert log["tokens"] == answer["usage"]["total_tokens"]
    assert 0 < log["duration"] < 2
    assert (log["metadata"], log["provider_request"]["model"]) == ({"a": 1}, "gpt-4")
    assert api.session("s")["last_output"] == "an answer"


def test_a_completion_is_answered_and_logged(api: Api, model: ModelServer) -> None:
    config = {"model": "old", "prompt_template": "{{what}}"}
    body = {"project": "p", "model_config": config, "inputs": {"what": "padded"}, "suffix": "!"}
    answer = api.ask("POST", "completion", json=body)
    assert model.requests[0].body == {"model": "old", "prompt": "padded", "suffix": "!"}
    (sample,) = answer["data"]
    assert (sample["output"], sample["inputs"], answer["suffix"]) == ("an answer", {"what": "padded"}, "!")
    log = api.get_log(sample["id"])
    assert (log["config"]["endpoint"], log["output"]) == ("complete", "an answer")
    assert "messages" not in log


@pytest.mark.parametrize("config", [{"model": "chat-only"}, {"model": "m", "endpoint": "chat"}])
def test_a_completion_of_a_chat_model_is_asked_by_chat(api: Api, model: ModelServer, config: dict[str, Any]) -> None:
    body = {"project": "p", "model_config": {**config, "prompt_template": "padded"}, "logprobs": 3, "suffix": "!"}
    answer = api.ask("POST", "completion", json=body)
    assert (answer["data"][0]["output"], answer["logprobs"], answer["suffix"]) == ("an answer", 3, "!")
    asked = [{"role": "user", "content": "padded"}]
    assert model.requests[-1].body == {"model": config["model"], "messages": asked}
    assert events(api, "completion", body)[0]["data"][0]["output"]


def test_what_is_deployed_is_called(api: Api, model: ModelServer) -> None:
    first = api.ask("POST", "model-configs", json={"project": "p", "model": "first", "chat_template": HELLO})
    second = api.ask("POST", "model-configs", json={"project": "p", "model": "second", "prompt_template": "padded"})
    place = {"config_id": second["config"]["id"], "environments": [{"id": "x", "name": "staging"}]}
    api.ask("PATCH", f"projects/{first['project_id']}/deploy-config", json=place)
    chatted = api.ask("POST", "chat-deployed", json={"project": "p", "messages": [], "inputs": {"name": "Ann"}})
    assert chatted["data"][0]["messages"] == [{"role": "user", "content": "Hello Ann"}]
    asked = {"project_id": first["project_id"], "environment": "staging"}
    completed = api.ask("POST", "completion-deployed", json=asked)
    assert [request.model for request in model.requests] == ["first", "second"]
    api.ask("POST", "completion-deployed", json={"project": "p", "inputs": {"name": "Bo"}})
    assert model.requests[-1].body["messages"] == [{"role": "user", "content": "Hello Bo"}]
    log = api.get_log(completed["data"][0]["id"])
    assert (log["environment"], log["config_id"]) == ("staging", second["config"]["id"])
    api.ask("POST", "chat-deployed", status=404, json={"project": "p", "messages": [], "environment": "none"})
    api.ask("POST", "chat-deployed", status=404, json={"project": "none", "messages": []})
    assert api.problem("POST", "completion-deployed", json={})["loc"] == ["body", "project"]


def test_a_version_is_called_by_id_and_logged_where_it_belongs_unless_told_otherwise(api: Api) -> None:
    version = api.ask("POST", "model-configs", json={"project": "home", "model": "m", "prompt_template": "padded"})
    id = version["config"]["id"]
    home = api.ask("POST", "completion-model-config", json={"model_config_id": id})
    assert (home["project_id"], home["data"][0]["model_config_id"]) == (version["project_id"], id)
    away = api.ask("POST", "chat-model-config", json={"model_config_id": id, "project": "away", "messages": []})
    assert away["project_id"] != home["project_id"]
    tool = api.get_log(api.log(config=TOOL)["id"])["config_id"]
    for missing in (tool, "config_none"):
        api.ask("POST", "completion-model-config", status=404, json={"model_config_id": missing})


def test_tools_are_offered_called_and_answered(api: Api, model: ModelServer) -> None:
    tool = {"name": "search", "description": "d", "parameters": {"type": "object"}}
    answer = chat(
        api, "tool", model_config={"tools": [tool]}, tool_choice={"type": "function", "function": {"name": "search"}}
    )
    assert model.requests[0].body["tools"] == [{"type": "function", "function": tool}]
    assert model.requests[0].body["tool_choice"]["function"] == {"name": "search"}
    (sample,) = answer["data"]
    call = {"id": "call_1", "type": "function", "function": {"name": "search", "arguments": '{"q":"data: x"}'}}
    assert (sample["finish_reason"], sample["tool_calls"], sample["output"]) == ("tool_call", [call], "")
    assert sample["tool_call"] == call["function"]
    assert api.get_log(sample["id"])["output_message"]["tool_calls"] == [call]
    streamed = events(
        api, "chat", {"project": "p", "model_config": {"model": "m"}, "messages": [{"role": "user", "content": "tool"}]}
    )
    assert [event["data"][0].get("tool_calls") for event in streamed][-1] == [call]
    assert api.get_log(streamed[0]["data"][0]["id"])["output_message"]["tool_calls"] == [call]


def test_each_sample_is_a_log(api: Api) -> None:
    answer = chat(api, "several", num_samples=3)
    assert [(each["index"], each["output"]) for each in answer["data"]] == [(0, "first"), (1, "second"), (2, "third")]
    logs = [api.get_log(sample["id"]) for sample in answer["data"]]
    assert [log["output"] for log in logs] == ["first", "second", "third"]
    assert [log.get("tokens") for log in logs] == [answer["usage"]["total_tokens"], None, None]


def test_a_stream_says_what_is_new_and_is_logged_whole(api: Api) -> None:
    asked = [{"role": "user", "content": "padded"}]
    body = {"project": "p", "model_config": {"model": "m"}, "messages": asked, "num_samples": 2}
    said = events(api, "chat", body)
    for index in (0, 1):
        mine = [event["data"][0] for event in said if event["data"][0]["index"] == index]
        assert "".join(sample["output"] for sample in mine) == "  an answer \n"
        assert mine[-1]["finish_reason"] == "stop"
        assert len({sample["id"] for sample in mine}) == 1
        log = api.get_log(mine[0]["id"])
        assert (log["output"], "error" in log) == ("an answer", False)
    assert api.get_log(said[0]["data"][0]["id"])["tokens"] == 10


def test_an_event_is_ascii_for_the_network_may_cut_it_anywhere(api: Api) -> None:
    question = 'naïve "日本" \\u00e9 😀 data: ü'
    asked = {"messages": [{"role": "user", "content": question}], "inputs": {"é": ["😀"]}}
    body = {"project": "p", "model_config": {"model": "m", "provider": "mock"}, **asked}
    assert api.http.post("/v4/chat", json={**body, "stream": True}).content.isascii()
    said = events(api, "chat", body)
    assert "".join(event["data"][0]["output"] for event in said) == question
    assert said[0]["data"][0]["inputs"] == {"é": ["😀"]}


def test_an_event_holds_its_mark_once(api: Api) -> None:
    body = {"project": "p", "model_config": {"model": "m", "prompt_template": "data"}, "inputs": {"x": "data: y"}}
    assert "".join(event["data"][0]["output"] for event in events(api, "completion", body)) == "data: data: é"


def test_a_stream_that_breaks_off_is_logged_with_what_was_said(api: Api) -> None:
    said = events(
        api, "chat", {"project": "p", "model_config": {"model": "m"}, "messages": [{"role": "user", "content": "cut"}]}
    )
    log = api.get_log(said[0]["data"][0]["id"])
    assert log["output"]
    assert "one two three four".startswith(log["output"])
    assert "the provider" in log["error"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("question", "status", "message", "after"),
    [
        ("refuse", 422, "That is not allowed.", None),
        ("busy", 429, "Slow down.", "7"),
        ("broken", 503, "Oops.", "1"),
        ("late", 503, "the provider did not answer in time", "1"),
    ],
)
def test_a_provider_that_fails_is_told_by_status_and_logged(
    api: Api, question: str, status: int, message: str, after: str | None, stream: bool
) -> None:
    body = {"project": "p", "model_config": {"model": "m"}, "messages": [{"role": "user", "content": question}]}
    answer = api.http.post("/v4/chat", json={**body, "session_reference_id": "s", "stream": stream})
    detail = answer.json()["detail"]
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, after)
    assert (detail["code"], detail["message"], detail["origin"]) == (status, message, "OpenAI")
    (log,) = api.logs("s")
    assert log["error"] == message
    assert "output" not in log
    assert api.session("s")["errors_count"] == 1


def test_a_provider_that_is_not_there_is_told(store: Store) -> None:
    api = Api(create_app(store, providers=ProviderSettings(base_url="http://127.0.0.1:9/v1", timeout=2)))
    assert "cannot be reached" in chat(api, status=503)["detail"]["message"]


def test_the_callers_key_goes_before_the_servers_and_is_kept_nowhere(api: Api, store: Store) -> None:
    refused = chat(api, status=422, provider_api_keys={"openai": "sk-callers", "anthropic": "sk-ant"})
    assert refused["detail"]["message"] == "Incorrect API key provided."
    assert chat(api, provider_api_keys={"openai": KEY})["data"]
    assert chat(api, provider_api_keys={"openai": ""})["data"]
    with store._database.reading.connect() as connection:  # pyright: ignore[reportPrivateUsage]
        kept = repr([connection.exec_driver_sql(f"SELECT * FROM {table}").all() for table in ("logs", "configs")])
    assert "sk-" not in kept


@pytest.mark.parametrize("key", ["sk secret", "sk-secret\n", "sk-sécret", " ", ", secret", "sk\0secret"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_said(api: Api, model: ModelServer, key: str) -> None:
    body = {"project": "p", "model_config": {"model": "m"}, "messages": [], "provider_api_keys": {"openai": key}}
    problem = api.problem("POST", "chat", json=body)
    assert problem["loc"] == ["body", "provider_api_keys", "openai"]
    assert key.strip() == "" or key not in problem["msg"]
    assert (api.ask("GET", "projects")["total"], model.requests) == (0, [])


def test_the_servers_own_key_that_cannot_be_sent_is_not_said_either(store: Store, model: ModelServer) -> None:
    api = Api(create_app(store, providers=ProviderSettings(base_url=model.base_url, api_key="sk-s\nsecret")))
    message = chat(api, status=422)["detail"]["message"]
    assert "OPENAI_API_KEY" in message
    assert "secret" not in message


@pytest.mark.parametrize("config", [{"provider": "anthropic"}, {}])
def test_a_provider_that_cannot_be_reached_is_refused_before_anything_is_logged(
    store: Store, config: dict[str, Any]
) -> None:
    api = Api(create_app(store))
    assert "OPENAI" in chat(api, status=422, model_config=config)["detail"]["message"]
    assert api.ask("GET", "projects")["total"] == 0


def test_what_is_not_saved_is_answered_all_the_same(api: Api) -> None:
    answer = chat(api, "padded", save=False, inputs={"a": "b"}, metadata={"kept": True})
    log = api.get_log(answer["data"][0]["id"])
    assert answer["data"][0]["output"] == "an answer"
    assert not {"inputs", "messages", "output", "raw_output", "output_message", "provider_request"} & log.keys()
    assert (log["metadata"], log["tokens"]) == ({"kept": True}, answer["usage"]["total_tokens"])


def test_inputs_are_not_returned_to_who_does_not_want_them(api: Api) -> None:
    answer = chat(api, inputs={"a": "b"}, return_inputs=False)
    assert answer["data"][0]["inputs"] == {}
    assert api.get_log(answer["data"][0]["id"])["inputs"] == {"a": "b"}


def test_without_a_project_a_call_is_answered_and_kept_nowhere(api: Api) -> None:
    answer = chat(api, project=None)
    assert "project_id" not in answer
    api.ask("GET", f"logs/{answer['data'][0]['id']}", status=404)
    assert api.ask("GET", "projects")["total"] == 0


@pytest.mark.parametrize(
    ("fields", "loc"),
    [
        ({"messages": None}, ["body", "messages"]),
        ({"messages": [{"content": "x"}]}, ["body", "messages", 0, "role"]),
        ({"model_config": None}, ["body", "model_config"]),
        ({"model_config": {}}, ["body", "model_config", "model"]),
        ({"num_samples": 0}, ["body", "num_samples"]),
        ({"num_samples": 1000}, ["body", "num_samples"]),
        ({"tool_choice": "sometimes"}, ["body", "tool_choice"]),
        ({"tool_choice": {"function": {}}}, ["body", "tool_choice"]),
        ({"session_id": "a", "session_reference_id": "b"}, ["body", "session_reference_id"]),
        ({"parent_id": "a", "parent_reference_id": "b"}, ["body", "parent_reference_id"]),
        ({"project": ""}, ["body", "project"]),
        ({"inputs": []}, ["body", "inputs"]),
    ],
)
def test_a_call_that_makes_no_sense_reaches_no_provider(
    api: Api, model: ModelServer, fields: dict[str, Any], loc: list[Any]
) -> None:
    body = {"project": "p", "messages": [], "model_config": {"model": "m"}, **fields}
    assert api.problem("POST", "chat", json=body)["loc"] == loc
    assert model.requests == []


def test_a_place_that_does_not_exist_is_said_before_anything_is_spent(api: Api, model: ModelServer) -> None:
    chat(api, status=404, session_id="sesh_none")
    chat(api, status=404, project="p", parent_id="data_none")
    assert model.requests == []
    assert api.ask("GET", "projects")["total"] == 0


def cost_of(api: Api, answer: Any) -> tuple[float | None, float | None]:
    log = api.get_log(answer["data"][0]["id"])
    return log.get("prompt_cost"), log.get("output_cost")


def test_a_call_is_logged_with_what_it_cost_by_the_price_of_the_model_that_answered(api: Api) -> None:
    whole = chat(api, "dear", model_config={"model": "whatever is newest"}, session_reference_id="s")
    assert cost_of(api, whole) == (2.5, 10.0)
    assert api.session("s")["cost"] == 12.5
    body = {"project": "p", "model_config": {"model": "x"}, "messages": [{"role": "user", "content": "dear"}]}
    streamed = events(api, "chat", body)
    assert cost_of(api, streamed[0]) == (2.5, 10.0)
    assert cost_of(api, chat(api, "dear", model_config={"provider": "openai_azure"})) == (2.5, 10.0)


def test_what_was_read_from_a_cache_costs_less_and_all_samples_are_paid_for_once(api: Api) -> None:
    assert cost_of(api, chat(api, "cached", model_config={"model": "gpt-4o"})) == (1.25, 0.0)
    answer = chat(api, "dear", num_samples=2, model_config={"model": "gpt-4o"}, session_reference_id="s")
    assert api.session("s")["cost"] == 12.5
    assert cost_of(api, {"data": answer["data"][1:]}) == (None, None)


def test_what_has_no_price_costs_nothing_that_is_known(api: Api, store: Store, model: ModelServer) -> None:
    assert cost_of(api, chat(api, "hello", model_config={"model": "gpt-4o", "provider": "mock"})) == (None, None)
    assert cost_of(api, chat(api, "padded", model_config={"model": "our-own-model"})) == (None, None)
    unpriced = ProviderSettings(base_url=model.base_url, api_key=KEY, priced=False)
    assert cost_of(api, chat(Api(create_app(store, providers=unpriced)), "dear")) == (None, None)

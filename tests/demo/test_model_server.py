"""The model server as the real `openai` client sees it."""

from __future__ import annotations

import asyncio
import json
import math
import threading
import time
from collections.abc import Iterator

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from otel_humanloop.demo.model_server import Failure, ModelServer, Reply, Request, Tokens, ToolCall
from otel_humanloop.demo.model_server.exchange import pieces

WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
CALLS = (
    ToolCall(name="weather", arguments={"city": "Malmö"}),
    ToolCall(name="weather", arguments={"city": "Stockholm"}, id="call_given"),
)


def two_tools(request: Request) -> Reply | None:
    if "weather" not in request.prompt:
        return None
    if request.tool_results:
        return Reply(text=f"It is {' and '.join(request.tool_results)}.")
    return Reply(tool_calls=CALLS)


def thoughtful(request: Request) -> Reply | None:
    if "think" not in request.prompt:
        return None
    return Reply(
        text="Done.", reasoning="First this, then that.", tokens=Tokens(prompt=9, output=7, cached=4, reasoning=5)
    )


def troubled(request: Request) -> Reply | Failure | None:
    word = request.question
    failures = {
        "bad": Failure(status=400, message="no such thing", param="messages", code="invalid_value"),
        "who": Failure(status=401, message="who are you"),
        "slow": Failure(status=429, message="slow down", headers={"retry-after": "7"}),
        "down": Failure(status=500, message="out of order"),
    }
    return Reply(text="one two three four five", cut_after=3) if word == "cut" else failures.get(word)


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer([two_tools, thoughtful, troubled]) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: ModelServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.base_url, api_key="any", max_retries=0) as client:
        yield client


def ask(text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]


def test_without_a_rule_that_applies_a_chat_is_echoed_with_its_tokens_counted(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=ask("hello there"))
    assert answer.choices[0].message.content == "You said: hello there"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens == 3 + len(["Be", " brief", "."]) + 3 + len(["hello", " there"])
    assert answer.usage.completion_tokens == len(["You", " said", ":", " hello", " there"])
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_two_answers_to_one_question_differ_in_their_ids_alone(client: OpenAI) -> None:
    first, second = (client.chat.completions.create(model="m", messages=ask("hello")) for _ in range(2))
    assert first.id != second.id
    assert first.choices == second.choices
    assert first.usage == second.usage


def test_an_answer_is_cut_where_the_request_says_so(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="m", messages=ask("hello"), max_tokens=2)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("You said", "length")


def test_several_choices_are_given_and_alternatives_used_as_far_as_they_reach() -> None:
    rules = [lambda _: Reply(text="a", alternatives=("b",))]
    with ModelServer(rules) as server, OpenAI(base_url=server.base_url, api_key="any") as client:
        answer = client.chat.completions.create(model="m", messages=ask("x"), n=3)
        chunks = list(client.chat.completions.create(model="m", messages=ask("x"), n=3, stream=True))
    assert [choice.message.content for choice in answer.choices] == ["a", "b", "a"]
    streamed = ["", "", ""]
    for chunk in chunks:
        streamed[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert streamed == ["a", "b", "a"]


def test_a_stream_comes_in_pieces_and_says_nothing_of_usage_unasked(client: OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="m", messages=ask("hello"), stream=True))
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content]
    assert texts == ["You", " said", ":", " hello"]
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in chunks)
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_stream_asked_for_usage_ends_with_it(client: OpenAI) -> None:
    *chunks, last = client.chat.completions.create(
        model="m", messages=ask("think"), stream=True, stream_options={"include_usage": True}
    )
    assert last.choices == []
    assert (last.usage.prompt_tokens, last.usage.prompt_tokens_details.cached_tokens) == (9, 4)
    assert (last.usage.completion_tokens, last.usage.completion_tokens_details.reasoning_tokens) == (7, 5)
    assert all(chunk.usage is None for chunk in chunks)


def test_tools_are_called_in_parallel_and_their_results_are_heard(client: OpenAI) -> None:
    messages = ask("weather?")
    message = client.chat.completions.create(model="m", messages=messages, tools=[WEATHER]).choices[0].message
    assert [json.loads(call.function.arguments)["city"] for call in message.tool_calls] == ["Malmö", "Stockholm"]
    assert message.content is None
    assert message.tool_calls[0].id.startswith("call_")
    assert message.tool_calls[1].id == "call_given"
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": text}
        for call, text in zip(message.tool_calls, ["sunny", "grey"], strict=True)
    ]
    answer = client.chat.completions.create(model="m", messages=[*messages, message.model_dump(), *results])
    assert answer.choices[0].message.content == "It is sunny and grey."


def test_streamed_tool_calls_join_up_to_the_same_calls(client: OpenAI) -> None:
    with client.chat.completions.stream(model="m", messages=ask("weather?"), tools=[WEATHER]) as stream:
        choice = stream.get_final_completion().choices[0]
    assert choice.finish_reason == "tool_calls"
    assert [(call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls] == [
        (call.name, call.arguments) for call in CALLS
    ]


class Place(BaseModel):
    name: str
    altitude: float
    inhabitants: int
    coastal: bool
    tags: list[str]
    within: Place | None


def test_a_schema_is_answered_with_json_that_fits_it(client: OpenAI) -> None:
    chat = client.chat.completions.parse(model="m", messages=ask("where?"), response_format=Place)
    response = client.responses.parse(model="m", input="where?", text_format=Place)
    assert chat.choices[0].message.parsed == response.output_parsed
    assert isinstance(response.output_parsed, Place)


def test_json_without_a_schema_is_some_json_object(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model="m", messages=ask("json please"), response_format={"type": "json_object"}
    )
    assert json.loads(answer.choices[0].message.content) == {"said": "json please"}


def test_completions_are_answered_whole_and_streamed(client: OpenAI) -> None:
    whole = client.completions.create(model="m", prompt="Once upon")
    parts = list(client.completions.create(model="m", prompt="Once upon", stream=True))
    assert whole.choices[0].text == "You said: Once upon"
    assert "".join(part.choices[0].text for part in parts) == whole.choices[0].text
    assert parts[-1].choices[0].finish_reason == "stop"
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (2, 5)


def test_embeddings_are_the_same_vectors_in_either_encoding(client: OpenAI) -> None:
    texts = ["a cat", "a dog"]
    packed = client.embeddings.create(model="m", input=texts)
    plain = client.embeddings.create(model="m", input=texts, encoding_format="float")
    for one, other in zip(packed.data, plain.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, rel=1e-6)
    assert packed.data[0].embedding != packed.data[1].embedding
    assert len(packed.data[0].embedding) == 1536
    assert math.hypot(*packed.data[0].embedding) == pytest.approx(1, rel=1e-6)
    assert packed.usage.prompt_tokens == packed.usage.total_tokens == 4


def test_embeddings_take_tokens_and_as_many_dimensions_as_asked(client: OpenAI) -> None:
    answer = client.embeddings.create(model="m", input=[[1, 2, 3], [4]], dimensions=8)
    assert [len(each.embedding) for each in answer.data] == [8, 8]
    assert answer.usage.prompt_tokens == 4
    assert len(client.embeddings.create(model="m", input=[1, 2, 3]).data) == 1


def test_a_response_holds_what_was_thought_and_said(client: OpenAI) -> None:
    response = client.responses.create(model="m", instructions="Be brief.", input="think")
    assert [item.type for item in response.output] == ["reasoning", "message"]
    assert response.output[0].summary[0].text == "First this, then that."
    assert response.output_text == "Done."
    assert response.instructions == "Be brief."
    assert (response.usage.input_tokens, response.usage.input_tokens_details.cached_tokens) == (9, 4)
    assert (response.usage.output_tokens, response.usage.output_tokens_details.reasoning_tokens) == (7, 5)


def test_a_response_that_was_cut_is_incomplete(client: OpenAI) -> None:
    response = client.responses.create(model="m", input="hello", max_output_tokens=2)
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert response.output_text == "You said"


@pytest.mark.parametrize("text", ["hello", "think", "weather?"])
def test_the_events_of_a_response_build_the_response_they_end_with(client: OpenAI, text: str) -> None:
    with client.responses.stream(model="m", input=text) as stream:
        events = list(stream)
        final = stream.get_final_response()
    grown: dict[int, str] = {}
    for event in events:
        if event.type in ("response.output_text.delta", "response.function_call_arguments.delta"):
            grown[event.output_index] = grown.get(event.output_index, "") + event.delta
    said = {
        index: item.arguments if item.type == "function_call" else item.content[0].text
        for index, item in enumerate(final.output)
        if item.type != "reasoning"
    }
    assert grown == said
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")


def test_function_outputs_reach_the_rules_through_responses_too(client: OpenAI) -> None:
    asked = client.responses.create(model="m", input="weather?")
    outputs = [{"type": "function_call_output", "call_id": call.call_id, "output": "sunny"} for call in asked.output]
    history = [{"role": "user", "content": "weather?"}, *(call.to_dict() for call in asked.output), *outputs]
    assert client.responses.create(model="m", input=history).output_text == "It is sunny and sunny."


def test_the_async_client_is_served_several_at_a_time(server: ModelServer) -> None:
    async def both() -> list[str]:
        async with AsyncOpenAI(base_url=server.base_url, api_key="any") as client:
            answers = (client.chat.completions.create(model="m", messages=ask(text)) for text in ("a", "b"))
            return [answer.choices[0].message.content for answer in await asyncio.gather(*answers)]

    assert asyncio.run(both()) == ["You said: a", "You said: b"]


@pytest.mark.parametrize(
    ("word", "error", "kind", "code"),
    [
        ("bad", openai.BadRequestError, "invalid_request_error", "invalid_value"),
        ("who", openai.AuthenticationError, "invalid_request_error", "invalid_api_key"),
        ("slow", openai.RateLimitError, "requests", "rate_limit_exceeded"),
        ("down", openai.InternalServerError, "server_error", None),
    ],
)
def test_errors_have_the_shape_the_client_knows(
    client: OpenAI, word: str, error: type[openai.APIStatusError], kind: str, code: str | None
) -> None:
    with pytest.raises(error) as raised:
        client.chat.completions.create(model="m", messages=ask(word))
    assert (raised.value.type, raised.value.code) == (kind, code)
    assert raised.value.request_id.startswith("req_")


def test_an_error_carries_its_headers(client: OpenAI) -> None:
    with pytest.raises(openai.RateLimitError, match="slow down") as raised:
        client.responses.create(model="m", input="slow")
    assert raised.value.response.headers["retry-after"] == "7"


def test_a_client_that_retries_is_answered_each_time() -> None:
    def once(request: Request) -> Failure | None:
        return Failure(status=429, message="later", headers={"retry-after-ms": "1"}) if request.number == 1 else None

    with ModelServer([once]) as server, OpenAI(base_url=server.base_url, api_key="any", max_retries=1) as client:
        assert client.chat.completions.create(model="m", messages=ask("x")).choices[0].message.content == "You said: x"
        assert [request.number for request in server.requests] == [1, 2]


def test_a_stream_that_is_cut_gives_what_came_and_then_an_error(client: OpenAI) -> None:
    came = []
    with pytest.raises(openai.APIConnectionError):  # noqa: PT012 - the error comes out of the loop
        for chunk in client.chat.completions.create(model="m", messages=ask("cut"), stream=True):
            came.append(chunk.choices[0].delta.content)
    assert came == ["", "one", " two"]


def test_what_no_model_could_answer_is_refused_as_openai_refuses_it(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="Missing required parameter: 'messages'") as raised:
        client.post("/chat/completions", body={"model": "m"}, cast_to=object)
    assert raised.value.param == "messages"
    with pytest.raises(openai.BadRequestError, match="model"):
        client.post("/embeddings", body={"input": "x"}, cast_to=object)
    with pytest.raises(openai.BadRequestError, match="JSON"):
        client.post("/responses", content=b"{", cast_to=object)
    with pytest.raises(openai.NotFoundError, match="Invalid URL"):
        client.post("/audio/speech", body={"model": "m"}, cast_to=object)


def test_a_server_with_a_key_answers_no_other() -> None:
    with ModelServer(api_key="sk-right") as server:
        with OpenAI(base_url=server.base_url, api_key="sk-wrong") as wrong, pytest.raises(openai.AuthenticationError):
            wrong.chat.completions.create(model="m", messages=ask("x"))
        with OpenAI(base_url=server.base_url, api_key="sk-right") as right:
            right.chat.completions.create(model="m", messages=ask("x"))
        assert len(server.requests) == 1


def test_it_remembers_what_it_was_asked(server: ModelServer, client: OpenAI) -> None:
    client.chat.completions.create(
        model="gpt-4o", messages=ask("remember"), temperature=0, extra_headers={"X-Mark": "42"}
    )
    request = server.requests[-1]
    assert (request.endpoint, request.model, request.stream) == ("chat/completions", "gpt-4o", False)
    assert (request.question, request.body["temperature"], request.headers["x-mark"]) == ("remember", 0, "42")
    assert [turn.role for turn in request.turns] == ["system", "user"]


def test_a_model_may_answer_by_another_name_than_it_was_asked_by() -> None:
    rules = [lambda _: Reply(text="x", model="gpt-4o-mini-2024-07-18")]
    with ModelServer(rules) as server, OpenAI(base_url=server.base_url, api_key="any") as client:
        assert client.responses.create(model="gpt-4o-mini", input="x").model == "gpt-4o-mini-2024-07-18"


def test_a_delayed_answer_holds_up_no_other_and_not_the_end() -> None:
    def slow(request: Request) -> Reply | None:
        return Reply(text="late", delay=60) if request.question == "wait" else None

    with ModelServer([slow]) as server, OpenAI(base_url=server.base_url, api_key="any", max_retries=0) as client:
        waiting = threading.Thread(target=_ask_in_vain, args=(client,))
        waiting.start()
        deadline = time.monotonic() + 60
        while not server.requests and time.monotonic() < deadline:
            time.sleep(0.01)
        answer = client.chat.completions.create(model="m", messages=ask("quick"))
        assert answer.choices[0].message.content == "You said: quick"
        leaving = time.monotonic()
    waiting.join(timeout=30)
    assert time.monotonic() - leaving < 30


def _ask_in_vain(client: OpenAI) -> None:
    with pytest.raises(openai.APIError):
        client.chat.completions.create(model="m", messages=ask("wait"))


@given(st.text())
def test_pieces_join_up_to_their_text(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert all(pieces(text))

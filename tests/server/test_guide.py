"""The scenarios of Humanloop's guide to sessions, as the requests it makes. Those through chat come with chat."""

from __future__ import annotations

from typing import Any

from support_server import Api

UR = "Which country won Eurovision 2023?"
ANSWER = "Sweden won the Eurovision Song Contest in 2023."
SESSION = "11111111-2222-4333-8444-555555555555"
PARENT = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

MODERATOR: dict[str, Any] = {
    "project": "sessions_example_moderator",
    "config": {
        "type": "model", "model": "gpt-4", "endpoint": "chat", "temperature": 0, "max_tokens": 1,
        "chat_template": [
            {"role": "user", "content": "{{user_request}}"},
            {"role": "system", "content": "You are a moderator (Yes/No)"},
            {"role": "system", "content": "Answer Yes or No."},
        ],
    },
    "messages": [], "inputs": {"user_request": UR}, "output": "No", "duration": 1.51,
}  # fmt: skip
GOOGLE: dict[str, Any] = {
    "project": "sessions_example_google",
    "config": {
        "name": "Google Search",
        "source_code": "def get_google_answer(user_request: str) -> str:\n    ...\n",
        "type": "tool",
        "description": "Searches Google for the answer to the user's question.",
    },
    "inputs": {"q": UR},
    "output": "Sweden",
}
ASSISTANT: dict[str, Any] = {
    "project": "sessions_example_assistant",
    "config": {
        "prompt_template": "Question: {{user_request}}\nGoogle result: {{google_answer}}\nAnswer:\n",
        "model": "text-davinci-002",
        "temperature": 0,
    },
    "inputs": {"user_request": UR, "google_answer": "Sweden"},
    "output": ANSWER,
    "duration": 0.001,
}


def test_three_logs_without_a_session(api: Api) -> None:
    for body in (MODERATOR, GOOGLE, ASSISTANT):
        posted = api.ask("POST", "logs", json=body)
        assert "session_id" not in posted
        log = api.get_log(posted["id"])
        keys = {"session_id", "session_reference_id", "parent_id", "parent_reference_id", "reference_id"}
        assert not keys & log.keys()
    assert api.ask("GET", "projects")["total"] == 3
    assert api.ask("GET", "sessions")["total"] == 0


def test_three_logs_in_a_session(api: Api) -> None:
    posted = [
        api.ask("POST", "logs", json={**body, "session_reference_id": SESSION})
        for body in (MODERATOR, GOOGLE, ASSISTANT)
    ]
    assert len({log["session_id"] for log in posted}) == 1
    session = api.session(SESSION)
    assert session["datapoints_count"] == 3
    assert [project["name"] for project in session["projects"]] == [
        "sessions_example_moderator",
        "sessions_example_google",
        "sessions_example_assistant",
    ]
    assert [project["type"] for project in session["projects"]] == ["prompt", "tool", "prompt"]
    assert session["first_inputs"] == {"user_request": UR}
    assert session["last_output"] == ANSWER
    moderator, google, assistant = api.logs(SESSION)
    assert [log["output"] for log in (moderator, google, assistant)] == ["No", "Sweden", ANSWER]
    assert moderator["config"]["endpoint"] == "chat"
    assert moderator["config"]["max_tokens"] == 1
    assert moderator["duration"] == 1.51
    assert google["config"]["name"] == "Google Search"
    assert "duration" not in google
    assert assistant["config"]["endpoint"] == "complete"
    assert not any("parent_id" in log for log in (moderator, google, assistant))
    for log in posted:
        page = api.ask("GET", "sessions", params={"project_id": log["project_id"]})
        assert [found["id"] for found in page["records"]] == [session["id"]]


def test_a_log_below_another(api: Api) -> None:
    parent = api.ask("POST", "logs", json={**ASSISTANT, "session_reference_id": SESSION, "reference_id": PARENT})
    child = api.ask("POST", "logs", json={**ASSISTANT, "session_reference_id": SESSION, "parent_reference_id": PARENT})
    above, below = api.get_log(parent["id"]), api.get_log(child["id"])
    assert "parent_id" not in above
    assert "reference_id" not in below
    assert below["parent_id"] == above["id"]
    assert below["parent_reference_id"] == PARENT
    assert below["session_id"] == above["session_id"]
    assert below["config_id"] == above["config_id"]
    assert api.session(SESSION)["datapoints_count"] == 2
    assert api.ask("GET", "projects")["total"] == 1


def test_output_that_comes_later(api: Api) -> None:
    body = {
        "project": "sessions_example_deferred_log",
        "inputs": {"input": "parent"},
        "source": "sdk",
        "config": {
            "model": "gpt-3.5-turbo",
            "max_tokens": -1,
            "temperature": 0.7,
            "prompt_template": "A prompt template",
            "type": "model",
        },
        "session_reference_id": "0123456789abcdef0123456789abcdef",
        "reference_id": "fedcba9876543210fedcba9876543210",
    }
    posted = api.ask("POST", "logs", json=body)
    before = api.get_log(posted["id"])
    assert not {"output", "error"} & before.keys()
    assert "last_output" not in api.session(body["session_reference_id"])
    answer = api.ask(
        "PATCH", "logs", params={"reference_id": body["reference_id"]}, json={"output": "updated parent output"}
    )
    assert answer == {**before, "output": "updated parent output", "updated_at": answer["updated_at"]}
    assert answer["config"]["endpoint"] == "complete"
    assert answer["updated_at"] >= answer["created_at"]
    session = api.session(body["session_reference_id"])
    assert session["datapoints_count"] == 1
    assert session["last_output"] == "updated parent output"

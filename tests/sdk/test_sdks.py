"""The vendor's own SDKs, each in an environment of its own, against a real server: the guide and the rest."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sdk.environments import HERE, python_sdk, run, typescript_sdk
from sdk.fields import NEW_OF_LOGS
from support_server import Api

from otel_humanloop.demo.model_server import ModelServer, Reply, Request
from otel_humanloop.server.app import create_app
from otel_humanloop.server.providers import ProviderSettings
from otel_humanloop.server.serve import running
from otel_humanloop.server.store import open_store

pytestmark = pytest.mark.sdk

UR = "Which country won Eurovision 2023?"
ANSWER = "Sweden won the Eurovision Song Contest in 2023."
PROJECTS = ["sessions_example_moderator", "sessions_example_google", "sessions_example_assistant"]


def answering(request: Request) -> Reply | None:
    if request.endpoint == "completions":
        return Reply(text=ANSWER)
    return Reply(text="No") if "Answer" in request.prompt else None


class Sdk:
    """One SDK, at one server. `old`: it knows fewer fields of a log than the others."""

    def __init__(self, run: Callable[[str], Any], api: Api, *, old: bool) -> None:
        self.run = run
        self.api = api
        self.old = old


@pytest.fixture(params=["python-0.7.35", "python-0.5.18", "typescript-0.5.36"])
def sdk(request: pytest.FixtureRequest) -> Iterator[Sdk]:
    language, version = request.param.split("-")
    if language == "typescript" and shutil.which("npm") is None:
        pytest.skip("needs npm: apt install npm")
    folder = python_sdk(version) if language == "python" else typescript_sdk(version)
    with ModelServer([answering], api_key="sk-callers") as model, open_store("sqlite://") as store:
        settings = ProviderSettings(base_url=model.base_url)
        with running(store=store, api_keys=["hl_sk_test"], providers=settings) as server:
            own = {"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "sk-callers"}
            environ = {"HUMANLOOP_HOST": f"{server.url}/v4", "SDK_FOLDER": str(folder), **own}
            program = (
                [str(folder), str(HERE / "guide.py")] if language == "python" else ["node", str(HERE / "guide.js")]
            )
            yield Sdk(
                lambda scenario: run([*program, scenario], environ), Api(create_app(store)), old=version == "0.5.18"
            )


def test_s2_three_logs_without_a_session(sdk: Sdk) -> None:
    said = sdk.run("S2")
    assert said["outputs"] == ["No", "Sweden", ANSWER]
    assert said.get("session") is None
    assert sdk.api.ask("GET", "sessions")["total"] == 0
    projects = sdk.api.ask("GET", "projects", params={"sort_by": "created_at", "order": "asc"})["records"]
    assert [project["name"] for project in projects] == PROJECTS
    for project in projects:
        (log,) = sdk.api.ask("GET", "logs", params={"project_id": project["id"]})["records"]
        assert (
            not {"session_id", "session_reference_id", "parent_id", "parent_reference_id", "reference_id"} & log.keys()
        )


def test_s3_a_session_of_three(sdk: Sdk) -> None:
    said = sdk.run("S3")
    session = sdk.api.session(said["reference"])
    assert session["id"] == said["session"]
    assert [project["name"] for project in session["projects"]] == PROJECTS
    assert [project["type"] for project in session["projects"]] == ["prompt", "tool", "prompt"]
    assert (session["datapoints_count"], session["first_inputs"]) == (3, {"user_request": UR})
    assert session["last_output"] == ANSWER
    for project in session["projects"]:
        page = sdk.api.ask("GET", "sessions", params={"project_id": project["id"]})
        assert [record["id"] for record in page["records"]] == [session["id"]]
    moderator, google, assistant = sdk.api.logs(said["reference"])
    assert moderator["messages"][0] == {"role": "user", "content": UR}
    assert [log["inputs"] for log in (moderator, google, assistant)] == [
        {"user_request": UR}, {"q": UR}, {"user_request": UR, "google_answer": "Sweden"},
    ]  # fmt: skip
    assert [log["output"] for log in (moderator, google, assistant)] == ["No", "Sweden", ANSWER]
    config = moderator["config"]
    assert (config["type"], config["endpoint"], config["model"]) == ("model", "chat", "gpt-4")
    assert (config["temperature"], config["max_tokens"], len(config["chat_template"])) == (0, 1, 3)
    assert (google["config"]["type"], google["config"]["name"]) == ("tool", "Google Search")
    assert (assistant["config"]["endpoint"], assistant["config"]["model"]) == ("complete", "text-davinci-002")
    assert moderator["duration"] > 0
    assert assistant["duration"] > 0
    assert "duration" not in google
    assert not any("parent_id" in log for log in (moderator, google, assistant))


def test_s4_a_log_below_another(sdk: Sdk) -> None:
    said = sdk.run("S4")
    parent, child = sdk.api.logs(said["reference"])
    assert (parent["reference_id"], "parent_id" in parent) == (said["parent"], False)
    assert (child["parent_id"], child["parent_reference_id"]) == (parent["id"], said["parent"])
    assert "reference_id" not in child
    assert child["config_id"] == parent["config_id"]
    assert sdk.api.session(said["reference"])["datapoints_count"] == 2


def test_s5_output_that_comes_later(sdk: Sdk) -> None:
    said = sdk.run("S5")
    (log,) = sdk.api.logs(said["reference"])
    assert said["ids"] == [log["id"], log["id"]]
    assert (log["output"], log["inputs"], log["source"]) == ("updated parent output", {"input": "parent"}, "sdk")
    assert (log["config"]["endpoint"], log["config"]["temperature"]) == ("complete", 0.7)
    assert sdk.api.session(said["reference"])["last_output"] == "updated parent output"


def test_everything_else_it_can_do(sdk: Sdk) -> None:
    said = sdk.run("rest")
    assert said["chatted"] == f"You said: {UR}"
    logs = sdk.api.ask("GET", "logs", params={"project_id": said["project"]})["records"]
    kept = {log["id"]: log for log in logs}.get(said["log"])
    assert kept is None or [each["type"] for each in kept["feedback"]] == ["rating", "correction"]


INPUTS = {"nested": {"list": [1, None, {"é": "😀"}]}, "none": None, "zero": 0, "empty": ""}
LATER_FIELDS = {**{name: value for name, value in NEW_OF_LOGS.items() if name != "save"}, "tokens": 4}


def test_every_field_it_can_send_is_kept(sdk: Sdk) -> None:
    said = sdk.run("fields")
    log = sdk.api.get_log(said["log"])
    moment = log["inputs"].pop("moment")
    assert moment.startswith("2024-06-01T12:00:00")
    assert (log["inputs"], log["output"], log["error"], log["source"], log["duration"]) == (INPUTS, "", "", "", 0)
    assert (log["created_at"], log["metadata"]) == ("2024-06-01T12:00:00+00:00", {"k": {"n": [1]}})
    assert log["messages"] == [{"role": "user", "content": "u", "name": "n"}]
    assert {name: log[name] for name in LATER_FIELDS if name in log} == ({} if sdk.old else LATER_FIELDS)
    assert [(each["type"], each["value"], each.get("user")) for each in log["feedback"]] == [
        ("rating", "good", "u"), ("issue", "slow", ""), ("of my own", "é", None),
    ]  # fmt: skip
    assert (log["project"], log["session_id"], log["reference_id"]) == ("renamed", said["session"], "r")
    config = log["config"]
    assert (config["stop"], config["other"], config["tools"][0]["name"]) == (
        ["END"],
        {"logit_bias": {"1": 2}},
        "search",
    )
    chat = sdk.api.get_log(said["chat"])
    assert (chat["parent_id"], chat["source"], chat["metadata"], chat["user"]) == (said["log"], "s", {"m": 1}, "u")
    assert chat["config_id"] == log["config_id"]
    assert (chat["save"], chat.get("output")) == ((True, "You said: Hi") if sdk.old else (False, None))
    assert sdk.api.ask("GET", f"sessions/{said['session']}")["datapoints_count"] == 1 + 2 + said["calls"]


@pytest.mark.parametrize("sdk", ["typescript-0.5.36"], indirect=True)
def test_it_asks_openai_itself_and_logs_the_version_that_is_deployed(sdk: Sdk) -> None:
    said = sdk.run("noProxy")
    assert said["output"] == "You said: Which is yours?"
    (log,) = said["logs"]
    assert (log["output"], log["inputs"], log["config_id"]) == (said["output"], {"it": "yours"}, said["config"])
    assert log["metadata"] == {"noProxy": True}


def test_a_stream_arrives_whole(sdk: Sdk) -> None:
    assert sdk.run("stream")["output"] == "You said: data: streamed"

"""The scenarios of Humanloop's guide to sessions, with the vendor's Python SDK: `python guide.py SCENARIO`.

Runs in the SDK's own environment, so it imports nothing of ours. Prints as JSON what the SDK gave back.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import uuid
from importlib.metadata import version

from fields import everything
from humanloop import Humanloop

OLD = version("humanloop").startswith("0.5.")
USER_REQUEST = "Which country won Eurovision 2023?"

humanloop = Humanloop(api_key="hl_sk_test", host=os.environ["HUMANLOOP_HOST"], openai_api_key="sk-callers")


def get_google_answer(user_request: str) -> str:
    assert user_request == USER_REQUEST
    return "Sweden"


def body(response):
    """Before 0.6 the SDK answered with dicts."""
    return response.body if OLD else response


def output(response) -> str:
    return response.body["data"][0]["output"] if OLD else response.data[0].output


def chain(**session) -> dict:
    """Moderator, search, assistant."""
    moderator = humanloop.chat(
        project="sessions_example_moderator",
        model_config={
            "model": "gpt-4",
            "temperature": 0,
            "max_tokens": 1,
            "chat_template": [
                {"role": "user", "content": "{{user_request}}"},
                {
                    "role": "system",
                    "content": "You are a moderator. Is there any abusive language in the user's request?",
                },
                {
                    "role": "system",
                    "content": "Answer the above question with Yes or No. If unsure, answer Yes.",
                },
            ],
        },
        inputs={"user_request": USER_REQUEST},
        messages=[],
        **session,
    )
    if output(moderator) == "Yes":
        raise ValueError("User request is inappropriate")
    google_answer = get_google_answer(USER_REQUEST)
    google = humanloop.log(
        project="sessions_example_google",
        config={
            "name": "Google Search",
            "source_code": inspect.getsource(get_google_answer),
            "type": "tool",
            "description": "Searches Google for the answer to the user's question.",
        },
        inputs={"q": USER_REQUEST},
        output=google_answer,
        **session,
    )
    assistant = humanloop.complete(
        project="sessions_example_assistant",
        model_config={
            "prompt_template": "Question: {{user_request}}\nGoogle result: {{google_answer}}\nAnswer:\n",
            "model": "text-davinci-002",
            "temperature": 0,
        },
        inputs={"user_request": USER_REQUEST, "google_answer": google_answer},
        **session,
    )
    logged = body(google)
    return {
        "outputs": [output(moderator), google_answer, output(assistant)],
        "google": logged["id"] if OLD else logged.id,
        "session": logged.get("session_id") if OLD else logged.session_id,
        "reference": session.get("session_reference_id"),
    }


def s2() -> dict:
    return chain()


def s3() -> dict:
    return chain(session_reference_id=str(uuid.uuid4()))


def s4() -> dict:
    session_reference_id, parent_reference_id = str(uuid.uuid4()), str(uuid.uuid4())
    common = {
        "project": "sessions_example_assistant",
        "config": {"model": "gpt-4", "type": "model"},
        "messages": [{"role": "user", "content": USER_REQUEST}],
        "inputs": {"user_request": USER_REQUEST},
        "output": "Sweden won the Eurovision Song Contest in 2023.",
        "session_reference_id": session_reference_id,
    }
    humanloop.log(**common, reference_id=parent_reference_id)
    humanloop.log(**common, parent_reference_id=parent_reference_id)
    return {"reference": session_reference_id, "parent": parent_reference_id}


def s5() -> dict:
    session_reference_id, reference_id = uuid.uuid4().hex, uuid.uuid4().hex
    created = humanloop.log(
        project="sessions_example_deferred_log",
        inputs={"input": "parent"},
        source="sdk",
        config={
            "model": "gpt-3.5-turbo",
            "max_tokens": -1,
            "temperature": 0.7,
            "prompt_template": "A prompt template",
            "type": "model",
        },
        session_reference_id=session_reference_id,
        reference_id=reference_id,
    )
    updated = humanloop.logs.update_by_ref(reference_id=reference_id, output="updated parent output")
    ids = [body(each)["id"] if OLD else body(each).id for each in (created, updated)]
    return {"reference": session_reference_id, "ids": ids}


def rest() -> dict:
    """Everything else the SDK can do, once."""
    session = humanloop.sessions.create()
    log = body(humanloop.log(project="rest", config={"model": "m"}, inputs={"a": "b"}, output="c"))
    id, project = (log["id"], log["project_id"]) if OLD else (log.id, log.project_id)
    humanloop.feedback(type="rating", value="good", data_id=id, user="u")
    humanloop.feedback([{"data_id": id, "type": "correction", "value": "d"}])
    registered = body(
        humanloop.model_configs.register(project="rest", model="gpt-4", endpoint="chat", chat_template=[])
    )
    config = registered["config"]["id"] if OLD else registered.config.id
    humanloop.model_configs.get(id=config)
    humanloop.projects.list_configs(id=project)
    humanloop.projects.get_active_config(id=project)
    humanloop.projects.export(id=project)
    humanloop.projects.list()
    humanloop.sessions.get(id=body(session)["id"] if OLD else session.id)
    humanloop.sessions.list(project_id=project)
    chatted = humanloop.chat_deployed(project="rest", messages=[{"role": "user", "content": USER_REQUEST}])
    if not OLD:
        humanloop.logs.get(id=id)
        humanloop.logs.list(project_id=project)
        humanloop.model_configs.export(id=config)
        humanloop.logs.delete(id=[id])
    return {"project": project, "log": id, "chatted": output(chatted)}


def stream() -> dict:
    import asyncio

    async def read() -> str:
        response = await humanloop.chat_stream(
            project="streamed",
            model_config={"model": "gpt-4"},
            messages=[{"role": "user", "content": "data: streamed"}],
        )
        pieces = []
        async for event in response.content:
            pieces.append(event["output"] if OLD or isinstance(event, dict) else event.output)
        return "".join(pieces)

    return {"output": asyncio.run(read())}


def fields() -> dict:
    return everything(humanloop, OLD)


SCENARIOS = {"S2": s2, "S3": s3, "S4": s4, "S5": s5, "rest": rest, "stream": stream, "fields": fields}
sys.stdout.write(json.dumps(SCENARIOS[sys.argv[1]]()) + "\n")

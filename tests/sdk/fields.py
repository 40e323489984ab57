"""Every field that the vendor's Python SDK can send with a log and a call, and the methods the guide has no use for.

Runs in the SDK's own environment, so it imports nothing of ours.
"""

from __future__ import annotations

import datetime

NOON = datetime.datetime(2024, 6, 1, 12, tzinfo=datetime.timezone.utc)
INPUTS = {"nested": {"list": [1, None, {"é": "😀"}]}, "none": None, "zero": 0, "empty": "", "moment": NOON}
TOOL = {"name": "search", "description": "d", "parameters": {"type": "object"}}
MODEL = {
    "model": "gpt-4",
    "provider": "openai",
    "endpoint": "chat",
    "max_tokens": 5,
    "temperature": 0.5,
    "top_p": 0.9,
    "stop": ["END"],
    "presence_penalty": 0.1,
    "frequency_penalty": -0.1,
    "other": {"logit_bias": {"1": 2}},
    "chat_template": [{"role": "system", "content": "Serve {{a}}"}],
    "tools": [TOOL],
    "description": "d",
}
NEW_OF_LOGS = {
    "save": True,
    "source_datapoint_id": "evtc_1",
    "judgment": ["a"],
    "environment": "staging",
    "stdout": "",
    "output_message": {"role": "assistant", "content": "x", "name": "n"},
    "prompt_tokens": 0,
    "output_tokens": 4,
    "prompt_cost": 0.0,
    "output_cost": 0.1,
    "provider_request": {"a": [1]},
    "provider_response": {"b": {}},
}
NEW_OF_CALLS = {"save": False, "source_datapoint_id": "evtc_1", "seed": 3, "return_inputs": False}


def everything(humanloop, old: bool) -> dict:
    """Says everything once; returns the ids of what it made."""

    def plain(response):
        return response.body if old else response

    def of(record, name):
        return record[name] if old else getattr(record, name)

    session = of(plain(humanloop.sessions.create()), "id")
    common = {"inputs": INPUTS, "source": "", "metadata": {"k": {"n": [1]}}, "session_id": session}
    log = plain(
        humanloop.log(
            project="fields",
            reference_id="r",
            messages=[{"role": "user", "content": "u", "name": "n"}],
            output="",
            error="",
            config=MODEL,
            created_at=NOON,
            duration=0,
            feedback=[{"type": "rating", "value": "good", "user": "u", "created_at": NOON}],
            **common,
            **({"trial_id": "trial_1"} if old else NEW_OF_LOGS),
        )
    )
    id, project = of(log, "id"), of(log, "project_id")
    called = {
        "project_id": project,
        "source": "s",
        "metadata": {"m": 1},
        "num_samples": 2,
        "user": "u",
        "session_id": session,
        "parent_id": id,
        "inputs": {"a": "Ann"},
        **({} if old else NEW_OF_CALLS),
    }
    chatted = plain(
        humanloop.chat(messages=[{"role": "user", "content": "Hi"}], model_config=MODEL, tool_call="auto", **called)
    )
    completed = plain(
        humanloop.complete(
            model_config={"model": "gpt-3.5-turbo-instruct", "prompt_template": "{{a}}"},
            suffix="!",
            logprobs=1,
            **called,
        )
    )
    for feedback in (
        {"type": "rating", "value": "bad"},
        {"type": "rating", "unset": True},
        {"type": "issue", "value": "slow", "user": "", "created_at": NOON},
        {"type": "of my own", "value": "é", "unset": False},
    ):
        humanloop.feedback(data_id=id, **feedback)
    config = of(of(plain(humanloop.projects.get_active_config(id=project)), "config"), "id")
    staging = [{"id": "env_x", "name": "staging"}]
    deployed = plain(humanloop.projects.deploy_config(project_id=project, config_id=config, environments=staging))
    environment = of(deployed[1], "environment_id")
    humanloop.projects.list_deployed_configs(id=project)
    humanloop.chat_deployed(project_id=project, messages=[], environment="staging")
    humanloop.projects.delete_deployed_config(project_id=project, environment_id=environment)
    humanloop.projects.deactivate_config(id=project)
    humanloop.projects.update(id=project, active_config_id=config, name="renamed")
    if not old:
        file = humanloop.model_configs.export(id=config)
        assert humanloop.model_configs.deserialize(config=file).chat_template[0].content == "Serve {{a}}"
        assert humanloop.model_configs.serialize(body=MODEL).count("Serve {{a}}") == 1
        page = humanloop.logs.list(
            project_id=project, start_date="2024-06-01T12:00", end_date="2024-06-01 12:00", size=1
        )
        assert [record.id for record in page.records] == [id]
    return {
        "log": id,
        "session": session,
        "chat": of(of(chatted, "data")[1], "id"),
        "calls": len(of(completed, "data")),
    }

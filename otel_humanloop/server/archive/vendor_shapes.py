"""What the vendor's export tool wrote, in v5's words, said in v4's: a version as a config, a log as a request.

A prompt's version becomes a model's config, a tool's a tool's, an agent's an agent's; a flow's becomes a tool's that
says in `other.kind` that it is a flow. The rules are those of humanloop 0.8's `PromptResponse`, `AgentResponse`,
`ToolResponse`, `FlowResponse` and their logs. What v4 has no field for is kept: of a version under `other`, of a log in
its metadata under `v5`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, cast

import msgspec

from otel_humanloop.server.configs import PARAMETERS

TYPES = ("prompt", "tool", "flow", "agent")
"""Files whose logs have a place here; datasets and evaluators have none."""

_BESIDE = ("reasoning_effort", "attributes", "linked_tools", "max_iterations", "setup_values")
_SAME = (
    "inputs", "messages", "output", "output_message", "error", "stdout", "metadata", "source", "prompt_tokens",
    "output_tokens", "prompt_cost", "output_cost", "provider_request", "provider_response", "environment", "save",
    "source_datapoint_id",
)  # fmt: skip
_PLACES = ("id", "log_id", "created_at", "start_time", "end_time", "user", "provider_latency")
_TRACE = ("trace_id", "trace_flow_id", "trace_parent_id", "trace_children")


def config_of(kind: str, version: dict[str, Any]) -> dict[str, Any]:
    """A version of a file of that type as a v4 config; `name` of a file stands in its versions too."""
    if kind in ("prompt", "agent") and isinstance(version.get("model"), str):
        model = _model(version)
        return model if kind == "prompt" else _agent(version, model)
    function: dict[str, Any] = version.get("function") or {}
    other = _other(version)
    if kind != "tool":
        other["kind"] = kind
    config = {
        "type": "tool",
        "name": function.get("name") or version.get("name") or version.get("path") or kind,
        "description": function.get("description"),
        "parameters": function.get("parameters"),
        "strict": function.get("strict"),
        "source_code": version.get("source_code"),
        "other": other or None,
    }
    return _given(config)


def request_of(kind: str, project: str, version: dict[str, Any], log: dict[str, Any]) -> dict[str, Any]:
    """A log of a file as the body of `POST /logs`.

    Raises:
        KeyError, TypeError, ValueError: It is no log.
    """
    id: str = log["id"]
    trace = trace_of(log) or (id if kind in ("flow", "agent") and log.get("trace_children") else None)
    started, ended = log.get("start_time"), log.get("end_time")
    duration = log.get("provider_latency")
    if started and ended:
        duration = max((_moment(ended) - _moment(started)).total_seconds(), 0.0)
    given = _given({name: log.get(name) for name in _SAME})
    if isinstance(given.get("output"), (dict, list)):
        given["output"] = msgspec.json.encode(given["output"]).decode()
    handled = {*_SAME, *_PLACES, *_TRACE, *TYPES}
    beside = {name: value for name, value in log.items() if name not in handled and value not in (None, [], {})}
    metadata = {**given.pop("metadata", {}), **_given({"user": log.get("user"), "v5": beside or None})}
    return _given(
        {
            **given,
            "metadata": metadata or None,
            "project": project,
            "config": config_of(kind, version),
            "reference_id": id,
            "session_reference_id": trace,
            "parent_reference_id": log.get("trace_parent_id") or (trace if trace != id else None),
            "created_at": ended or log.get("created_at") or started,
            "duration": duration,
        }
    )


def trace_of(log: dict[str, Any]) -> str | None:
    """The trace a log is in: the id of the log at its root. A flow's log that says nothing is a root."""
    said: Any = log.get("trace_id")
    return said if said is not None or "flow" not in log else cast("str", log["id"])


def nested(log: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The logs below one, at any depth: the id of each, that of the log above it, and the log, empty if only named."""
    above = [log]
    while above:
        parent = above.pop()
        for child in cast("list[Any]", parent.get("trace_children") or []):
            held = cast("dict[str, Any]", child) if isinstance(child, dict) else {"id": child}
            if isinstance(held.get("id"), str):
                yield held["id"], parent["id"], held if len(held) > 1 else {}
                above.append({"trace_id": trace_of(log), **held})


def kind_of(log: dict[str, Any]) -> str | None:
    """The type of file a log is of: the name its version stands under."""
    return next((kind for kind in TYPES if isinstance(log.get(kind), dict)), None)


def project_of(file: dict[str, Any]) -> str:
    """The name of the project a file becomes: its path.

    Raises:
        KeyError: It has none.
    """
    return cast("str", file.get("path") or file["name"])


def _model(version: dict[str, Any]) -> dict[str, Any]:
    template = version.get("template")
    return _given(
        {
            "type": "model",
            **{field: version.get(field) for field in (*PARAMETERS, "tools")},
            "chat_template" if isinstance(template, list) else "prompt_template": template,
            "name": version.get("version_name"),
            "description": version.get("version_description"),
            "other": {**(version.get("other") or {}), **_other(version)},
        }
    )


def _agent(version: dict[str, Any], model: dict[str, Any]) -> dict[str, Any]:
    """Its tools are in the form of v5, where they may be files: they are kept as they are."""
    tools = model.pop("tools", None)
    config = {
        "type": "agent",
        "agent_class": "agent",
        "model_config": model,
        "name": version.get("version_name") or version.get("name"),
        "description": version.get("version_description"),
        "other": {"tools": tools} if tools else None,
    }
    return _given(config)


def _other(version: dict[str, Any]) -> dict[str, Any]:
    return {name: version[name] for name in _BESIDE if version.get(name) not in (None, [], {})}


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _moment(text: str) -> datetime:
    moment = msgspec.convert(text, datetime)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)

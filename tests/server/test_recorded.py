"""What the vendor's SDKs really send, byte for byte, gets the answers they expect.

`data/sdk-*.json` are requests recorded from the SDKs. The ids in them (`data_x`, `pr_x`, ...) name nothing; each is
replaced by one that does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contract import validate
from sqlalchemy import text
from support_server import MODEL, Api

from otel_humanloop.demo.model_server import ModelServer
from otel_humanloop.server.app import create_app
from otel_humanloop.server.providers import ProviderSettings
from otel_humanloop.server.store import Store

RECORDED = {
    path.stem.removeprefix("sdk-"): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parent / "data").glob("sdk-*.json"))
}
CASES = [(sdk, number) for sdk, requests in RECORDED.items() for number in range(len(requests))]

STATUSES = {("POST", "sessions"): 201, ("POST", "projects"): 201, ("DELETE", "logs"): 204, ("DELETE", "projects"): 204}
SCHEMAS = {
    ("POST", "chat", 2): "ChatResponse",
    ("POST", "chat-deployed", 2): "ChatResponse",
    ("POST", "chat-model-config", 2): "ChatResponse",
    ("POST", "completion", 2): "CompletionResponse",
    ("POST", "completion-deployed", 2): "CompletionResponse",
    ("POST", "completion-model-config", 2): "CompletionResponse",
    ("POST", "feedback", 2): "FeedbackResponse",
    ("POST", "model-configs", 2): "ProjectConfigResponse",
    ("GET", "model-configs", 3): "ModelConfigResponse",
    ("GET", "configs", 4): "ProjectConfigResponse",
    ("GET", "active-config", 4): "GetModelConfigResponse",
    ("POST", "export", 4): "PaginatedData_LogResponse_",
    ("POST", "logs", 2): "CreateLogResponse",
    ("GET", "logs", 2): "PaginatedData_LogResponse_",
    ("GET", "logs", 3): "LogResponse",
    ("PATCH", "logs", 2): "LogResponse",
    ("PATCH", "logs", 3): "LogResponse",
    ("POST", "sessions", 2): "CreateSessionResponse",
    ("GET", "sessions", 2): "PaginatedData_SessionResponse_",
    ("GET", "sessions", 3): "SessionResponse",
    ("POST", "projects", 2): "ProjectResponse",
    ("GET", "projects", 2): "PaginatedData_ProjectResponse_",
    ("GET", "projects", 3): "ProjectResponse",
    ("PATCH", "projects", 3): "ProjectResponse",
}


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


def _events(stream: str) -> list[Any]:
    events = [json.loads(line.removeprefix("data: ")) for line in stream.splitlines() if line]
    assert "".join(event["data"][0]["output"] for event in events)
    return events


@pytest.mark.parametrize(("sdk", "number"), CASES, ids=[f"{sdk} {RECORDED[sdk][n]['label']}" for sdk, n in CASES])
def test_a_recorded_request_is_answered_as_its_sdk_expects(
    store: Store, model: ModelServer, sdk: str, number: int
) -> None:
    request = RECORDED[sdk][number]
    key = {name.lower(): value for name, value in request["headers"]}.get("x-api-key")
    settings = ProviderSettings(base_url=model.base_url)
    app = create_app(store, api_keys=["hl_sk_test", "k"], providers=settings)
    known = Api(app, headers={"X-API-KEY": "hl_sk_test"})
    if request["path"].endswith("-deployed"):
        known.log(project="p")
    parent = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    log = known.log(project="known", session_reference_id="11111111-2222-4333-8444-555555555555", reference_id=parent)
    ids = {
        "data_x": log["id"],
        "pr_x": log["project_id"],
        "sesh_x": log["session_id"],
        "config_x": known.get_log(log["id"])["config_id"],
        "data_y": known.log(project="known")["id"],
    }

    def real(value: str) -> str:
        return re.sub(rf"\b({'|'.join(ids)})\b", lambda match: ids[match[0]], value)

    answer = Api(app).http.request(
        request["method"],
        f"{real(request['path'])}?{real(request['query'])}",
        headers=request["headers"],
        content=None if request["body"] is None else real(request["body"]),
    )
    if key is None:
        assert answer.status_code == 401
        return
    parts = [part for part in request["path"].split("/") if part]
    assert answer.status_code == STATUSES.get(
        (request["method"], parts[-1] if request["method"] == "POST" else parts[1]), 200
    ), answer.text
    if answer.status_code == 204:
        return
    streamed = answer.headers["content-type"].startswith("text/event-stream")
    assert streamed == ('"stream":true' in (request["body"] or "").replace(" ", ""))
    body: Any = _events(answer.text) if streamed else answer.json()
    kind = parts[3] if len(parts) > 3 else parts[1]
    for value in body if isinstance(body, list) else [body]:
        validate(SCHEMAS[request["method"], kind, len(parts)], value)
    kept = store.read(lambda tx: repr([tx.execute(text(f"SELECT * FROM {t}")).all() for t in ("logs", "configs")]))
    assert "provider_api_keys" not in kept
    assert "sk-" not in kept


def test_there_is_something_recorded_of_each_sdk() -> None:
    assert {sdk: len(requests) >= 40 for sdk, requests in RECORDED.items()} == {
        "python-0.5.18": True,
        "python-0.7.35": True,
        "typescript-0.5.36": True,
    }
    assert any(MODEL["model"] in (request["body"] or "") for request in RECORDED["python-0.7.35"])

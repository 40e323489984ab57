"""Our own server, spoken to as a client would, with every answer held to the published contract."""

from __future__ import annotations

import re
from typing import Any

from contract import validate
from starlette.applications import Starlette
from starlette.testclient import TestClient

MODEL = {"model": "gpt-4", "prompt_template": "Q {{question}}"}
TOOL = {"type": "tool", "name": "search"}

_SCHEMAS = {
    ("POST", "logs"): "CreateLogResponse",
    ("GET", "logs"): "PaginatedData_LogResponse_",
    ("PATCH", "logs"): "LogResponse",
    ("GET", "logs/{id}"): "LogResponse",
    ("PATCH", "logs/{id}"): "LogResponse",
    ("POST", "projects/{id}/export"): "PaginatedData_LogResponse_",
    ("GET", "projects/{id}/configs"): "ProjectConfigResponse",
    ("GET", "projects/{id}/active-config"): "GetModelConfigResponse",
    ("DELETE", "projects/{id}/active-config"): "ProjectResponse",
    ("GET", "projects/{id}/deployed-configs"): "EnvironmentProjectConfigResponse",
    ("PATCH", "projects/{id}/deploy-config"): "EnvironmentProjectConfigResponse",
    ("POST", "model-configs"): "ProjectConfigResponse",
    ("GET", "model-configs/{id}"): "ModelConfigResponse",
    ("POST", "model-configs/deserialize"): "ModelConfigResponse",
    ("POST", "chat"): "ChatResponse",
    ("POST", "chat-deployed"): "ChatResponse",
    ("POST", "chat-model-config"): "ChatResponse",
    ("POST", "completion"): "CompletionResponse",
    ("POST", "completion-deployed"): "CompletionResponse",
    ("POST", "completion-model-config"): "CompletionResponse",
    ("POST", "feedback"): "FeedbackResponse",
    ("POST", "sessions"): "CreateSessionResponse",
    ("GET", "sessions"): "PaginatedData_SessionResponse_",
    ("GET", "sessions/{id}"): "SessionResponse",
    ("POST", "projects"): "ProjectResponse",
    ("GET", "projects"): "PaginatedData_ProjectResponse_",
    ("GET", "projects/{id}"): "ProjectResponse",
    ("PATCH", "projects/{id}"): "ProjectResponse",
}


def _template(path: str) -> str:
    return re.sub(r"/(data|sesh|pr|config|env)_[^/]*", "/{id}", path)


class Api:
    """The v4 API of an application, as JSON."""

    def __init__(self, app: Starlette, *, headers: dict[str, str] | None = None) -> None:
        self.http = TestClient(app, base_url="http://127.0.0.1", headers=headers, raise_server_exceptions=False)

    def ask(self, method: str, path: str, *, status: int = 200, **request: Any) -> Any:
        """What the server answers; asserts the status and that a body fits the contract."""
        answer = self.http.request(method, f"/v4/{path}", **request)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        if status == 204:
            assert answer.content == b""
            return None
        body = answer.json()
        if status == 422 and isinstance(body["detail"], list):
            validate("HTTPValidationError", body)
        elif status >= 400:
            assert body["detail"].keys() == {"type", "message", "code", "origin"}
            assert body["detail"]["code"] == status
        else:
            schema = _SCHEMAS.get((method, _template(path)))
            for value in (body if isinstance(body, list) else [body]) if schema else []:
                validate(schema, value)
        return body

    def log(self, **fields: Any) -> Any:
        """Posts one log, with a project and a config unless given; returns the ids."""
        return self.ask("POST", "logs", json={"project": "p", "config": MODEL, **fields})

    def get_log(self, id: str) -> Any:
        return self.ask("GET", f"logs/{id}")

    def session(self, reference: str) -> Any:
        """The session of that reference."""
        page = self.ask("GET", "sessions", params={"reference_id": reference})
        assert page["total"] == 1
        return page["records"][0]

    def logs(self, reference: str) -> list[Any]:
        """The logs of the session of that reference, by start."""
        page = self.ask("GET", "logs", params={"session_reference_id": reference, "size": 1000})
        assert page["total"] == len(page["records"])
        return page["records"]

    def problem(self, method: str, path: str, **request: Any) -> Any:
        """The one thing a 422 says is wrong."""
        (problem,) = self.ask(method, path, status=422, **request)["detail"]
        return problem

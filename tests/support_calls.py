"""Calls of models through the API, as clients make them: whole, and as streams."""

from __future__ import annotations

import json
from typing import Any

from contract import validate
from support_server import Api


def chat(api: Api, question: str = "padded", *, status: int = 200, **fields: Any) -> Any:
    config = {"model": "gpt-4", **fields.pop("model_config", {})}
    body = {"project": "p", "model_config": config, "messages": [{"role": "user", "content": question}], **fields}
    return api.ask("POST", "chat", status=status, json=body)


def events(api: Api, path: str, body: dict[str, Any]) -> list[Any]:
    """The events of a stream, read as the SDKs read them."""
    answer = api.http.post(f"/v4/{path}", json={**body, "stream": True})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    pieces = [piece for piece in answer.text.split("\n\n") if piece]
    assert all(piece.count("data: ") == 1 and piece.startswith("data: ") for piece in pieces)
    read = [json.loads(piece.removeprefix("data: ")) for piece in pieces]
    for event in read:
        validate("ChatResponse" if "chat" in path else "CompletionResponse", event)
    return read

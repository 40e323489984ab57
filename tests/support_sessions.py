"""Sessions a browser is shown, and what it shows of them."""

from __future__ import annotations

from typing import Any

import httpx


def session_id(server: Any, reference: str = "s") -> str:
    """The id of the session of that reference."""
    page = httpx.get(f"{server.url}/v4/sessions", params={"reference_id": reference}, trust_env=False).json()
    return page["records"][0]["id"]


def agent(seconds: int = 0) -> list[dict[str, Any]]:
    """An agent of three levels: agent, turn, model and tool."""
    at = [f"2024-06-01T12:00:{seconds + n:02}Z" for n in range(10)]
    tool = {"type": "tool", "name": "look_up"}
    step = {"type": "tool", "other": {"kind": "chain"}}
    return [
        {
            "reference_id": "agent",
            "project": "agent",
            "created_at": at[8],
            "duration": 8.0,
            "inputs": {"q": "Why?"},
            "output": "So.",
            "config": {"type": "tool", "name": "A", "other": {"kind": "agent"}},
        },
        {
            "reference_id": "turn",
            "parent_reference_id": "agent",
            "project": "turn",
            "created_at": at[7],
            "duration": 6.0,
            "config": {**step, "name": "turn"},
            "output": "x",
        },
        {
            "reference_id": "model",
            "parent_reference_id": "turn",
            "project": "model",
            "created_at": at[4],
            "duration": 2.0,
            "messages": [{"role": "user", "content": "Why?"}],
            "output": "**So.**",
        },
        {
            "reference_id": "tool",
            "parent_reference_id": "turn",
            "project": "tool",
            "created_at": at[6],
            "duration": 1.5,
            "config": tool,
            "inputs": {"q": 1},
            "output": "found",
            "error": "slow",
        },
    ]


def many(count: int) -> list[dict[str, Any]]:
    """A session of that many logs, eight below each."""
    return [
        {
            "reference_id": str(n),
            **({"parent_reference_id": str((n - 1) // 8)} if n else {}),
            "output": f"output {n}",
            "inputs": {"n": n},
            "duration": 0.5,
            "created_at": f"2024-06-01T{12 + n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z",
        }
        for n in range(count)
    ]


def shown(page: Any) -> list[str]:
    """The projects of the rows one can see, from the top."""
    return page.locator(".tree .row:visible .open b").all_text_contents()

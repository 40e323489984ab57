"""The agent, as a user runs it: its root stands in Humanloop while it works, and is completed when it has ended."""

from __future__ import annotations

import threading
import time
from typing import Any

from otel_humanloop.demo.model_server import ModelServer, Reply, Request, ToolCall

QUESTION = "Is it warmer in Malmö or in Liverpool?"
ANSWER = "It is warmer in Liverpool."


def nested(logs: list[dict[str, Any]], parent_id: str | None = None) -> list[Any]:
    """The names of logs as a tree: a name alone, or with what is below it."""
    level = [log for log in logs if log.get("parent_id") == parent_id]
    tree: list[Any] = []
    for log in level:
        below = nested(logs, log["id"])
        name = log["config"].get("model") or log["config"]["name"]
        tree.append((name, below) if below else name)
    return tree


def test_a_long_running_agent_is_logged_before_it_ends_and_completed_when_it_does(humanloop, programs) -> None:
    root_seen = threading.Event()

    def weather(request: Request) -> Reply:
        asked = len(request.tool_results)
        if asked < 2:
            return Reply(tool_calls=(ToolCall(name="forecast", arguments={"city": ("Malmö", "Liverpool")[asked]}),))
        # The agent stays at work until the test has seen it there.
        assert root_seen.wait(60)
        return Reply(text=ANSWER)

    with ModelServer([weather]) as model:
        program = programs.start(
            "agent.py", model=model.base_url, AGENT_PAUSE="0.01", HUMANLOOP_HOLD="0.2", HUMANLOOP_DELAY="0.05"
        )
        root = None
        deadline = time.monotonic() + 60
        while root is None and time.monotonic() < deadline and program.poll() is None:
            logs = [log for session in humanloop.sessions() for log in humanloop.logs(session)]
            root = next((log for log in logs if log["config"].get("name") == "Weather agent"), None)
            time.sleep(0.02)
        root_seen.set()
        printed, complaints = program.communicate(timeout=60)
    assert (program.returncode, printed.strip(), complaints) == (0, ANSWER, "")
    assert root is not None
    assert root.get("output") is None
    assert root.get("duration") is None
    assert root["inputs"] or root["messages"]

    (session,) = humanloop.sessions()
    logs = humanloop.logs(session)
    ended = next(log for log in logs if log["id"] == root["id"])
    assert ended["output"] == ANSWER
    assert ended["duration"] > 0.2
    moved = {"output", "duration", "updated_at"}
    assert {key: value for key, value in ended.items() if key not in moved} == {
        key: value for key, value in root.items() if key not in moved
    }
    tool = ("forecast", ["locate"])
    assert nested(logs) == [
        (
            "Weather agent",
            [
                ("turn 1", ["gpt-4o-mini", tool]),
                ("turn 2", ["gpt-4o-mini", tool]),
                ("turn 3", ["gpt-4o-mini"]),
            ],
        )
    ]

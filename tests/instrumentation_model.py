"""What the model says to instrumented programs: it asks for the weather once, then tells it."""

from __future__ import annotations

import json

from otel_humanloop.demo.model_server import Reply, Request, Tokens, ToolCall

QUESTION = "What is the weather in Paris?"
ANSWER = "It is sunny in Paris."
TOKENS = Tokens(prompt=1117, output=46, cached=1024, reasoning=32)


def answers(request: Request) -> Reply | None:
    """A call of the tool that is offered, until its result is there."""
    offered = request.body.get("tools")
    if request.tool_results or not offered or "weather" not in json.dumps(offered):
        return Reply(text=ANSWER, tokens=TOKENS)
    return Reply(tool_calls=(ToolCall(name="get_weather", arguments={"city": "Paris"}),), tokens=TOKENS)

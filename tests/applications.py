"""What the tests of exporter and processor share: spans an application would make, and waiting for what they cause."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from opentelemetry.sdk.trace import TracerProvider

CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Ho"}]}]',
}
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Agent"}

Install = Callable[..., TracerProvider]
"""Makes a provider that sends to the test's Humanloop: a processor (or what makes one) and settings."""


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """The condition's value, once it is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "did not come about"
        threading.Event().wait(0.01)
    return value

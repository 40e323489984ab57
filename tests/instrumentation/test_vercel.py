"""The Vercel AI SDK, from Node over OTLP through the bridge: one session with the right tree."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from humanloop import Humanloop
from instrumentation_model import ANSWER
from support_bridge import bridge_process
from support_otlp import until

PROGRAM = Path(__file__).parent / "programs" / "vercel"

pytestmark = pytest.mark.instrumentation


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The program with its packages."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("Node is not installed")
    folder = tmp_path / "vercel"
    shutil.copytree(PROGRAM, folder)
    installed = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, capture_output=True, text=True, timeout=300
    )
    if installed.returncode:
        pytest.skip(f"the packages cannot be had: {installed.stderr.strip()[-300:]}")
    return folder / "weather.mjs"


def test_steps_and_tools_are_below_the_call_that_took_them(
    humanloop: Humanloop, environment: dict[str, str], program: Path, tmp_path: Path
) -> None:
    with bridge_process(humanloop.base_url, tmp_path / "spool.db") as bridge:
        done = subprocess.run(
            ["node", str(program)],
            env={**os.environ, **environment, "OTEL_EXPORTER_OTLP_ENDPOINT": bridge.urls["http"]},
            cwd=program.parent,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        until(lambda: len(humanloop.logs()) >= 4)
    outer, *inner = humanloop.logs(humanloop.session())
    assert humanloop.broken == []
    assert outer["config"]["name"] == "weather"
    assert outer["config"]["other"]["kind"] == "chain"
    assert outer["output"] == ANSWER
    assert outer.get("prompt_tokens") is None
    assert {log["parent_id"] for log in inner} == {outer["id"]}
    names = [log["config"].get("model") or log["config"]["name"] for log in inner]
    assert names == ["gpt-4o", "get_weather", "gpt-4o"]
    first, tool, second = inner
    assert first["output_message"]["tool_calls"][0]["function"]["name"] == "get_weather"
    assert (tool["inputs"], tool["output"]) == ({"city": "Paris"}, "sunny in Paris")
    assert second["output"] == ANSWER
    assert [(log["prompt_tokens"], log["output_tokens"]) for log in (first, second)] == [(1117, 46), (1117, 46)]
    assert {log["metadata"]["user"] for log in (outer, *inner)} == {"u-1"}
    assert {log["metadata"]["conversation"] for log in (outer, *inner)} == {"s-1"}
